"""What this machine and this installation have, what they lack, and how to mend it.

One file for each subject; each yields findings. Nothing is changed, and nothing outside is asked
but addresses that were named.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from pipelines.operator.doctor.certificates import examine_certificates
from pipelines.operator.doctor.database import examine_database
from pipelines.operator.doctor.finding import Finding, lines, warn
from pipelines.operator.doctor.folders import examine_backups, examine_disks, examine_modes
from pipelines.operator.doctor.host import examine_host
from pipelines.operator.doctor.kernel import examine_kernel
from pipelines.operator.doctor.sandboxes import (
    Probed,
    examine_sandboxes,
    probe_all,
    report,
    some_store,
)
from pipelines.operator.doctor.settings import examine_settings
from pipelines.operator.doctor.transparency import examine_log, examine_signer
from pipelines.operator.doctor.versions import examine_versions
from pipelines.operator.home import Home
from pipelines.resources import installation_of
from pipelines.settings import WorkerSettings
from sql.configuration import ConfigurationError, read_settings
from sql.roles import conninfo

__all__ = ["Asked", "Finding", "Probed", "examine", "is_well", "lines", "probe_all", "report",
           "some_store"]  # fmt: skip


class Asked(msgspec.Struct, frozen=True):
    """What the operator named besides.

    Attributes:
        tls_urls: whose certificates are looked at.
        certificates: PEM files.
        time_url: whose `Date` the clock is held against.
    """

    tls_urls: tuple[str, ...] = ()
    certificates: tuple[Path, ...] = ()
    time_url: str | None = None


def examine(
    home: Home, environment: Mapping[str, str], now: datetime, asked: Asked
) -> Iterator[Finding]:
    """Look at everything but the escapes, which take a while."""
    yield from examine_host(asked.time_url)
    yield from examine_kernel()
    yield from examine_versions()
    yield from examine_sandboxes()
    yield from examine_disks(home)
    yield from examine_modes(home, dict(environment))
    yield from examine_settings(environment)
    yield from examine_certificates(asked.tls_urls, asked.certificates, now)
    yield from _installation(home, environment, now)


def is_well(findings: Iterable[Finding], probed: Iterable[Probed]) -> bool:
    """Nothing needed is missing, and nothing leaked."""
    return all(each.state != "miss" for each in findings) and not any(
        each.leaked for each in probed
    )


def _installation(home: Home, environment: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    """Database, backups, signer and log, of the environment or else of the folder."""
    worker = dict(environment)
    try:
        if "SIGNALBOX_DATABASE_URL" in environment:
            info = conninfo(environment["SIGNALBOX_DATABASE_URL"])
        else:
            info = conninfo(home.owner_url(home.admin()))
            worker |= home.kept_environment()
    except (RuntimeError, OSError) as error:
        yield warn("installation", str(error), "then ask again: database and log were not seen")
        return
    yield from examine_database(info)
    yield examine_backups(home.root / "backups", now)
    socket = Path(environment.get("SIGNALBOX_SIGNER_SOCKET", home.signer_socket))
    if socket.exists() or home.signer.is_dir():
        yield from examine_signer(socket)
    try:
        yield from examine_log(installation_of(read_settings(WorkerSettings, worker)))
    except (ConfigurationError, ValueError) as error:
        yield warn("log", f"not looked at: {error}", "call it with a run worker's settings")
