"""The forecast a model answers with."""

import msgspec


class Forecast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number, and optionally its distribution, for one symbol and horizon.

    Attributes:
        symbol: a symbol of the manifest.
        horizon_hours: whole hours after the slot, one of the manifest's.
        point: for target `return` the log return of close over the horizon,
            for target `price` the close at the horizon.
        quantiles: level in (0, 1) to value, in the unit of `point`. Exactly
            the manifest's levels, values non-decreasing with the level.
        probability_up: P(close rises over the horizon), in [0, 1].

    >>> Forecast("EURUSD", horizon_hours=1, point=0.0002, quantiles={0.1: -0.001, 0.9: 0.001})
    ... # doctest: +ELLIPSIS
    Forecast(symbol='EURUSD', horizon_hours=1, point=0.0002, ...)
    """

    symbol: str
    horizon_hours: int
    point: float
    quantiles: dict[float, float] | None = None
    probability_up: float | None = None
