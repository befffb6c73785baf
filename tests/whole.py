"""The whole suite in three lanes, for two cores: much of it waits for what it started.

The first begins with the tests that kill: they take whatever sandbox of ours they find
on the machine. Beside them run tests that need no sandbox; once the killing is over,
the other lanes go on with tests that have sandboxes of their own.
"""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TextIO

CHECKOUT = Path(__file__).parents[1]
KILLING = ("tests/chaos", "tests/pipelines/test_reaper.py")
WITHOUT_SANDBOXES = (
    "tests/api",
    "tests/assets/market_data",
    "tests/assets/scores",
    "tests/ledger",
    "tests/log",
    "tests/sql",
)
BESIDE = (
    "tests/sandbox/git",
    "tests/docs",
)
TOOLS = (
    "tests/deploy",
    "tests/subscriber_ui",
)
WAITING = (
    "tests/end_to_end",
    "tests/soak",
)
# Not in one process with a browser, whose event loop keeps others from having one.
AFTERWARDS = ("tests/pipelines",)
NO_TESTS = 5  # pytest's own exit code: none was chosen


def main() -> int:
    """Run all with the arguments given; 0 if all passed. The first lane is told as it goes."""
    killed = threading.Event()
    codes: list[int] = []
    ignored = tuple(f"--ignore={path}" for path in KILLING)

    def run(*words: str, output: TextIO | None = None) -> None:
        command = [sys.executable, "-m", "pytest", *sys.argv[1:], *words]
        done = subprocess.run(command, cwd=CHECKOUT, stdout=output, stderr=output, check=False)
        codes.append(done.returncode)

    def lane(told: TextIO, before: tuple[str, ...], *after: tuple[str, ...]) -> None:
        run(*before, output=told)
        killed.wait()
        for some in after:
            run(*ignored, *some, output=told)

    with tempfile.TemporaryFile("w+") as second, tempfile.TemporaryFile("w+") as third:
        lanes = [
            threading.Thread(target=lane, args=(second, WITHOUT_SANDBOXES, BESIDE)),
            threading.Thread(target=lane, args=(third, TOOLS, WAITING, AFTERWARDS)),
        ]
        for one in lanes:
            one.start()
        try:
            run(*KILLING)
        finally:
            killed.set()
        others = (*WITHOUT_SANDBOXES, *BESIDE, *TOOLS, *WAITING, *AFTERWARDS)
        run(*ignored, *(f"--ignore={path}" for path in others))
        for one in lanes:
            one.join()
        for told in (second, third):
            told.seek(0)
            sys.stdout.write(told.read())
    return verdict(*codes)


def verdict(*codes: int) -> int:
    """0 if tests ran and all passed. A process that was killed has a negative code."""
    ran = [code for code in codes if code != NO_TESTS]
    if not ran:
        return NO_TESTS
    return int(any(ran))


if __name__ == "__main__":
    sys.exit(main())
