"""What the models themselves need: all of them in one warm process, over the same windows.

`python -m benchmarks.tick_floor SLOT COUNT` prints seconds; the locks' libraries must
be on PYTHONPATH.
"""

import itertools
import sys
import time
from datetime import UTC, datetime

import polars as pl

from benchmarks.tick_models import EXAMPLES, KINDS, windows
from sandbox.harness.loop import load
from signalbox import Window


def main() -> None:
    """Run every model once."""
    slot = datetime.fromisoformat(sys.argv[1]).astimezone(UTC)
    models = {kind: load(EXAMPLES / kind) for kind in KINDS}
    bars = windows(slot)

    def run(kind: str) -> None:
        window = Window(as_of=slot, bars=bars[kind], seed=1, historical=_refused)
        models[kind](window)

    for kind in KINDS:
        run(kind)
    began = time.perf_counter()
    for kind in itertools.islice(itertools.cycle(KINDS), int(sys.argv[2])):
        run(kind)
    print(time.perf_counter() - began)


def _refused(symbol: str, start: datetime, end: datetime) -> pl.DataFrame:
    raise LookupError(f"{symbol} from {start} to {end}: these models read their windows only")


if __name__ == "__main__":
    main()
