"""The base layer: Python from Debian's packages, the contract types, the harness.

Packages are downloaded by apt into folders of our own and unpacked; nothing of
theirs is run and nothing of the host is changed, so this works without root.
`signalbox image base` builds it; two builds from the same packages give the
same bytes.
"""

import io
import subprocess
import tarfile
from pathlib import Path

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
DROPPED = ("usr/lib/python3.11/ensurepip", "usr/lib/python3.11/lib2to3", "usr/lib/python3/")
CONTRACT = ("__init__.py", "forecast.py", "manifest.py", "window.py", "protocol.py", "py.typed")
APT_SECONDS = 300


def build_base(store: LayerStore) -> str:
    """Build the base layer and return its digest.

    Raises:
        BuildError: apt is absent or cannot reach its mirror; says what to do.
    """
    with store.workspace() as packages, store.workspace() as root:
        for package in _download(packages):
            _unpack(package, root)
        _merge_usr(root)
        _add_runtime(root)
        compile_python(root / "usr" / "lib" / "python3.11", inside="/usr/lib/python3.11")
        compile_python(root / "opt" / "signalbox", inside="/opt/signalbox")
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
        for member in archive:
            name = _merged_name(member.name.removeprefix("./"))
            if not name.startswith(KEPT) or name.startswith(DROPPED):
                continue
            member.name = name
            if member.islnk():
                member.linkname = _merged_name(member.linkname.removeprefix("./"))
            archive.extract(member, root, set_attrs=False)
            if member.isfile():
                (root / name).chmod(0o755 if member.mode & 0o100 else 0o644)


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
