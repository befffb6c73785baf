"""Make the folder of a deployment: secrets, places to write, settings.

As root, before the first `up`:

    python3 deploy/compose/prepare.py --site https://signals.example.org --tls you@example.org

Run it again after an update, or to change what it is told: what is there stays, secrets
above all; `.env`, `worker.env`, `launch.json`, `dagster.yaml` and the allow list are
written anew.

Theory of operation: every process has a user of its own, and finds its secrets in a folder
that only this user can read and that only its container mounts. The folder has the same
path on the host and in the containers, because the daemon mounts parts of it into others.
"""

import argparse
import base64
import os
import re
import secrets
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from written import (
    CHECKOUT,
    WORKER,
    Deployment,
    dagster_yaml,
    environment_file,
    launch_policy,
    worker,
)

API, GIT, DAGSTER, LOG, PROXY, EXPORTER, BACKUP, SIGNER = (
    64980, 64981, 64983, 64984, 64985, 64986, 64987, 64991,
)  # fmt: skip
POSTGRES, CADDY, PROMETHEUS, ALERTMANAGER, TINYPROXY = 64970, 64971, 64972, 64973, 64975
# Whose password each process needs; the folder of secrets has the process' name.
ROLES = {
    "api": (API, ("signalbox_api",)),
    "git": (GIT, ("signalbox_git",)),
    "worker": (WORKER, ("signalbox_worker", "signalbox_dagster")),
    "dagster": (DAGSTER, ("signalbox_dagster",)),
    "log": (LOG, ("signalbox_log",)),
    "exporter": (EXPORTER, ("signalbox_metrics",)),
    "backup": (BACKUP, ("signalbox_backup",)),
    "postgres": (POSTGRES, ("postgres",)),
}
OWNER = "signalbox_owner"
# Folder: owner, group, mode. Where two processes meet, the folder's group is passed on.
FOLDERS = {
    "images": (GIT, WORKER, 0o2770),
    "git": (GIT, BACKUP, 0o2750),
    "signer": (SIGNER, SIGNER, 0o700),
    "sockets": (0, 0, 0o755),
    "sockets/sandboxes": (PROXY, PROXY, 0o755),
    "sockets/launch": (PROXY, PROXY, 0o755),
    "sockets/signer": (SIGNER, LOG, 0o2750),
    "zygotes": (WORKER, WORKER, 0o711),
    "postgres": (POSTGRES, POSTGRES, 0o700),
    "wal": (POSTGRES, BACKUP, 0o2770),
    "restored-wal": (POSTGRES, POSTGRES, 0o700),
    "backups": (BACKUP, EXPORTER, 0o2750),
    "prometheus": (PROMETHEUS, PROMETHEUS, 0o700),
    "alertmanager": (0, 0, 0o755),
    "alertmanager/data": (ALERTMANAGER, ALERTMANAGER, 0o700),
    "dagster": (DAGSTER, DAGSTER, 0o755),
    "dagster/logs": (WORKER, DAGSTER, 0o2750),
    "dagster/storage": (WORKER, DAGSTER, 0o2770),
    "caddy": (CADDY, CADDY, 0o700),
    "certificates": (0, CADDY, 0o750),
    "egress": (0, TINYPROXY, 0o750),
    "clock": (0, 0, 0o755),
}
# Their contents are the backup's after a restore, and have to be handed on.
RESTORED = ("git", "images")
# Dagster's grid begins so long before the installation: room for replays, chosen once.
PARTITIONS_BEFORE = timedelta(days=30)
# An Ed25519 key in PKCS 8 is this and 32 random bytes.
ED25519 = bytes.fromhex("302e020100300506032b657004220420")
ALERTS = CHECKOUT / "deploy" / "alertmanager" / "alertmanager.yml"
DEBIAN = re.compile(r"\bbookworm\s+main\b|^Suites:.*\bbookworm\b", re.MULTILINE)


def main() -> int:
    """Prepare; prints what comes next."""
    if os.geteuid() != 0:
        sys.exit("prepare.py gives files to the users of the processes: run it as root")
    given = _arguments()
    folder: Path = given.folder.resolve()
    make_folders(folder)
    make_secrets(folder)
    deployment = _deployment(given, folder)
    for name, text in {
        ".env": environment_file(deployment),
        "worker.env": "".join(f"{name}={value}\n" for name, value in worker(deployment).items()),
        "dagster/dagster.yaml": dagster_yaml(deployment),
        "launch.json": launch_policy(deployment),
        "egress/allowed": "".join(f"^{re.escape(host)}$\n" for host in deployment.allowed),
    }.items():
        _write(folder / name, text, 0, 0, 0o644)
    make_data_keys(deployment)
    # Who is told of what is the operator's to write there.
    _kept(folder / "alertmanager/alertmanager.yml", ALERTS.read_text())
    print(f"prepared {folder}; now:\n  docker compose --env-file {folder}/.env up --detach --wait")
    return 0


def make_folders(folder: Path) -> None:
    """Every place that something is written to, owned by who writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for name, (owner, group, mode) in FOLDERS.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        if name in RESTORED and place.stat().st_uid != owner:
            for path in place.rglob("*"):
                os.chown(path, owner, group, follow_symlinks=False)
        os.chown(place, owner, group)
        place.chmod(mode)


def make_secrets(folder: Path) -> None:
    """Passwords and keys that are missing; never another where there is one."""
    roles = folder / "secrets" / "roles"
    _folder_of(roles, POSTGRES)
    names = {role for _, needed in ROLES.values() for role in needed} - {"postgres"}
    for role in sorted({OWNER, *names}):
        _secret(roles / role, secrets.token_urlsafe(32), POSTGRES)
    for process, (uid, needed) in ROLES.items():
        place = folder / "secrets" / process
        _folder_of(place, uid)
        for role in needed:
            kept = roles / role
            text = kept.read_text() if kept.exists() else secrets.token_urlsafe(32)
            _secret(place / role, text, uid)
    _secret(folder / "secrets/api/api.key", secrets.token_urlsafe(48), API)
    _secret(folder / "secrets/git/provenance.key", _signing_key(), GIT)
    _share_token(folder)


def _share_token(folder: Path) -> None:
    """The token by which Prometheus reads what processes say of themselves."""
    _folder_of(folder / "secrets/prometheus", PROMETHEUS)
    kept = folder / "secrets/prometheus/metrics.token"
    _secret(kept, secrets.token_urlsafe(32), PROMETHEUS)
    for process in ("api", "git", "log", "exporter"):
        _secret(folder / "secrets" / process / "metrics.token", kept.read_text(), ROLES[process][0])
    _folder_of(folder / "secrets/alertmanager", ALERTMANAGER)
    for name in ("alert-mail-password", "alert-webhook-token"):
        _secret(folder / "secrets/alertmanager" / name, "", ALERTMANAGER)


def make_data_keys(deployment: Deployment) -> None:
    """The key pairs that data-source keys are sealed to, and for the API their public half."""
    place = deployment.folder / "secrets" / "worker"
    public = deployment.folder / "secrets" / "api" / "data.keys.pub"
    if not (place / "data.keys").exists():
        make = "import sys, pathlib, sql.envelope as e; e.KeyRing.make(pathlib.Path(sys.argv[1]))"
        place.chmod(0o700)
        subprocess.run(
            ["docker", "run", "--rm", "--network", "none", "--user", f"{WORKER}:{WORKER}",
             "--volume", f"{place}:{place}", f"signalbox/platform:{deployment.version}",
             "python", "-c", make, str(place / "data.keys")],
            check=True,
        )  # fmt: skip
        place.chmod(0o500)
    if not public.exists():
        _secret(public, (place / "data.keys.pub").read_text(), API)


def _deployment(given: argparse.Namespace, folder: Path) -> Deployment:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    host = re.sub(r"^https://|[:/].*$", "", given.site)
    earliest = datetime.now(UTC) - PARTITIONS_BEFORE
    return Deployment(
        folder=folder,
        project=given.project,
        site=given.site,
        tls=given.tls,
        http_port=given.http_port,
        https_port=given.https_port,
        subnet=given.subnet,
        market_source=given.market_source,
        environment=given.environment,
        allowed=tuple(dict.fromkeys([*given.allow, *package_hosts()])),
        authorities=given.authorities and given.authorities.resolve(),
        version=project["version"],
        # Both are chosen once: a log's name is for one history, and a grid keeps its beginning.
        log_origin=_kept(folder / "log-origin", f"{host}/{secrets.token_hex(4)}"),
        first_partition=_kept(folder / "first-partition", f"{earliest:%Y-%m-%d}"),
    )


def package_hosts() -> list[str]:
    """Where this machine takes packages from: Debian's for the base layer, and uv's index."""
    places = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    texts = [path.read_text() for path in places if path.is_file()]
    debian = "".join(text for text in texts if DEBIAN.search(text))
    hosts = re.findall(r"^(?:URIs:|deb(?: \[[^]]*\])?) +https?://([^/\s:]+)", debian, re.MULTILINE)
    uv = shutil.which("uv", path=f"{CHECKOUT}/.venv/bin:{os.environ['PATH']}")
    for shown in ("--emit-index-url", "--format=pylock.toml") if uv is not None else ():
        asked = subprocess.run(
            [str(uv), "pip", "compile", "--quiet", "-", "--no-header", shown],
            input="six", capture_output=True, text=True, check=False, cwd="/",
            env={**os.environ, "UV_SYSTEM_CERTS": "1"},
        )  # fmt: skip
        hosts += re.findall(r"https://([^/\":]+)", asked.stdout)
    return sorted(set(hosts))


def _signing_key() -> str:
    body = base64.b64encode(ED25519 + secrets.token_bytes(32)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"


def _folder_of(place: Path, uid: int) -> None:
    place.mkdir(parents=True, exist_ok=True)
    place.parent.chmod(0o711)
    os.chown(place, uid, uid)
    place.chmod(0o500)


def _secret(place: Path, text: str, uid: int) -> None:
    if not place.exists():
        _write(place, text, uid, uid, 0o400)


def _kept(place: Path, text: str) -> str:
    if not place.exists():
        _write(place, text, 0, 0, 0o644)
    return place.read_text()


def _write(place: Path, text: str, uid: int, gid: int, mode: int) -> None:
    """Never through a wider mode, and in one step."""
    new = place.with_name(f".{place.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
        file.write(text)
    new.replace(place)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=Path("/srv/signalbox"))
    parser.add_argument("--site", required=True, help="https://signals.example.org")
    parser.add_argument("--tls", required=True, metavar="EMAIL|internal|'CERTIFICATE KEY'",
                        help="an address for automatic certificates; `internal`: an authority of "
                        "your own; or two files below certificates/")  # fmt: skip
    parser.add_argument("--project", default="signalbox", help="name of containers and networks")
    parser.add_argument("--http-port", type=int, default=80)
    parser.add_argument("--https-port", type=int, default=443)
    parser.add_argument("--subnet", default="10.213.231.0/24",
                        help="of the internal network; not one that Docker hands out")  # fmt: skip
    parser.add_argument("--market-source", default="sample", help="see market-data.md")
    parser.add_argument("--allow", action="append", default=[], metavar="HOST",
                        help="what git and workers may reach, besides this machine's own sources "
                        "of packages; once for each")  # fmt: skip
    parser.add_argument("--authorities", type=Path, metavar="PEM",
                        help="whom to believe on the way out, where that is special")  # fmt: skip
    parser.add_argument("--environment", choices=["production", "demo"], default="production")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
