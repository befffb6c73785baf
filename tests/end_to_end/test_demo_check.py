"""The demonstration whole: real pushes, real sandboxes, Dagster's own schedule, over HTTP."""

from pathlib import Path

import pytest

from pipelines.operator import demo_check as checking


def test_a_stranger_with_two_commands_reads_a_live_forecast(demonstration, engine):
    said = demonstration.said
    assert said["ok"] is True, said["problems"]
    assert said["versions"] == 6
    assert said["forecasts_live"] >= 51  # another slot's too, where the hour turned meanwhile
    assert said["forecasts_replayed"] == 336 * 51
    assert said["scores"] > 14000
    assert said["sandbox"] == engine.name
    assert said["seconds"] < 300


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
