"""Who may read a process' figures: whoever shows the token of a file that Prometheus has, too."""

import hmac
from pathlib import Path

from sql.configuration import ConfigurationError

TOKEN_BYTES_AT_LEAST = 16


class MetricsToken:
    """Guards `GET /metrics`; without a token it is closed in production, open elsewhere."""

    def __init__(self, file: str | None, environment: str) -> None:
        """Read the token.

        Args:
            file: of SIGNALBOX_METRICS_TOKEN_FILE; None: there is none.
            environment: `production`, `demo` or `test`.

        Raises:
            ConfigurationError: the file is absent or its token too short.
        """
        self._token = _token(Path(file)) if file else None
        self._is_open = self._token is None and environment != "production"

    def admits(self, authorization: str) -> bool:
        """Whether a header shows the token."""
        if self._token is None:
            return self._is_open
        return hmac.compare_digest(authorization.encode(), b"Bearer " + self._token)


def _token(path: Path) -> bytes:
    token = path.read_bytes().strip() if path.is_file() else b""
    if len(token) < TOKEN_BYTES_AT_LEAST:
        raise ConfigurationError(
            f"SIGNALBOX_METRICS_TOKEN_FILE: {path} is absent or shorter than"
            f" {TOKEN_BYTES_AT_LEAST} bytes; make one: openssl rand -hex 32 > {path}"
        )
    return token
