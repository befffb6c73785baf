"""The committed contract, the documented codes, and the headers of every answer."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient

from api.app import create_app, describe_app
from api.openapi import COMMITTED, document
from api.problems import CODES
from api.settings import read_secret
from sql.clock import DemoClock
from sql.configuration import ConfigurationError

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_openapi_document_is_not_stale():
    assert COMMITTED.read_text() == document(describe_app()), "run: python -m api.openapi"


def test_the_served_schema_is_json_and_no_page_loads_from_elsewhere(client):
    assert client.get("/schema/openapi.json").text == COMMITTED.read_text()
    assert "json" in client.get("/schema").headers["content-type"]
    for page in ("redoc", "swagger", "elements", "rapidoc"):
        assert "http" not in client.get(f"/schema/{page}").text


def test_docs_and_codes_agree():
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", (DOCS / "errors.md").read_text(), re.MULTILINE)
    assert {code: int(status) for code, status in rows} == {
        code: status for code, (status, _) in CODES.items()
    }


def test_a_request_id_is_echoed_when_it_is_harmless_and_made_otherwise(client):
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == (
        "abc-1"
    )
    made = client.get("/nowhere", headers={"X-Request-ID": "<script>"}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", made)


def test_every_answer_says_when_the_demo_clock_runs_ahead(settings, tmp_path):
    clock = tmp_path / "clock"
    DemoClock(clock).advance_to(datetime.now(UTC) + timedelta(seconds=1560))
    demo = msgspec.structs.replace(settings, environment="demo", demo_clock=str(clock))
    with TestClient(create_app(demo)) as client:
        for path in ("/healthz", "/nowhere", "/v1/signals"):
            header = client.get(path).headers["x-signalbox-demo-clock"]
            assert header in ("+1560s", "+1561s")


def test_no_answer_speaks_of_a_demo_clock_without_one(client):
    assert "x-signalbox-demo-clock" not in client.get("/healthz").headers


def test_a_demo_clock_in_production_is_refused(settings, tmp_path):
    production = msgspec.structs.replace(
        settings, environment="production", demo_clock=str(tmp_path)
    )
    with pytest.raises(ValueError, match="SIGNALBOX_DEMO_CLOCK"):
        create_app(production)


@pytest.mark.parametrize("content", [None, b"short", b" " * 40])
def test_a_short_or_missing_secret_is_refused_with_what_to_do(settings, tmp_path, content):
    path = tmp_path / "weak"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="openssl rand"):
        read_secret(msgspec.structs.replace(settings, secret_key_file=str(path)))


def test_a_method_that_an_address_lacks_is_answered_with_those_that_it_has(client):
    for path, methods in {
        "/v1/signals": "GET, OPTIONS, POST",
        "/v1/signals/ada/tide": "DELETE, GET, OPTIONS, PATCH",
        "/log/tile/0/x001/000": "GET, OPTIONS",
        "/healthz": "GET, OPTIONS",
    }.items():
        answer = client.put(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)
        assert client.options(path).headers["allow"] == methods


def test_an_unexpected_error_tells_nothing_of_itself(client, make, ada, caplog):
    make.connection.execute("alter table audit.event rename to elsewhere")
    body = {"name": "k", "scopes": ["read"]}
    answer = client.post("/v1/api-keys", json=body, headers=ada.headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "audit" not in answer.text
    assert "audit" in caplog.text
    assert answer.headers["x-request-id"] in caplog.text
