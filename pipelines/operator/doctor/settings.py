"""The environment: settings that nobody reads, and those that production should not have."""

import difflib
from collections.abc import Iterator, Mapping

import msgspec

from assets.transparency.publisher.settings import PublisherSettings
from assets.transparency.signer.settings import SignerSettings
from pipelines.exporter.settings import ExporterSettings
from pipelines.operator.backup.settings import ArchiveSettings, BackupSettings
from pipelines.operator.doctor.finding import Finding, miss, ok, warn
from pipelines.operator.home import API_SETTINGS, LOG_SETTINGS, PAYMENT_SETTINGS
from pipelines.settings import WorkerSettings
from sandbox.docker_proxy.settings import ProxySettings
from sandbox.git.settings import GitSettings
from sql.configuration import PREFIX
from sql.logs import LogSettings
from sql.traces import TraceSettings

KINDS: tuple[type[msgspec.Struct], ...] = (
    WorkerSettings, GitSettings, PublisherSettings, SignerSettings, ExporterSettings,
    ArchiveSettings, BackupSettings, ProxySettings, LogSettings, TraceSettings,
)  # fmt: skip
# Read elsewhere than by a struct of the rooms that this one may import.
FURTHER = (
    "SIGNALBOX_ADMIN_DATABASE_URL", "SIGNALBOX_ADMIN_DATABASE_PASSWORD_FILE",
    "SIGNALBOX_ROLE_PASSWORDS", "SIGNALBOX_HOME", "SIGNALBOX_DEMO_BARS", "SIGNALBOX_POLICY",
    "SIGNALBOX_LOG_STATE", "SIGNALBOX_API_KEY", "SIGNALBOX_REQUIRE_MACHINE",
    "SIGNALBOX_CODE_HOST", "SIGNALBOX_CODE_PORT", "SIGNALBOX_API_HOST", "SIGNALBOX_API_PORT",
    "SIGNALBOX_SECRET_KEY_FILE", "SIGNALBOX_DATA_PUBLIC_KEY_FILE", "SIGNALBOX_GIT_URL",
    "SIGNALBOX_PASSWORD_HASHES", "SIGNALBOX_STREAMS_PER_PERSON", "SIGNALBOX_METRICS_TOKEN_FILE",
    "SIGNALBOX_WEBHOOK_TARGETS", "SIGNALBOX_DAGSTER_URL", "SIGNALBOX_DATABASE_PASSWORD_FILE",
    "SIGNALBOX_LOG_FORMAT", "SIGNALBOX_ZYGOTE_FOLDER",
)  # fmt: skip
# Setting, values that are unsafe in production, and what to do.
UNSAFE = (
    ("SIGNALBOX_ALLOW_MANUAL_PAYMENTS", {"true", "1"}, "unset it: test payments move no money"),
    ("SIGNALBOX_WEBHOOK_TARGETS", {"private"}, "set it to public: webhooks may ask inside else"),
    ("SIGNALBOX_RATE_LIMITS", {"off"}, "set it to memory, or postgres for several processes"),
    ("SIGNALBOX_OPERATORS_NEED_TOTP", {"false", "0"}, "unset it: operators need a second factor"),
    ("SIGNALBOX_CONFIRM_EMAIL", {"optional"}, "unset it: addresses must be confirmed"),
    ("SIGNALBOX_MARKET_SOURCE", {"sample", ""}, "name a source of real bars; see market-data.md"),
)


def examine_settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at what is set here; other processes have environments of their own."""
    known = known_settings()
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]}?" if near else "see docs/operations/configuration.md"
        yield warn("settings", f"{name} is set, and nobody reads it", meant)
    yield from _unsafe(environment)
    if not unknown:
        ours = sum(name.startswith(PREFIX) for name in environment)
        yield ok("settings", f"{ours} are set, each is known")


def known_settings() -> frozenset[str]:
    """Names of all settings."""
    read = {PREFIX + one.name.upper() for kind in KINDS for one in msgspec.structs.fields(kind)}
    return frozenset({*read, *API_SETTINGS, *LOG_SETTINGS, *PAYMENT_SETTINGS, *FURTHER})


def _unsafe(environment: Mapping[str, str]) -> Iterator[Finding]:
    if environment.get("SIGNALBOX_ENVIRONMENT", "production") != "production":
        yield warn(
            "environment", f"{environment['SIGNALBOX_ENVIRONMENT']}, not production",
            "unset SIGNALBOX_ENVIRONMENT where real people pay",
        )  # fmt: skip
        return
    if "SIGNALBOX_DEMO_CLOCK" in environment:
        yield miss("environment", "a demonstration's clock in production",
                   "unset SIGNALBOX_DEMO_CLOCK")  # fmt: skip
    for name, values, mend in UNSAFE:
        if (value := environment.get(name)) is not None and value.lower() in values:
            yield warn("environment", f"{name} is {value!r} in production", mend)
