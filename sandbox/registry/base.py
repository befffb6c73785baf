"""The base layer: Python, the contract types, the harness.

Python comes from Debian's packages, downloaded by apt into folders of our own and unpacked, or
from an image of a registry, named by digest and read by Docker. Either way nothing of theirs is
run and nothing of the host is changed; of all files only those are kept that a model needs, which
is no shell. `signalbox image base` builds it; two builds from the same packages, or the same
image, give the same bytes.
"""

import io
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.utils

import signalbox
from sandbox import harness
from sandbox.registry.errors import BuildError
from sandbox.registry.layer import LayerStore, compile_python

PYTHONS = ("3.11",)
PACKAGES = (
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "libgomp1",
    "zlib1g",
    "libbz2-1.0",
    "liblzma5",
    "libexpat1",
    "libffi8",
    "libssl3",
    "libuuid1",
    "libsqlite3-0",
    "libcrypt1",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "python3.11-minimal",
    "tzdata",
)
MERGED = ("bin", "lib", "lib64", "sbin")
KEPT = ("usr/bin/python3.11", "usr/lib", "usr/lib64", "usr/share/zoneinfo")
# Where the interpreter of the registries' Python images stands.
LOCAL = ("usr/local/bin/python3.11", "usr/local/lib/libpython3", "usr/local/lib/python3.11/")
DROPPED = (
    "usr/lib/python3.11/ensurepip",
    "usr/lib/python3.11/lib2to3",
    "usr/lib/python3/",
    "usr/local/lib/python3.11/ensurepip",
    "usr/local/lib/python3.11/lib2to3",
    "usr/local/lib/python3.11/site-packages/",
)
BY_DIGEST = re.compile(r"([^@\s]+@)?sha256:[0-9a-f]{64}")
CONTRACT = ("__init__.py", "forecast.py", "manifest.py", "window.py", "protocol.py", "py.typed")
APT_SECONDS = 300


def build_base(store: LayerStore, image: str | None = None) -> str:
    """Build the base layer and return its digest.

    Args:
        store: where the layer goes.
        image: `repository@sha256:...`, or the id of an image that Docker has; Debian's packages,
            unless given.

    Raises:
        BuildError: apt or Docker is absent, or does not reach what it is asked for.
    """
    with store.workspace() as root:
        if image is None:
            with store.workspace() as packages:
                for package in _download(packages):
                    _unpack(package, root)
        else:
            _unpack_image(image, root)
        _merge_usr(root)
        _add_runtime(root)
        for library in ("usr/lib/python3.11", "usr/local/lib/python3.11", "opt/signalbox"):
            if (root / library).is_dir():
                compile_python(root / library, inside=f"/{library}")
        return store.add_folder(root)


def runtime_files() -> dict[str, bytes]:
    """What of ours goes into every image, by path: the contract types and the harness."""
    contract = Path(signalbox.__file__).parent
    program = Path(str(harness.__file__)).parent
    files = {f"signalbox/{name}": (contract / name).read_bytes() for name in CONTRACT}
    for path in sorted(program.glob("*.py")):
        files[f"harness/{path.name}"] = path.read_bytes()
    return files


def _download(folder: Path) -> list[Path]:
    for name in ("lists/partial", "cache/archives/partial", "packages"):
        (folder / name).mkdir(parents=True)
    options = [
        "-o", f"Dir::State::Lists={folder}/lists",
        "-o", f"Dir::Cache={folder}/cache",
        "-o", "APT::Sandbox::User=",
        "-o", "Debug::NoLocking=1",
        "-o", "Acquire::Languages=none",
        "-qq",
    ]  # fmt: skip
    for command in (["update"], ["download", *PACKAGES]):
        try:
            result = subprocess.run(
                ["apt-get", *options, *command],
                cwd=folder / "packages",
                capture_output=True,
                text=True,
                timeout=APT_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise BuildError(
                "apt-get is not here: build the base image on Debian 12 and copy the store's"
                " layers, or install apt"
            ) from None
        if result.returncode != 0:
            raise BuildError(f"apt-get {command[0]} failed: {result.stderr.strip()[-500:]}")
    return sorted((folder / "packages").glob("*.deb"))


def _unpack(package: Path, root: Path) -> None:
    data = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        _extract(archive, root, KEPT)


def _unpack_image(image: str, root: Path) -> None:
    if not BY_DIGEST.fullmatch(image):
        raise BuildError(
            f"{image!r} names no image by digest: tags move; give repository@sha256:... instead"
        )
    try:
        client = docker.APIClient(**docker.utils.kwargs_from_env())
        try:
            _export(client, image, root)
        finally:
            client.close()
    except docker.errors.DockerException as error:
        raise BuildError(f"Docker cannot give {image}: {error}") from error
    if not (root / "usr" / "bin" / "python3.11").exists():
        raise BuildError(f"{image} holds no Python 3.11 where it is looked for; take another image")


def _export(client: Any, image: str, root: Path) -> None:
    """Docker's own listing of the image's files, from a container that is never started."""
    try:
        client.inspect_image(image)
    except docker.errors.ImageNotFound:
        client.pull(image)
    container = client.create_container(image, command=["-"])["Id"]
    try:
        with tempfile.TemporaryFile(dir=root.parent) as file:
            for chunk in client.export(container):
                file.write(chunk)
            file.seek(0)
            with tarfile.open(fileobj=file) as archive:
                _extract(archive, root, (*KEPT, *LOCAL))
    finally:
        client.remove_container(container, force=True)
    local = root / "usr" / "local" / "bin" / "python3.11"
    if local.exists():
        usual = root / "usr" / "bin" / "python3.11"
        usual.parent.mkdir(parents=True, exist_ok=True)
        usual.unlink(missing_ok=True)
        usual.symlink_to("../local/bin/python3.11")


def _extract(archive: tarfile.TarFile, root: Path, kept: tuple[str, ...]) -> None:
    for member in archive:
        if member.issym() and member.name.removeprefix("./") in MERGED:
            continue  # `lib` itself, which we make anew
        name = _merged_name(member.name.removeprefix("./"))
        if not name.startswith(kept) or name.startswith(DROPPED):
            continue
        place = root / name
        if ".." in place.parts or not place.parent.resolve().is_relative_to(root.resolve()):
            raise BuildError(f"{member.name} would be written outside of the base; take another")
        member.name = name
        if member.islnk():
            member.linkname = _merged_name(member.linkname.removeprefix("./"))
        archive.extract(member, root, set_attrs=False)
        if member.isfile():
            place.chmod(0o755 if member.mode & 0o100 else 0o644)


def _merged_name(name: str) -> str:
    head = name.split("/", 1)[0]
    return f"usr/{name}" if head in MERGED else name


def _merge_usr(root: Path) -> None:
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    # Mount points: both engines mount onto folders that are there already.
    for name in ("proc", "dev", "tmp", "sys", "opt/dependencies", "srv/signal", "etc"):
        (root / name).mkdir(parents=True)


def _add_runtime(root: Path) -> None:
    for name, content in runtime_files().items():
        path = root / "opt" / "signalbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
