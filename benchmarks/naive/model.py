"""Inside the container: import the libraries, read the bars, run the model, print."""

import importlib.util
import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd  # noqa: F401 - as the model of a common image would
import polars as pl
import psycopg
import sklearn.linear_model  # noqa: F401

from signalbox import Window, parse_manifest
from signalbox.window import COLUMNS, Cells

BARS = """
select distinct on (ts_open) ts_open, open, high, low, close, volume
from market.bar b join market.instrument i on i.id = b.instrument_id
where i.symbol = %s and ts_open >= %s and ts_close <= %s
order by ts_open, available_at desc
"""
SOURCE = Path("/srv/signal")


def main(model: str) -> None:
    slot = datetime.fromisoformat(os.environ["SLOT"])
    forecast = parse_manifest((SOURCE / model / "signal.toml").read_text()).forecast
    start = slot - timedelta(hours=forecast.lookback_hours)
    with psycopg.connect(os.environ["DATABASE"]) as connection:
        frames = {
            symbol: pl.DataFrame(
                connection.execute(BARS, [symbol, start, slot]).fetchall(), COLUMNS, orient="row"
            )
            for symbol in forecast.symbols
        }
    bars = {symbol: cells(frame) for symbol, frame in frames.items()}
    window = Window(as_of=slot, bars=bars, seed=1, historical=no_history)
    rows = loaded(SOURCE / model / "app.py").forecast(window)
    print(json.dumps([[row.symbol, row.horizon_hours, row.point] for row in rows]))


def cells(frame: pl.DataFrame) -> Cells:
    opened = frame["ts_open"].to_physical().to_numpy()
    values = (frame[name].cast(pl.Float64).to_numpy().view(np.int64) for name in COLUMNS[1:])
    return np.array([opened, *values])


def no_history(symbol: str, start: datetime, end: datetime) -> pl.DataFrame:
    raise LookupError(f"{symbol} from {start} to {end}: these models read their window only")


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(sys.argv[1])
