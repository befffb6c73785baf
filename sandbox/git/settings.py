"""What the git process needs to know."""

from pathlib import Path

import msgspec

from sandbox.runner.engine import EngineChoice


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

    @property
    def root(self) -> Path:
        return Path(self.repositories)
