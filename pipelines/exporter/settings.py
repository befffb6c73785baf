"""Settings of the exporter's process."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class ExporterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read from the environment; see docs/operations/configuration.md."""

    database_url: str
    dagster_database: str = "dagster"
    environment: Literal["production", "demo", "test"] = "production"
    demo_clock: str | None = None
    exporter_host: str = "127.0.0.1"
    exporter_port: int = 8710
    exporter_keep_seconds: Annotated[int, Meta(ge=0, le=300)] = 5
    metrics_token_file: str | None = None
    watched_folders: str = ""
    watched_certificates: str = ""
    backups: str | None = None
    code_host: str = "127.0.0.1"
    code_port: int = 8703

    @property
    def folders(self) -> tuple[Path, ...]:
        """Whose disk is looked at."""
        return tuple(Path(one.strip()) for one in self.watched_folders.split(",") if one.strip())

    @property
    def certificates(self) -> tuple[str, ...]:
        """`name` or `name@host:port`: asked for by its name, there."""
        return tuple(one.strip() for one in self.watched_certificates.split(",") if one.strip())
