"""Commit to a forecast without showing it.

Forecasts are paid for, so a leaf holds their commitment; whoever is given salt
and payload can check that the leaf spoke of exactly them. The salt hides what
could be guessed, the fixed prefix and lengths keep two inputs from meaning the
same bytes.
"""

import hashlib
from datetime import datetime

from signalbox.forecast import Forecast
from signalbox.leaf import canonical

PREFIX = b"fc-commit/v1\0"
SALT_BYTES = 32


def payload_of(rows: tuple[Forecast, ...]) -> bytes:
    """Forecasts as canonical JSON, in the order of the manifest."""
    return canonical(
        [
            {
                "symbol": row.symbol,
                "horizon_hours": row.horizon_hours,
                "point": row.point,
                "quantiles": sorted(row.quantiles.items()) if row.quantiles else None,
                "probability_up": row.probability_up,
            }
            for row in rows
        ]
    )


def commit(signal: str, slot: datetime, salt: bytes, payload: bytes) -> bytes:
    """`SHA256(prefix || salt || len16(signal) || signal || slot64 || payload)`.

    Args:
        signal: `provider/name`.
        slot: UTC; its seconds since 1970 are committed to.
        salt: 32 random bytes.
        payload: from `payload_of`.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
    name = signal.encode()
    seconds = int(slot.timestamp()).to_bytes(8, "big")
    return hashlib.sha256(
        PREFIX + salt + len(name).to_bytes(2, "big") + name + seconds + payload
    ).digest()
