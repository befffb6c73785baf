"""`python -m api` as a process, for tests of what only a real server shows."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.processes import free_port

ROOT = Path(__file__).parents[2]


@contextmanager
def serving(settings, **more: str) -> Iterator[str]:
    """The URL of a server over the database of `settings`; `more` are settings of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "SIGNALBOX_DATABASE_URL": settings.database_url,
        "SIGNALBOX_SECRET_KEY_FILE": settings.secret_key_file,
        "SIGNALBOX_ENVIRONMENT": "test",
        "SIGNALBOX_API_PORT": str(port),
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "api"], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not _is_ready(url):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False
