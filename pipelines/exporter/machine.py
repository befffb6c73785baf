"""What stands beside the databases: disks, backups, certificates, the code server, the clock."""

import ctypes
import shutil
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509
from prometheus_client.core import GaugeMetricFamily

from pipelines.exporter.families import gauge, gauges
from pipelines.exporter.settings import ExporterSettings
from pipelines.operator.backup.manifest import read_latest

SECONDS = 3.0  # for a neighbour to answer
HTTPS_PORT = 443
CLOCK_IS_NOT_SET = 0x40  # STA_UNSYNC of adjtimex(2)
TIMEX_BYTES = 256  # more than the struct has
TIMEX_STATUS = 40  # where `status` stands in it, on 64-bit Linux


def machine(settings: ExporterSettings, now: datetime) -> Iterator[GaugeMetricFamily]:
    """By the world's clock."""
    disks = [(str(folder), shutil.disk_usage(folder)) for folder in settings.folders]
    yield gauges("disk_free_bytes", "Left for us", ("folder",), (((f,), d.free) for f, d in disks))
    yield gauges("disk_size_bytes", "Of its disk", ("folder",), (((f,), d.total) for f, d in disks))
    if settings.backups:
        age = backup_age_seconds(Path(settings.backups), now)
        yield gauge("backup_age_seconds", "Since a backup was complete; +Inf: never", age)
    yield gauge(
        "code_server_up", "1 while the code server takes connections",
        _takes_connections(settings.code_host, settings.code_port),
    )  # fmt: skip
    yield gauges(
        "certificate_expires_seconds", "Until a certificate ends; -1: nobody shows one", ("name",),
        (((named.partition("@")[0],), _left_seconds(named, now))
         for named in settings.certificates),
    )  # fmt: skip
    yield gauge("clock_is_set", "1 while the kernel's clock is kept by NTP", _clock_is_set())


def backup_age_seconds(folder: Path, now: datetime) -> float:
    """Since the newest backup that `signalbox backup` finished; infinite: there is none."""
    latest = read_latest(folder)
    return (now - latest.finished_at).total_seconds() if latest else float("inf")


def _takes_connections(host: str, port: int) -> int:
    try:
        socket.create_connection((host, port), SECONDS).close()
    except OSError:
        return 0
    return 1


def _left_seconds(named: str, now: datetime) -> float:
    """Of a certificate, whoever signed it: an expired one is what is looked for."""
    name, _, where = named.partition("@")
    host, _, port = (where or name).partition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, int(port or HTTPS_PORT)), SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            shown = connection.getpeercert(binary_form=True)
    except OSError:
        return -1
    if shown is None:
        return -1
    return (x509.load_der_x509_certificate(shown).not_valid_after_utc - now).total_seconds()


def _clock_is_set() -> int:
    """What adjtimex(2) says; asking changes nothing, and needs no right."""
    timex = ctypes.create_string_buffer(TIMEX_BYTES)
    if ctypes.CDLL(None).adjtimex(timex) < 0:
        return 0
    status = int.from_bytes(timex.raw[TIMEX_STATUS : TIMEX_STATUS + 4], "little")
    return int(not status & CLOCK_IS_NOT_SET)
