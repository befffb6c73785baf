"""`python3.11 -s -P -B -m harness`, in the directory that holds `app.py`.

`--zygote <descriptor or path>` makes it a zygote on that control socket.
"""

import os
import sys
from pathlib import Path

from .streams import Streams, flush_log


def main() -> None:
    if sys.argv[1:2] == ["--zygote"]:
        from .zygote import main as fork_runs  # noqa: PLC0415 - no part of an ordinary run

        fork_runs(sys.argv[2])
        return
    # Before polars and the model are imported: either may print.
    streams = Streams.take_over()
    from .loop import serve  # noqa: PLC0415

    serve(streams, Path.cwd())
    flush_log()
    # Neither a thread that stays nor an atexit handler of the model's keeps the process.
    os._exit(0)


if __name__ == "__main__":
    main()
