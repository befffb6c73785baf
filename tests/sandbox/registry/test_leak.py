"""Peeking and chance are seen at publication, and gain nothing in lockstep (ABUSE 22 and 23)."""

import pytest

from sandbox.registry.errors import SmokeError
from sandbox.registry.examined import sandboxes
from sandbox.registry.smoke import smoke, stored, told
from sandbox.runner.embedded_engine import EmbeddedEngine
from sandbox.runner.errors import SandboxUnavailableError
from signalbox import parse_manifest
from signalbox.testing import made_up_past
from signalbox.testing.examine import sampled_hours

LABEL = "eve/peeker@v1.0.0"
LOOKBACK = 48
MANIFEST = parse_manifest(f"""
[signal]
name = "peeker"
title = "Peeker"
[forecast]
symbols = ["EURUSD", "GBPUSD"]
horizons_hours = [1, 4]
quantiles = [0.1, 0.9]
lookback_hours = {LOOKBACK}
[offer]
price = "29.00"
""")
# A signal column per bar, then `forecast` as its last row and `forecast_history` as all of it.
VECTORISED = """
import numpy as np
import polars as pl
from signalbox import Forecast

def column(frame):
    close = frame["close"]
    returns = close.log().diff()
    return {expression}

def table(window):
    frames = []
    for symbol in window.symbols:
        frame = window.bars(symbol)
        point = column(frame).fill_null(0.0).fill_nan(0.0)
        for hours in (1, 4):
            frames.append(pl.DataFrame({{
                "as_of": frame["ts_open"].dt.offset_by("1h"), "symbol": symbol,
                "horizon_hours": hours, "point": point * hours,
                "q0.1": point - 1, "q0.9": point + 1,
            }}, schema_overrides={{"horizon_hours": pl.Int64}}))
    return pl.concat(frames)

def forecast(window):
    last = table(window).filter(pl.col("as_of") == window.as_of)
    return [Forecast(row["symbol"], row["horizon_hours"], row["point"],
                     {{0.1: row["q0.1"], 0.9: row["q0.9"]}}) for row in last.to_dicts()]
"""
HISTORY = """
def forecast_history(window):
    return table(window)
"""
HONEST = "returns.rolling_mean(24)"
# What the column is, the cause that is told, and how many hours ahead it looks.
PEEKERS = {
    "shift": ("returns.shift(-1)", "looks_ahead", 1),
    "a shift by a day": ("returns.shift(-24)", "looks_ahead", 24),
    "centred window": ("returns.rolling_mean(25, center=True, min_samples=1)", "looks_ahead", 12),
    "whole-frame normalisation": (
        "(close - close.mean()) / close.std() / 100",
        "whole_history",
        None,
    ),
}


@pytest.fixture(scope="module")
def engine():
    try:
        return EmbeddedEngine()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def examined(engine, throwaway_image):
    def run(app):
        return smoke(engine, throwaway_image({"app.py": app}), MANIFEST, LABEL)

    return run


def vectorised(expression, history=HISTORY):
    return VECTORISED.format(expression=expression) + history


@pytest.mark.parametrize("peeker", PEEKERS)
def test_a_model_that_peeks_is_told_which_rows_differ_and_how_far_ahead_it_looks(examined, peeker):
    expression, cause, ahead = PEEKERS[peeker]
    seen = examined(vectorised(expression))
    report = seen.leak
    assert (report.verdict, report.cause, report.hours_ahead) == ("differs", cause, ahead)
    assert report.hours_compared == 24
    assert 15 <= report.hours_differing <= 24
    first = report.differences[0]
    assert (first.symbol, first.horizon_hours, first.column) == ("EURUSD", 1, "point")
    assert first.forecast != first.forecast_history
    assert first.as_of == sampled_hours(made_up_past(["EURUSD"]).end, 1000)[0]
    text = "\n".join(told(seen, "embedded"))
    assert f"first: {first.as_of:%Y-%m-%d %H:%M} UTC EURUSD 1 h point: forecast " in text
    assert "likely cause: " in text


def test_a_peeker_in_lockstep_answers_as_the_honest_model_that_is_given_the_past_alone(
    engine, throwaway_image
):
    """`shift(-1)` has nothing to show for the last hour it knows: what is left is the fill."""
    honest = vectorised(HONEST, "")
    peeking = vectorised(f"pl.concat([returns.shift(-1)[:-1], ({HONEST})[-1:]])", "")
    past = made_up_past(MANIFEST.forecast.symbols)
    answers = []
    for app in (honest, peeking):
        with sandboxes(engine, throwaway_image({"app.py": app}), MANIFEST, LABEL)() as process:
            hours = sampled_hours(past.end, 1000)[::2]
            answers.append([process.forecast(past.given(hour, LOOKBACK)) for hour in hours])
    assert answers[0] == answers[1]


def test_an_honest_history_differs_in_no_hour(examined):
    seen = examined(vectorised(HONEST))
    assert (seen.leak.verdict, seen.leak.hours_compared) == ("same", 24)
    assert (seen.deterministic, seen.carries_state) == (True, False)
    assert list(told(seen, "embedded"))[1] == (
        "leak        24 hours compared, none differs (made-up bars)"
    )


def test_more_past_than_the_look_back_is_not_called_a_leak(examined):
    seen = examined(vectorised(f"returns.rolling_mean({LOOKBACK + 24}, min_samples=1)"))
    assert (seen.leak.verdict, seen.leak.cause) == ("differs", "longer_past")
    assert seen.leak.explanation.startswith("not the future:")


def test_a_model_without_a_history_is_never_called_clean(examined):
    seen = examined(vectorised("returns.shift(-1)", ""))
    assert seen.leak.verdict == "not_comparable"
    assert list(told(seen, "embedded")) == [
        "sandbox     answered validly twice under embedded",
        "leak        not comparable: no forecast_history",
    ]
    assert stored(seen)["reason"] == "no forecast_history"


ANSWERS = """
import random, os
from signalbox import Forecast
def answer(point):
    return [Forecast(s, h, point, {0.1: -1.0, 0.9: 1.0})
            for s in ("EURUSD", "GBPUSD") for h in (1, 4)]
"""


@pytest.mark.parametrize(
    "chance", ["random.random()", "os.urandom(1)[0] / 1e3", "id([]) % 997 / 1e3"]
)
def test_a_different_answer_to_the_same_hour_is_told_as_not_deterministic(examined, chance):
    app = f"{ANSWERS}\nimport time\ndef forecast(window):\n    return answer({chance})\n"
    seen = examined(app)
    if chance.startswith("id") and seen.deterministic:
        pytest.skip("addresses do not vary here")
    assert not seen.deterministic
    assert seen.carries_state is None
    assert "NOT deterministic: two runs of one hour differ" in next(told(seen, "embedded"))


def test_state_carried_from_hour_to_hour_is_told(examined):
    seen = examined(
        f"{ANSWERS}\nseen = []\ndef forecast(window):\n"
        "    seen.append(1)\n    return answer(len(seen) / 1e3)\n"
    )
    assert (seen.deterministic, seen.carries_state) == (True, True)
    assert any(line.startswith("state       answers differ") for line in told(seen, "embedded"))


def test_window_random_is_deterministic(examined):
    seen = examined(
        f"{ANSWERS}\ndef forecast(window):\n    return answer(float(window.random.normal()) / 10)\n"
    )
    assert (seen.deterministic, seen.carries_state) == (True, False)


WRONG_HISTORIES = {
    "1 / 0": "error: ZeroDivisionError",
    "os._exit(0)": "exit: ended with status 0",
    "exec('raise ValueError(chr(0))')": "error: ValueError: \ufffd",
}


@pytest.mark.parametrize("wrong", WRONG_HISTORIES)
def test_a_history_that_fails_is_not_comparable_and_refuses_nothing(examined, wrong):
    seen = examined(
        f"{ANSWERS}\ndef forecast(window):\n    return answer(0.0)\n"
        f"def forecast_history(window):\n    return {wrong}\n"
    )
    assert seen.leak.verdict == "not_comparable"
    assert seen.leak.reason.startswith(f"forecast_history: {WRONG_HISTORIES[wrong]}")


def test_pairs_are_compared_as_frames_are(examined):
    pairs = """
def forecast_history(window):
    return ((row["as_of"], Forecast(row["symbol"], row["horizon_hours"], row["point"],
             {0.1: row["q0.1"], 0.9: row["q0.9"]})) for row in table(window).to_dicts())
"""
    assert examined(vectorised(HONEST, pairs)).leak.verdict == "same"


def test_a_model_that_raises_is_refused_with_the_end_of_its_log(examined):
    app = "def forecast(window):\n    print('before')\n    raise ValueError('no idea')\n"
    with pytest.raises(SmokeError, match=r"error: ValueError: no idea\nbefore\nTraceback"):
        examined(app)
