"""A number that is believed only with what stands beside it."""

import msgspec


class Measure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One measure over one period.

    Attributes:
        value: in the unit its definition names; None where it cannot be computed.
        reason: why it is None; None where there is a value.
        count: what it was computed over: forecasts, slots or hours, as its definition says.
        low: lower end of the bootstrap interval, at the level its definition names.
        high: upper end.
    """

    value: float | None = None
    reason: str | None = None
    count: int = 0
    low: float | None = None
    high: float | None = None
