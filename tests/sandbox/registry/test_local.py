"""`signalbox test` where the platform is installed: its own sandbox."""

import json
import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def try_here(registry, tmp_path_factory):
    """`try_here(app)`: what `signalbox test --json` says of the template with another model."""
    folder = tmp_path_factory.mktemp("here")
    environment = {
        **os.environ,
        "SIGNALBOX_IMAGE_STORE": str(registry.store.root),
        "XDG_CONFIG_HOME": str(folder),
    }

    def call(*arguments, cwd):
        command = [sys.executable, "-m", "signalbox.cli", *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )

    assert call("init", "here", cwd=folder).returncode == 0

    def run(app=None, requirements=None):
        if app:
            (folder / "here/app.py").write_text(app)
        if requirements:
            (folder / "here/requirements.txt").write_text(requirements)
        return call("test", "--json", "--hours", "48", cwd=folder / "here")

    yield run
    shutil.rmtree(folder)


def test_the_folder_runs_in_the_platforms_sandbox_and_what_it_refuses_is_refused(try_here):
    found = json.loads(try_here().stdout)
    assert (found["is_sandbox"], found["ok"]) == (True, True)
    assert len(found["forecasts"]) == 48 * 3
    said = try_here("import socket\nsocket.socket()\ndef forecast(window): ...\n")
    assert said.returncode == 1
    assert "app.py: no valid forecast: error: " in said.stderr
    assert "socket" in said.stderr
    said = try_here(requirements="nothing-of-this-name-exists==1\n")
    assert said.returncode == 1
    assert "requirements.txt: cannot be locked from wheels" in said.stderr
