"""Debian's packages as an image: from this machine's own apt sources, or on top of a registry's."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from commands import digest, docker_build, is_there, run, say

HERE = Path(__file__).resolve().parent
SUITE = "bookworm"
# What a base is made of is dated so; two builds from the same packages are alike.
EPOCH = "1700000000"
# Postgres' package makes a cluster, ssl-cert's a key: neither belongs into an image.
ESSENTIAL = (
    'mkdir -p "$1/etc/postgresql-common"',
    'echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"',
)
CUSTOMIZE = (
    'rm -rf "$1/etc/ssl/private" "$1/etc/ssl/certs/ssl-cert-snakeoil.pem" "$1/etc/machine-id"',
    'rm -rf "$1/usr/share/doc" "$1/usr/share/man" "$1/usr/share/locale" "$1/var/log"',
    'mkdir -p "$1/var/log"',
)
BY_DIGEST = re.compile(r"([^@\s]+@)?sha256:[0-9a-f]{64}")


def base(name: str, packages: tuple[str, ...], given: str | None, *, is_fresh: bool) -> str:
    """Debian with these packages; anew where what they are taken from changed."""
    if given is not None:
        if not BY_DIGEST.fullmatch(given):
            sys.exit(
                f"{given!r} names no image by digest: tags move; give IMAGE@sha256:... instead"
            )
        tag = f"signalbox/base-{name}:{digest([given, *packages])}"
        if is_fresh or not is_there(tag):
            with tempfile.TemporaryDirectory() as empty:
                arguments = {"BASE": given, "PACKAGES": " ".join(packages)}
                recipe = HERE / "base.Dockerfile"
                docker_build(tag, Path(empty), recipe, network="default", **arguments)
        return tag
    sources = _apt_sources()
    texts = [path.read_text() for path in sources]
    tag = f"signalbox/base-{name}:{digest([*packages, *ESSENTIAL, *CUSTOMIZE, *texts])}"
    if is_fresh or not is_there(tag):
        _bootstrap(tag, packages, sources)
    return tag


def _bootstrap(tag: str, packages: tuple[str, ...], sources: list[Path]) -> None:
    if shutil.which("mmdebstrap") is None:
        sys.exit("mmdebstrap is not here: apt-get install mmdebstrap, or name a --base by digest")
    say(f"{tag}: Debian's packages")
    hooks = [f"--essential-hook={hook}" for hook in ESSENTIAL]
    hooks += [f"--customize-hook={hook}" for hook in CUSTOMIZE]
    with tempfile.TemporaryDirectory(prefix="signalbox-base-") as folder:
        tar = Path(folder) / "base.tar"
        run(
            ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}",
             *hooks, SUITE, str(tar), *map(str, sources)],
            SOURCE_DATE_EPOCH=EPOCH,
        )  # fmt: skip
        run(["docker", "import", str(tar), tag])


def _apt_sources() -> list[Path]:
    """This machine's own sources of Debian, in either form; not those of others' repositories."""
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    names = re.compile(
        rf"\b{SUITE}(-updates|-security)?\s+main\b|^Suites:.*\b{SUITE}\b", re.MULTILINE
    )
    return [path for path in places if path.is_file() and names.search(path.read_text())]
