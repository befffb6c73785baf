"""INIT, READY, then a FORECAST or an ERROR per SLOT, until END; PAST and RECALL likewise."""

import contextlib
import importlib.util
import io
import numbers
import operator
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from signalbox import Forecast, RefusedReadError, Window
from signalbox.protocol import (
    MAX_TO_HOST_BYTES,
    PROTOCOL_VERSION,
    Answer,
    Historical,
    History,
    Init,
    Kind,
    ModelError,
    ProtocolError,
    Ready,
    Recall,
    Refused,
    Slot,
)

from .bars import Bars
from .history import Answers, AnswersOf
from .streams import Streams

Model = Callable[[Window], object]

_SLOT = msgspec.msgpack.Decoder(Slot)
_ENCODER = msgspec.msgpack.Encoder()

TYPE_CHARACTERS = 200
MESSAGE_CHARACTERS = 2_000
TRACEBACK_CHARACTERS = 10_000  # at most 4 bytes each: all three fit into one frame


class WrongAnswerError(TypeError):
    """`forecast` returned something else than a list of Forecast."""


def serve(streams: Streams, source: Path) -> None:
    """Answer the host until it says END."""
    init = msgspec.msgpack.decode(streams.expect(Kind.INIT, 0), type=Init)
    if init.protocol != PROTOCOL_VERSION:
        raise ProtocolError(f"the host speaks protocol {init.protocol}, not {PROTOCOL_VERSION}")
    try:
        model = load(source)
    except BaseException as error:  # noqa: BLE001 - SystemExit of a model is an answer too
        streams.send(Kind.ERROR, 0, _error(error))
        return
    history = getattr(sys.modules["app"], "forecast_history", None)
    ready = Ready(PROTOCOL_VERSION, history=callable(history))
    streams.send(Kind.READY, 0, msgspec.msgpack.encode(ready))
    levels = init.manifest.forecast.quantiles
    held: dict[str, Bars] = {}
    answers: Answers = {}
    while True:
        kind, seq, payload = streams.receive()
        if kind is Kind.END:
            return
        if kind is Kind.SLOT:
            window = _window(streams, _SLOT.decode(payload), seq, held)
            _reply(streams, Kind.FORECAST, seq, lambda: _answer(model(window)))  # noqa: B023
        elif kind is Kind.PAST and callable(history):
            window = _window(streams, _SLOT.decode(payload), seq, {})
            look_back = AnswersOf(history, levels, answers)
            _reply(streams, Kind.HISTORY, seq, lambda: _history(look_back(window)))  # noqa: B023
        elif kind is Kind.RECALL:
            as_of = msgspec.msgpack.decode(payload, type=Recall).as_of
            _reply(streams, Kind.FORECAST, seq, lambda: _answer(answers.get(as_of, [])))  # noqa: B023
        else:
            raise ProtocolError(f"{kind.name} where SLOT or END belongs")


def _reply(streams: Streams, kind: Kind, seq: int, compute: Callable[[], bytes]) -> None:
    try:
        answer = compute()
    except BaseException as error:  # noqa: BLE001 - whatever a model raises is its answer
        streams.send(Kind.ERROR, seq, _error(error))
    else:
        streams.send(kind, seq, answer)


def load(source: Path) -> Model:
    """`forecast` of `app.py` in `source`; its other modules can be imported by name.

    Raises:
        ImportError: there is no `app.py`, or no `forecast` in it.
    """
    path = source / "app.py"
    # Last, so that a file of the provider's shadows neither the library nor the harness.
    sys.path.append(str(source))
    spec = importlib.util.spec_from_file_location("app", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ImportError("there is no app.py; it must define forecast(window)")
    module = importlib.util.module_from_spec(spec)
    sys.modules["app"] = module
    spec.loader.exec_module(module)
    model = getattr(module, "forecast", None)
    if not callable(model):
        raise ImportError("app.py defines no forecast(window)")  # noqa: TRY004 - about the file
    return model  # type: ignore[no-any-return]


def rehearse() -> None:
    """Whatever of a session needs neither a host nor a model, once, without polars."""
    as_of = datetime(2000, 1, 1, tzinfo=UTC)
    slot = Slot(as_of=as_of, symbols=(), seed=0)
    msgspec.msgpack.decode(msgspec.msgpack.encode(slot), type=Slot)
    with contextlib.suppress(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode({}), type=Init)
    msgspec.msgpack.encode(Ready(PROTOCOL_VERSION))
    window = Window(as_of=as_of, bars={}, seed=0, historical=_nothing)
    window.random.normal()
    _answer([Forecast("", 1, 0.0, {0.5: 0.0}, 0.5)])
    exec(compile("import numpy", "app.py", "exec"), {})  # noqa: S102 - our own text


def _nothing(symbol: str, start: datetime, end: datetime) -> pl.DataFrame:
    raise LookupError(symbol, start, end)


def _window(streams: Streams, slot: Slot, seq: int, held: dict[str, Bars]) -> Window:
    for symbol in slot.symbols:
        _take_bars(streams, seq, symbol, held)
    bars = {symbol: held[symbol].cells for symbol in slot.symbols}

    def historical(symbol: str, start: datetime, end: datetime) -> pl.DataFrame:
        asked = Historical(symbol=symbol, start=start, end=end)
        streams.send(Kind.HISTORICAL, seq, msgspec.msgpack.encode(asked))
        kind, got_seq, payload = streams.receive()
        if kind is Kind.REFUSED and got_seq == seq:
            raise RefusedReadError(msgspec.msgpack.decode(payload, type=Refused).reason)
        if kind is not Kind.ROWS or got_seq != seq:
            raise ProtocolError(f"{kind.name} of step {got_seq} where ROWS belongs")
        return pl.read_ipc_stream(io.BytesIO(payload))

    return Window(as_of=slot.as_of, bars=bars, seed=slot.seed, historical=historical)


def _take_bars(streams: Streams, seq: int, symbol: str, held: dict[str, Bars]) -> None:
    kind, got_seq, payload = streams.receive()
    if got_seq == seq and kind is Kind.CHANGE and symbol in held:
        held[symbol].change(payload)
    elif got_seq == seq and kind is Kind.TABLE:
        held[symbol] = Bars.of_table(payload)
    else:
        raise ProtocolError(f"{kind.name} of step {got_seq} where bars of {symbol} belong")


def _history(hours: int) -> bytes:
    return _ENCODER.encode(History(hours))


def _answer(returned: object) -> bytes:
    if not isinstance(returned, list | tuple):
        raise WrongAnswerError(
            f"forecast returned {type(returned).__name__}, not a list of Forecast"
        )
    payload = _ENCODER.encode(Answer(tuple([_plain(row) for row in returned])))
    if len(payload) > MAX_TO_HOST_BYTES:
        raise WrongAnswerError(
            f"the answer takes {len(payload)} bytes, over the limit of {MAX_TO_HOST_BYTES}; "
            "declare fewer symbols, horizons or quantiles"
        )
    return payload


def _plain(row: object) -> Forecast:
    """The row with numpy's numbers as Python's."""
    if not isinstance(row, Forecast):
        raise WrongAnswerError(f"forecast returned a list with {type(row).__name__} in it")
    if _is_plain(row):
        return row
    quantiles, up = row.quantiles, row.probability_up
    return Forecast(
        symbol=str(row.symbol),
        horizon_hours=operator.index(row.horizon_hours),
        point=_number(row.point),
        quantiles=None
        if quantiles is None
        else {_number(level): _number(value) for level, value in quantiles.items()},
        probability_up=None if up is None else _number(up),
    )


def _is_plain(row: Forecast) -> bool:
    quantiles = row.quantiles
    if quantiles is not None:
        if type(quantiles) is not dict:
            return False
        for level, value in quantiles.items():
            if type(level) is not float or type(value) is not float:
                return False
    return (
        type(row.symbol) is str
        and type(row.horizon_hours) is int
        and type(row.point) is float
        and (row.probability_up is None or type(row.probability_up) is float)
    )


def _number(value: Any) -> float:
    if not isinstance(value, numbers.Real):
        raise WrongAnswerError(f"{type(value).__name__} where a number belongs")
    return float(value)


def _error(error: BaseException) -> bytes:
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - a model's exception may fail in any way
        message = "(its message could not be read)"
    told = ModelError(
        type=_text(type(error).__name__)[:TYPE_CHARACTERS],
        message=_text(message)[:MESSAGE_CHARACTERS],
        traceback=_text("".join(_trace(error)))[-TRACEBACK_CHARACTERS:],
    )
    return msgspec.msgpack.encode(told)


def _trace(error: BaseException) -> list[str]:
    try:
        return traceback.format_exception(error)
    except Exception:  # noqa: BLE001 - as above
        return ["(its traceback could not be read)\n"]


def _text(text: str) -> str:
    return text.encode(errors="replace").decode()
