"""The whole suite in two lanes, one for each of two cores.

The first begins with the tests that kill: they take whatever sandbox of ours they find
on the machine. Beside them run tests that need no sandbox; once the killing is over,
the second lane goes on with tests that have sandboxes of their own.
"""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

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
    "tests/end_to_end",
    "tests/sandbox/git",
    "tests/soak",
)
NO_TESTS = 5  # pytest's own exit code: none was chosen


def main() -> int:
    """Run all with the arguments given; 0 if all passed. The second lane is told at the end."""
    killed = threading.Event()
    codes: list[int] = []
    with tempfile.TemporaryFile("w+") as told:

        def run(*paths: str, output: object = None) -> None:
            command = [sys.executable, "-m", "pytest", *sys.argv[1:], *paths]
            done = subprocess.run(command, cwd=CHECKOUT, stdout=output, stderr=output, check=False)
            codes.append(done.returncode)

        def second_lane() -> None:
            run(*WITHOUT_SANDBOXES, output=told)
            killed.wait()
            run(*BESIDE, output=told)

        lane = threading.Thread(target=second_lane)
        lane.start()
        try:
            run(*KILLING)
        finally:
            killed.set()
        ignored = (*KILLING, *WITHOUT_SANDBOXES, *BESIDE)
        run(*(word for path in ignored for word in ("--ignore", path)))
        lane.join()
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
