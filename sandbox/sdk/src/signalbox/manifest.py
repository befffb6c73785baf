"""`signal.toml`: what a signal says about itself, parsed strictly.

Every error names the field and the bound it broke, because the pusher sees
nothing else of it.
"""

import itertools
import re
import tomllib
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$")]
Symbol = Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9._-]{0,31}$")]
Horizon = Annotated[int, Meta(ge=1, le=168)]
Level = Annotated[float, Meta(gt=0.0, lt=1.0)]

MAX_PRICE = Decimal("99999.99")
# Sizes of an encoded answer, see signalbox.protocol: keys and numbers of a row, one quantile.
MAX_ANSWER_BYTES = 64 * 1024
BYTES_PER_ROW = 74
BYTES_PER_QUANTILE = 18


class ManifestError(ValueError):
    """`signal.toml` breaks a rule; says which field, and how to mend it."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"signal.toml: {field}: {problem}")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class SignalTable(_Table, frozen=True):
    name: Name
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    description: Annotated[str, Meta(max_length=4000)] = ""


class ForecastTable(_Table, frozen=True):
    symbols: Annotated[tuple[Symbol, ...], Meta(min_length=1, max_length=500)]
    horizons_hours: Annotated[tuple[Horizon, ...], Meta(min_length=1, max_length=168)]
    lookback_hours: Annotated[int, Meta(ge=1, le=10_000)]
    target: Literal["return", "price"] = "return"
    quantiles: Annotated[tuple[Level, ...], Meta(max_length=99)] = ()


class RuntimeTable(_Table, frozen=True):
    # Which of them a platform has, it says when a version is pushed.
    python: Annotated[str, Meta(pattern=r"^3\.[0-9]{1,2}$")] = "3.11"
    timeout_seconds: Annotated[int, Meta(ge=1, le=60)] = 20
    memory_mb: Annotated[int, Meta(ge=64, le=4096)] = 512


class OfferTable(_Table, frozen=True):
    price: str
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "EUR"
    trial_days: Annotated[int, Meta(ge=0, le=30)] = 0
    reveal_after_hours: Annotated[int, Meta(ge=1, le=8760)] = 168

    @property
    def amount_minor(self) -> int:
        """The monthly price in minor units (cents)."""
        return int(Decimal(self.price) * 100)


class Manifest(_Table, frozen=True):
    """A parsed and checked `signal.toml`."""

    signal: SignalTable
    forecast: ForecastTable
    runtime: RuntimeTable
    offer: OfferTable


def parse_manifest(text: str) -> Manifest:
    """Parse `signal.toml`.

    Raises:
        ManifestError: naming the field and the bound.

    >>> parse_manifest("")
    Traceback (most recent call last):
    ...
    signalbox.manifest.ManifestError: signal.toml: (top): missing required field `signal`
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError("(file)", f"not valid TOML: {error}") from None
    tables.setdefault("runtime", {})
    try:
        manifest = msgspec.convert(tables, Manifest, strict=True)
    except msgspec.ValidationError as error:
        raise _named(error) from None
    _check_unique("forecast.symbols", manifest.forecast.symbols)
    _check_unique("forecast.horizons_hours", manifest.forecast.horizons_hours)
    _check_increasing("forecast.quantiles", manifest.forecast.quantiles)
    _check_answer_size(manifest.forecast)
    _check_price(manifest.offer.price)
    return manifest


def _named(error: msgspec.ValidationError) -> ManifestError:
    problem, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").lstrip(".") or "(top)"
    lowered = re.sub(r"^Object ", "", problem)
    return ManifestError(field, lowered[:1].lower() + lowered[1:])


def _check_unique(field: str, values: tuple[object, ...]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise ManifestError(field, f"{value!r} stands twice; name it once")
        seen.add(value)


def _check_increasing(field: str, levels: tuple[float, ...]) -> None:
    for left, right in itertools.pairwise(levels):
        if right <= left:
            raise ManifestError(field, f"levels must rise strictly, but {right} follows {left}")


def _check_answer_size(forecast: ForecastTable) -> None:
    """One answer carries every symbol and horizon in a single frame."""
    quantiles = BYTES_PER_QUANTILE * len(forecast.quantiles)
    per_horizon = sum(BYTES_PER_ROW + len(symbol) + quantiles for symbol in forecast.symbols)
    if (size := per_horizon * len(forecast.horizons_hours)) > MAX_ANSWER_BYTES:
        raise ManifestError(
            "forecast",
            f"{len(forecast.symbols)} symbols x {len(forecast.horizons_hours)} horizons x"
            f" {len(forecast.quantiles)} quantiles are {size} bytes, but one answer carries"
            f" {MAX_ANSWER_BYTES}; forecast fewer, or split the signal",
        )


def _check_price(price: str) -> None:
    field = "offer.price"
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{2})?", price):
        raise ManifestError(field, f'{price!r} is not an amount such as "29.00"')
    try:
        amount = Decimal(price)
    except InvalidOperation:  # pragma: no cover - the pattern above excludes it
        raise ManifestError(field, f"{price!r} is not a decimal number") from None
    if amount > MAX_PRICE:
        raise ManifestError(field, f"{price} is above the bound of {MAX_PRICE}")
