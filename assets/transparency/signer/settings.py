"""Settings of the signer's process."""

from typing import Literal

import msgspec


class SignerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read from the environment; see docs/operations/configuration.md."""

    signer_folder: str
    signer_socket: str
    log_origin: str
    environment: Literal["production", "demo", "test"] = "production"
    demo_clock: str | None = None
