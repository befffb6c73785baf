"""`python -m api` as an operator starts it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from benchmarks.processes import free_port

ROOT = Path(__file__).parents[2]


def healthy(url):
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def environment(settings):
    return {
        "PATH": os.environ["PATH"],
        "SIGNALBOX_DATABASE_URL": settings.database_url,
        "SIGNALBOX_SECRET_KEY_FILE": settings.secret_key_file,
        "SIGNALBOX_ENVIRONMENT": "test",
        "SIGNALBOX_API_PORT": str(free_port()),
    }


def test_the_process_serves_and_stops_when_told(environment):
    url = f"http://127.0.0.1:{environment['SIGNALBOX_API_PORT']}"
    process = subprocess.Popen([sys.executable, "-m", "api"], cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 30
        while not healthy(url):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert httpx.get(f"{url}/v1/signals").json() == {"items": [], "next": None}
        assert httpx.get(f"{url}/v1/signals?q=%FF&%FF=1").status_code < 500
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()


def test_a_missing_setting_is_named(environment):
    del environment["SIGNALBOX_SECRET_KEY_FILE"]
    done = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "SIGNALBOX_SECRET_KEY_FILE is not set" in done.stderr
