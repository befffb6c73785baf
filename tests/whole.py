"""The whole suite in two processes: what needs no sandbox runs beside what does.

Tests of sandboxes look at the whole machine (what is left, what may be killed), so
there is one process of them. The others take one of the two cores meanwhile.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
WITHOUT_SANDBOXES = (
    "tests/api",
    "tests/assets/market_data",
    "tests/assets/scores",
    "tests/log",
    "tests/sql",
)
NO_TESTS = 5  # pytest's own exit code: none was chosen


def main() -> int:
    """Run both with the arguments given; 0 if both passed."""
    pytest = [sys.executable, "-m", "pytest", *sys.argv[1:]]
    rest = [word for folder in WITHOUT_SANDBOXES for word in ("--ignore", folder)]
    with tempfile.TemporaryFile("w+") as told:
        beside = subprocess.Popen(
            [*pytest, *WITHOUT_SANDBOXES], cwd=CHECKOUT, stdout=told, stderr=subprocess.STDOUT
        )
        try:
            first = subprocess.run([*pytest, *rest], cwd=CHECKOUT, check=False).returncode
            second = beside.wait()
        finally:
            beside.terminate()
        told.seek(0)
        sys.stdout.write(told.read())
    return verdict(first, second)


def verdict(*codes: int) -> int:
    """0 if tests ran and all passed. A process that was killed has a negative code."""
    ran = [code for code in codes if code != NO_TESTS]
    if not ran:
        return NO_TESTS
    return int(any(ran))


if __name__ == "__main__":
    sys.exit(main())
