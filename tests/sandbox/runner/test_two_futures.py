"""Models that peek: what is not revealed yet cannot be looked at."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import msgspec
import polars as pl
import pytest

from sandbox.runner.engine import Engine
from sandbox.runner.image import Image
from sandbox.runner.run import Feed, replay, run_cold
from signalbox import Manifest

VERSION = "mallory/oracle v1.0.0"
SLOTS, PARTING = 8, 4

# How each gets its number from all the bars it can see; `close` is a polars series.
PEEKS = {
    "shift by minus one": "(close.shift(-1) - close).sum()",
    "shift by minus one over all history": "(asked.shift(-1) - asked).sum()",
    "centred window": "close.rolling_mean(5, center=True, min_samples=1)[-1]",
    "normalisation by the whole frame": "((close - close.mean()) / close.std())[-1]",
    "maximum of the whole frame": "close.max() - close.mean()",
    "interpolation backwards": "close.fill_null(strategy='backward')[-1]",
    "a reversed frame": "close.reverse()[0]",
    "what was kept of earlier slots": "kept.append(close[-1]) or max(kept)",
}
MODEL = """
from datetime import timedelta
from signalbox import Forecast
kept = []

def forecast(window):
    answer = []
    for symbol in window.symbols:
        close = window.bars(symbol)["close"]
        asked = window.historical(symbol, window.as_of - timedelta(hours=50), window.as_of)["close"]
        x = float({peek}) * 1e-9
        answer += [Forecast(symbol, h, x, {{0.1: x - 1, 0.5: x, 0.9: x + 1}}) for h in (1, 4)]
    return answer
"""


@pytest.mark.parametrize("peek", PEEKS)
def test_a_model_that_peeks_answers_as_if_the_future_were_another(
    engine: Engine,
    throwaway_image: Callable[[dict[str, str]], Image],
    manifest: Manifest,
    feed: Callable[..., Feed],
    peek: str,
) -> None:
    """Two futures that part at one hour: up to it every answer is the same, byte for byte."""
    image = throwaway_image({"app.py": MODEL.format(peek=PEEKS[peek])})
    parting = feed(PARTING).as_of

    def answers(factor: float) -> list[bytes]:
        feeds = (_parted(feed(hours), parting, factor) for hours in range(SLOTS))
        results = list(replay(engine, image, manifest, VERSION, feeds))
        assert [result.missed for result in results] == [None] * SLOTS, results[0].log
        return [msgspec.msgpack.encode(result.rows) for result in results]

    one, other = answers(1.0), answers(10.0)
    assert one[: PARTING + 1] == other[: PARTING + 1]
    # The test can fail: from there on the models do see another market.
    assert one[PARTING + 1 :] != other[PARTING + 1 :]
    cold = run_cold(engine, image, manifest, VERSION, _parted(feed(0), parting, 10.0))
    assert msgspec.msgpack.encode(cold.rows) == one[0]


def _parted(given: Feed, parting: datetime, factor: float) -> Feed:
    """The same slot in a market whose prices are multiplied from `parting` on."""

    def changed(table: bytes) -> bytes:
        frame = pl.read_ipc_stream(io.BytesIO(table))
        is_later = pl.col("ts_open") >= parting
        prices = pl.col("close") * pl.when(is_later).then(factor).otherwise(1.0)
        buffer = io.BytesIO()
        frame.with_columns(close=prices).write_ipc_stream(buffer)
        return buffer.getvalue()

    return replace(
        given,
        tables={symbol: changed(table) for symbol, table in given.tables.items()},
        historical=lambda *asked: changed(given.historical(*asked)),
    )
