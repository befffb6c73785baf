"""The demonstration whole: real pushes, real sandboxes, Dagster's own schedule, over HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.operator import demo_check as checking

CHECKOUT = Path(__file__).parents[2]
SECONDS = 600


def processes_with(marker: str) -> list[str]:
    """Command lines of processes whose environment or arguments name `marker`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if marker.encode() in words and int(folder.name) != os.getpid():
            found.append(words.split(b"\0")[0].decode())
    return found


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("engine_choice", ["docker-forked"], indirect=True)
def test_a_stranger_with_two_commands_reads_a_live_forecast(engine, tmp_path, recorded_bars):
    marker = f"signalbox-e2e-{os.getpid()}-{engine.name}-{engine.path}"
    sandbox = {"SIGNALBOX_SANDBOX_ENGINE": engine.name, "SIGNALBOX_SANDBOX_PATH": engine.path}
    home = Path("/var/tmp") / marker  # noqa: S108 - where the sandbox' user can walk to
    result = subprocess.run(
        [sys.executable, "-c", "from signalbox.cli import main; main()",
         "demo-check", "--home", str(home)],
        cwd=tmp_path,
        env={**os.environ, **recorded_bars, **sandbox},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )  # fmt: skip
    subprocess.run(["rm", "-rf", str(home)], check=True)
    assert result.returncode == 0, result.stderr[-3000:]
    said = json.loads(result.stdout.splitlines()[-1])
    assert said["ok"] is True
    assert said["versions"] == 6
    assert said["forecasts_live"] >= 51  # another slot's too, where the hour turned meanwhile
    assert said["forecasts_replayed"] == 336 * 51
    assert said["scores"] > 14000
    assert said["sandbox"] == engine.name
    assert said["seconds"] < 300
    assert processes_with(marker) == []


@pytest.fixture
def recorded_bars():
    """Real bars where they are to be had, made-up ones elsewhere."""
    folder = CHECKOUT.parent / "shared" / "data" / "market"
    return {"SIGNALBOX_DEMO_BARS": str(folder)} if folder.is_dir() else {}


@pytest.mark.parametrize("has_home", [True, False])
def test_a_check_that_fails_leaves_only_the_folder_it_was_given(has_home, tmp_path, monkeypatch):
    opened = []
    made = []
    mkdtemp = checking.tempfile.mkdtemp

    def house(home, _say):
        opened.append(home.root)
        raise RuntimeError("no house today")

    monkeypatch.setattr(checking, "open_house", house)
    monkeypatch.setattr(
        checking.tempfile, "mkdtemp", lambda **given: made.append(mkdtemp(**given)) or made[-1]
    )
    with pytest.raises(RuntimeError, match="no house today"):
        checking.demo_check(tmp_path if has_home else None, lambda _: None)
    assert (opened == [tmp_path]) is has_home
    assert len(made) == (0 if has_home else 1)
    assert not any(Path(folder).exists() for folder in made)
