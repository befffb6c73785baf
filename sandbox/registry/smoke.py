"""The smoke forecast: does the model answer at all, before anyone depends on it?

It runs in the sandbox, cold, over a made-up but plausible series, twice: two
answers to one question that differ are reported as nondeterministic.
"""

import hashlib
import io
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from sandbox.registry.errors import SmokeError
from sandbox.runner.engine import Engine
from sandbox.runner.image import Image
from sandbox.runner.run import Feed, SlotResult, run_cold
from signalbox import Manifest, RefusedReadError

AS_OF = datetime(2026, 1, 5, 12, tzinfo=UTC)
LOG_LINES = 12


def smoke(engine: Engine, image: Image, manifest: Manifest, label: str) -> bool:
    """Run the model twice on the same made-up hour; True when both answers are equal.

    Raises:
        SmokeError: it gave no valid forecast; carries the end of its log.
    """
    first = _answer(engine, image, manifest, label)
    second = _answer(engine, image, manifest, label)
    return first.rows == second.rows


def made_up_feed(manifest: Manifest) -> Feed:
    """The hour `AS_OF` of a market that never was, for all that the manifest names."""
    hours = manifest.forecast.lookback_hours
    tables = {symbol: _ipc(_series(symbol, hours)) for symbol in manifest.forecast.symbols}
    return Feed(as_of=AS_OF, tables=tables, historical=_made_up)


def _answer(engine: Engine, image: Image, manifest: Manifest, label: str) -> SlotResult:
    result = run_cold(engine, image, manifest, label, made_up_feed(manifest))
    if result.missed is not None:
        tail = "\n".join(result.log.splitlines()[-LOG_LINES:])
        raise SmokeError(f"app.py: no valid forecast in the sandbox: {result.missed}\n{tail}")
    return result


def _series(symbol: str, hours: int) -> pl.DataFrame:
    seed = int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:8])
    generator = np.random.Generator(np.random.PCG64(seed))
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.002, hours)))
    before = np.concatenate([[100.0], close[:-1]])
    opened = AS_OF - timedelta(hours=hours)
    return pl.DataFrame(
        {
            "ts_open": pl.datetime_range(
                opened, AS_OF, "1h", closed="left", time_unit="us", time_zone="UTC", eager=True
            ),
            "open": before,
            "high": np.maximum(before, close) * 1.0005,
            "low": np.minimum(before, close) * 0.9995,
            "close": close,
            "volume": generator.uniform(1, 100, hours),
        }
    )


def _made_up(symbol: str, start: datetime, end: datetime) -> bytes:
    if end > AS_OF:
        raise RefusedReadError(f"bars up to {end} are past the cut-off {AS_OF}")
    frame = _series(symbol, 10_000)
    return _ipc(frame.filter((pl.col("ts_open") >= start) & (pl.col("ts_open") < end)))


def _ipc(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.rechunk().write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())
    return buffer.getvalue()
