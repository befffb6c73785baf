"""What the git process needs to know."""

import os
from pathlib import Path
from typing import Annotated

import msgspec

from sandbox.registry.provenance import Signer, read_signer
from sandbox.runner.engine import EngineChoice
from sql.configuration import ConfigurationError


class GitSettings(msgspec.Struct, frozen=True):
    """Read from the environment; see docs/operations/configuration.md."""

    database_url: str
    repositories: str
    image_store: str
    environment: str = "production"
    demo_clock: str | None = None
    sandbox_engine: EngineChoice = "auto"
    sandbox_runtime: str | None = None
    git_host: str = "127.0.0.1"
    git_port: int = 8701
    api_url: str = "http://127.0.0.1:8700"
    provenance_key_file: str | None = None
    metrics_token_file: str | None = None
    scan_required: bool = False
    push_builds: Annotated[int, msgspec.Meta(ge=1)] = os.cpu_count() or 1
    push_minutes: Annotated[int, msgspec.Meta(ge=1, le=50)] = 50
    push_body_seconds: Annotated[int, msgspec.Meta(ge=1)] = 300
    push_idle_seconds: Annotated[int, msgspec.Meta(ge=1)] = 30
    push_nonce_seconds: Annotated[int, msgspec.Meta(ge=1)] = 120
    push_sweep_seconds: Annotated[int, msgspec.Meta(ge=1)] = 300

    @property
    def root(self) -> Path:
        return Path(self.repositories)


def signer_of(settings: GitSettings) -> Signer | None:
    """Who signs the provenance of versions; None where no key is named.

    Raises:
        ConfigurationError: the key is unusable, or production names none.
    """
    if settings.provenance_key_file is not None:
        return read_signer(Path(settings.provenance_key_file), settings.api_url)
    if settings.environment == "production":
        raise ConfigurationError(
            "SIGNALBOX_PROVENANCE_KEY_FILE: in production every version's provenance is signed;"
            " make a key: openssl genpkey -algorithm ed25519 -out FILE && chmod 600 FILE"
        )
    return None
