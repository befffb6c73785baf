"""Images under their digests: every layer re-hashed, packed and as it is mounted."""

import msgspec

from assets.transparency.fsck_faults import Faults
from assets.transparency.fsck_registry import Registry, Version
from sandbox.registry.errors import BuildError, TreeError
from sandbox.registry.image import SOURCE, ImageStore
from sandbox.registry.tree import SourceTree
from signalbox import Manifest, ManifestError, parse_manifest


def check_images(store: ImageStore, registry: Registry, faults: Faults) -> int:
    """Every published version's image; returns how many layers were re-hashed."""
    layers: dict[str, str] = {}
    for version in registry.versions.values():
        subject = f"version {registry.signals.get(version.signal_id)}@{version.version}"
        try:
            named = store.layer_digests(version.image)
        except (BuildError, OSError, ValueError, KeyError) as error:
            faults.add("image", subject, f"has no whole image: {error}")
            continue
        recorded = (version.base, version.dependencies, version.source)
        if named != recorded:
            faults.add("image", subject, f"has an image of layers {named}, recorded as {recorded}")
        for digest in named:
            layers.setdefault(digest, subject)
        _check_source(store, version, subject, faults)
    for digest, subject in layers.items():
        _check_layer(store, digest, subject, faults)
    return len(layers)


def _check_layer(store: ImageStore, digest: str, subject: str, faults: Faults) -> None:
    layer = f"layer {digest} of {subject}"
    packed, mounted = store.layers.tar_digest(digest), store.layers.unpacked_digest(digest)
    if packed is None or mounted is None:
        faults.add("layer", layer, "is not in the store: restore its backup")
        return
    if packed != digest:
        faults.add("layer", layer, f"was altered: its tar is {packed}")
    if mounted != digest:
        faults.add("layer", layer, f"was altered: its folder, which is mounted, is {mounted}")


def _check_source(store: ImageStore, version: Version, subject: str, faults: Faults) -> None:
    """The source as it runs against the tree that was pushed, and its manifest."""
    folder = store.layers.folder(version.source or "") / SOURCE
    files = {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    tree = SourceTree(files)
    if tree.digest != version.tree:
        faults.add("source", subject, f"runs a tree of {tree.digest}, pushed was {version.tree}")
    try:
        manifest: Manifest | None = parse_manifest(tree.text("signal.toml"))
    except (ManifestError, TreeError) as error:
        faults.add("source", subject, f"has no readable manifest: {error}")
        return
    if msgspec.to_builtins(manifest) != msgspec.to_builtins(
        msgspec.convert(version.manifest, Manifest)
    ):
        faults.add("source", subject, "has another manifest in the registry than in its image")
