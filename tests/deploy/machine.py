"""Programs of Debian's that these tests need."""

import os
import shutil

import pytest


def program(name: str) -> str:
    """Where it is.

    The test is skipped where it is missing, and fails under SIGNALBOX_REQUIRE_MACHINE.
    """
    found = shutil.which(name)
    if found is None:
        missing = f"no {name} on this machine: apt-get install prometheus prometheus-alertmanager"
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {missing}")
        pytest.skip(missing)
    return found
