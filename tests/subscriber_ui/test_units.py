"""The web interface's own tests, by Vitest, and the budget of what a reader first loads."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "subscriber_ui"
DIST = FOLDER / "dist"
FIRST_LOAD_BYTES = 300_000  # gzip, of script


def test_the_interfaces_own_tests_pass():
    done = subprocess.run(
        [sys.executable, str(FOLDER / "build.py"), "run", "test"],
        capture_output=True, text=True, check=False, timeout=600,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    assert "passed" in done.stdout


def test_the_catalogue_loads_within_its_budget():
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text())
    wanted = {"index.html", "src/catalogue/CataloguePage.tsx"}
    loaded: set[str] = set()
    while wanted:
        entry = manifest[wanted.pop()]
        if entry["file"] not in loaded:
            loaded.add(entry["file"])
            wanted |= set(entry.get("imports", []))
    scripts = [DIST / name for name in loaded if name.endswith(".js")]
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in scripts}
    assert sum(sizes.values()) < FIRST_LOAD_BYTES, sizes
    assert not any("chart" in name.lower() for name in sizes), "charts load when they are needed"
