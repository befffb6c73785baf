"""The command line: what it says when it is used wrongly, and beside a running installation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def signalbox(*arguments, **environment):
    given = {k: v for k, v in os.environ.items() if not k.startswith("SIGNALBOX_")}
    return subprocess.run(
        [sys.executable, "-c", "from signalbox.cli import main; main()", *arguments],
        env={**given, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["seasonal-naive", "momentum-quantiles", "ridge-lags"])
def test_the_examples_pass_their_check(name):
    said = signalbox("check", str(EXAMPLES / name))
    assert said.returncode == 0
    assert said.stdout.startswith(f"{name}: 3 symbols")


def test_a_wrong_manifest_is_refused_naming_field_and_bound(tmp_path):
    text = (EXAMPLES / "ridge-lags" / "signal.toml").read_text()
    (tmp_path / "signal.toml").write_text(text.replace("trial_days = 7", "trial_days = 31"))
    (tmp_path / "app.py").write_text("")
    said = signalbox("check", str(tmp_path))
    assert said.returncode == 1
    assert "offer.trial_days" in said.stderr
    assert "<= 30" in said.stderr


def test_a_folder_without_a_model_is_told_what_is_missing(tmp_path):
    said = signalbox("check", str(tmp_path))
    assert said.returncode == 1
    assert "signal.toml is missing" in said.stderr


def test_a_command_beside_no_installation_says_how_to_start_one(tmp_path):
    said = signalbox("tick", "--home", str(tmp_path))
    assert said.returncode == 1
    assert "start it with signalbox up" in said.stderr


def test_a_wrong_command_ends_with_two():
    assert signalbox("nonsense").returncode == 2


def test_the_doctor_answers_in_json():
    said = signalbox("doctor", "--quick", "--json")
    subjects = {finding["subject"] for finding in json.loads(said.stdout)["findings"]}
    assert {"git", "sandbox docker", "sandbox embedded", "sandbox"} <= subjects


def test_a_demo_clock_in_production_is_refused(tmp_path):
    said = signalbox(
        "tick",
        SIGNALBOX_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none",
        SIGNALBOX_IMAGE_STORE=str(tmp_path),
        SIGNALBOX_DEMO_CLOCK=str(tmp_path / "clock"),
    )
    assert said.returncode == 1
    assert "SIGNALBOX_DEMO_CLOCK is set in a production environment" in said.stderr
