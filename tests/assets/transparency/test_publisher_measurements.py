"""The publisher tells Prometheus what keeps it from its work."""

import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.processes import free_port
from sql.roles import LOG
from tests.assets.transparency.processes import PUBLISHER, SIGNER, Running
from tests.waiting import until

PAGE = Path(__file__).parents[3] / "docs" / "operations" / "metrics.md"
TOKEN = "0123456789abcdef"


@pytest.fixture
def log(database, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    running = Running(database, tmp_path)
    running.environment |= {
        "SIGNALBOX_LOG_METRICS_PORT": str(free_port()),
        "SIGNALBOX_METRICS_TOKEN_FILE": str(tmp_path / "token"),
    }
    yield running
    for module in list(running.processes):
        running.end(module)


def read(log):
    """What it says; nothing while it does not answer."""
    url = f"http://127.0.0.1:{log.environment['SIGNALBOX_LOG_METRICS_PORT']}/metrics"
    try:
        answer = httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"})
    except httpx.TransportError:
        return {}
    assert answer.status_code == 200
    return {
        sample.labels.get("fault", sample.name): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name.startswith("signalbox_log")
    }


def test_an_absent_signer_and_one_that_refuses_are_told_apart(log):
    log.start(PUBLISHER, LOG)
    until(lambda: read(log).get("signer") == 1)
    log.start(SIGNER)
    until(lambda: read(log).get("signalbox_log_checkpoints_total", 0) >= 1)
    until(lambda: read(log)["signer"] == 0)
    # Its state is lost: it signs nothing more until somebody tells it what it signed.
    log.end(SIGNER)
    (log.folder / "state").unlink()
    log.start(SIGNER)
    until(lambda: read(log)["refused"] == 1)
    named = set(re.findall(r"`(signalbox_log_(?:fault|checkpoints)\w*)`", PAGE.read_text()))
    assert named == {"signalbox_log_fault", "signalbox_log_checkpoints_total"}
