"""What backups need to know."""

from typing import Literal

import msgspec


class ArchiveSettings(msgspec.Struct, frozen=True):
    """Read from the environment; see docs/operations/configuration.md."""

    wal_archive: Literal["on", "off"] = "off"


class BackupSettings(msgspec.Struct, frozen=True):
    """Read from the environment; see docs/operations/configuration.md."""

    backup_database_url: str | None = None
    backup_database_password_file: str | None = None
