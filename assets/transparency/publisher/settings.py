"""Settings of the publisher's process."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.transparency.anchors import Authority, read_roots
from signalbox.log.errors import PolicyError
from signalbox.log.policy import Policy, parse_policy
from sql.configuration import ConfigurationError


class PublisherSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read from the environment; see docs/operations/configuration.md."""

    database_url: str
    signer_socket: str
    log_policy: str | None = None
    log_tsa_url: str | None = None
    log_tsa_roots: str | None = None
    log_refresh_minutes: Annotated[int, Meta(ge=1, le=1440)] = 10
    log_metrics_host: str = "127.0.0.1"
    log_metrics_port: int | None = None
    metrics_token_file: str | None = None
    environment: Literal["production", "demo", "test"] = "production"
    demo_clock: str | None = None

    def policy(self) -> Policy | None:
        """The policy of the file; None: the log's own word.

        Raises:
            ConfigurationError: the file is absent or malformed.
        """
        if not self.log_policy:
            return None
        try:
            return parse_policy(Path(self.log_policy).read_text())
        except (OSError, PolicyError) as error:
            raise ConfigurationError(f"SIGNALBOX_LOG_POLICY: {error}") from error

    def authority(self) -> Authority | None:
        """Who stamps checkpoints; None: nobody.

        Raises:
            ConfigurationError: an address without certificates to believe.
        """
        if not self.log_tsa_url:
            return None
        if not self.log_tsa_roots:
            raise ConfigurationError(
                "SIGNALBOX_LOG_TSA_ROOTS is not set: name a PEM file of the certificates that"
                " SIGNALBOX_LOG_TSA_URL is believed by"
            )
        try:
            return Authority(self.log_tsa_url, read_roots(Path(self.log_tsa_roots)))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"SIGNALBOX_LOG_TSA_ROOTS: {error}") from error
