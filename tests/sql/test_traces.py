"""Spans reach a collector that speaks OTLP, and cost nothing where there is none."""

import os
import subprocess
import sys
import uuid
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from api.settings import ApiSettings
from assets.forecasts.slot import SlotRuns
from assets.transparency.publisher.process import Publisher
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from sandbox.git.measurements import Measurements
from sandbox.git.pushes import Pushes
from sandbox.git.report import Report
from sandbox.git.settings import GitSettings
from sandbox.git.turns import Turns
from sql import logs, traces
from sql.roles import API, LOG
from tests.api.server import serving
from tests.conftest import SLOT
from tests.waiting import until

CHECKOUT = Path(__file__).parents[2]
APP = """
from signalbox import Forecast

def forecast(window):
    return [Forecast("BTCUSDT", horizon_hours=1, point=0.0)]
"""


class Collector(ThreadingHTTPServer):
    """Decodes what it is sent; spans by service."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Sender)
        self.spans = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def named(self, name):
        return [span for span in self.spans if span["name"] == name]


class _Sender(BaseHTTPRequestHandler):
    def do_POST(self):
        assert self.path == "/v1/traces"
        request = ExportTraceServiceRequest()
        request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        for of_resource in request.resource_spans:
            service = _values(of_resource.resource.attributes)["service.name"]
            for scope in of_resource.scope_spans:
                for span in scope.spans:
                    self.server.spans.append(
                        {"service": service, "name": span.name, "trace": span.trace_id.hex(),
                         "id": span.span_id.hex(), "parent": span.parent_span_id.hex(),
                         "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                         **_values(span.attributes)}
                    )  # fmt: skip
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def _values(attributes):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@pytest.fixture
def collector():
    with Collector() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def traced(collector, monkeypatch):
    """This process sends its spans, until the test is over."""
    monkeypatch.setenv("SIGNALBOX_OTLP_ENDPOINT", collector.url)
    before = list(logs._more)
    traces.begin("test")
    yield collector
    traces._on["provider"].shutdown()
    traces._on.clear()
    logs._more[:] = before


def test_off_nothing_of_opentelemetry_is_imported():
    asked = (
        "import sys, api.app, sandbox.git.server, assets.transparency.publisher.process,"
        " assets.forecasts.slot; from sql import traces; traces.begin('x');"
        " print([one for one in sys.modules if one.startswith('opentelemetry')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=CHECKOUT, env={"PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_off_a_span_is_one_object_that_does_nothing():
    assert traces.span("a", x=1) is traces.span("b")
    with traces.span("a") as span, traces.of_run("no uuid at all"):
        span.set(y=2)


def test_a_request_is_a_span_with_its_route_status_and_id(collector, database, tmp_path):
    (tmp_path / "secret").write_bytes(b"s" * 32)
    settings = ApiSettings(
        database_url=database.url(API).render_as_string(hide_password=False),
        secret_key_file=str(tmp_path / "secret"),
        environment="test",
    )
    more = {"SIGNALBOX_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with serving(settings, **more) as url:
        httpx.get(f"{url}/v1/signals/ada/nothing", headers={"X-Request-ID": "r-1"})
        [span] = until(lambda: [s for s in collector.spans if s.get("request_id") == "r-1"])
    assert span["service"] == "signalbox-api"
    assert span["name"] == "GET request"
    assert span["http.route"] == "/v1/signals/{provider}/{name}"
    assert span["http.response.status_code"] == 404
    assert "ada" not in str(span)


def test_a_slot_is_one_trace_whose_id_is_the_runs(traced, house):
    version = house.publish("tide", APP)
    house.now[0] = SLOT + timedelta(minutes=3)
    run_id = str(uuid.uuid4())
    with closing(SlotRuns(house.installation)) as runs:
        list(runs.results([version.id], [version], SLOT, run_id))
    traces.flush()
    [slot] = traced.named("slot")
    assert slot["trace"] == run_id.replace("-", "")
    for name in ("pin", "sandbox", "record"):
        [span] = traced.named(name)
        assert (span["trace"], span["parent"]) == (slot["trace"], slot["id"])
    assert traced.named("sandbox")[0]["version"] == "ada/tide@v1.0.0"
    assert traced.named("sandbox")[0]["seconds"] > 0


def test_the_steps_of_a_push_are_parts_of_it(traced, tmp_path):
    settings = GitSettings(
        database_url="", repositories=str(tmp_path), image_store="", environment="test"
    )
    with Measurements(settings, Pushes(), Turns(1)).push() as (_, descriptor):
        report = Report(descriptor)
        with report.step("wait"):
            pass
        report.ended("declined")
    traces.flush()
    [push], [wait] = traced.named("push"), traced.named("wait")
    assert push["outcome"] == "declined"
    assert wait["parent"] == push["id"]


def test_a_publication_of_the_log_is_a_span(traced, database, tmp_path):
    folder = SignerFolder(tmp_path)
    folder.prepare("example.org/log")
    publisher = Publisher(
        lambda: None, Signer(folder, lambda: SLOT), None, lambda: SLOT, timedelta(minutes=10)
    )
    with database.connect(LOG) as connection:
        publisher.step(connection)
    traces.flush()
    [published] = traced.named("publish")
    assert published["size"] == 0


def test_a_line_of_the_log_names_the_trace_that_it_is_part_of(traced):
    form = logs.Json("x")
    record = logs.logging.LogRecord("a", 20, "f", 1, "m", (), None)
    assert "trace_id" not in form.format(record)
    with traces.span("one"):
        line = form.format(record)
    traces.flush()
    assert traced.named("one")[0]["trace"] in line
