"""Whatever is sent, the answer is a problem document below 500."""

import uuid

import msgspec
import pytest
from litestar.testing import TestClient

from api.app import create_app

REGISTER = {"email": "eve@example.org", "password": "twelve letters", "handle": "eve"}
HUGE = 10**40

BODIES = [
    b"",
    b"{",
    b"nonsense",
    b"[]",
    b"null",
    b"5",
    b'"text"',
    b"\xff\xfe",
    b'{"email": "\\ud800@x.org", "password": "twelve letters", "handle": "eve"}',
    b'{"email": "a\\u0000@x.org", "password": "twelve letters", "handle": "eve"}',
    b'{"a":' * 5000,
    b"[" * 100_000,
]

FIELDS = [
    {"role": "operator"},
    {"owner_id": str(uuid.uuid4())},
    {"id": str(uuid.uuid4())},
    {"email": "no address"},
    {"email": "eve@example.org\n"},
    {"email": HUGE},
    {"email": "a" * 300 + "@x.org"},
    {"password": "short"},
    {"password": "x" * 2000},
    {"password": None},
    {"handle": "Eve"},
    {"handle": "eve\n"},
    {"handle": "../etc"},
    {"handle": "x\0y"},
]


def is_problem(answer, status=None):
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(problem)
    assert problem["status"] == answer.status_code
    return status is None or answer.status_code == status


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize("path", ["/v1/auth/register", "/v1/subscriptions", "/v1/api-keys"])
def test_a_broken_body_is_refused(client, bob, path, body):
    headers = {"Content-Type": "application/json", **bob.headers}
    assert is_problem(client.post(path, content=body, headers=headers))


@pytest.mark.parametrize("change", FIELDS, ids=repr)
def test_a_wrong_or_unknown_field_is_400_and_named(client, change):
    answer = client.post("/v1/auth/register", json=REGISTER | change)
    assert is_problem(answer, 400)
    (field,) = change
    assert field in answer.json()["detail"] or answer.json()["code"] == "nul_byte"


@pytest.mark.parametrize("field", ["role", "owner_id", "user_id", "state", "period_end"])
def test_what_the_platform_decides_cannot_be_sent_along(client, tide, bob, field):
    body = {"signal": tide.signal, field: "x"}
    assert is_problem(client.post("/v1/subscriptions", json=body, headers=bob.headers), 400)


@pytest.mark.parametrize("days", [0, -1, HUGE, 1.5, "x", True, 1e400])
def test_an_expiry_out_of_range_is_refused(client, bob, days):
    body = f'{{"name": "k", "scopes": ["read"], "expires_in_days": {days!r}}}'.replace("'", '"')
    headers = {"Content-Type": "application/json", **bob.headers}
    assert is_problem(client.post("/v1/api-keys", content=body, headers=headers), 400)


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read", "admin"], "read", None])
def test_an_unknown_scope_is_refused(client, bob, scopes):
    body = {"name": "k", "scopes": scopes}
    assert is_problem(client.post("/v1/api-keys", json=body, headers=bob.headers), 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "a/b/c"])
def test_a_body_of_another_type_is_415(client, kind):
    answer = client.post(
        "/v1/auth/login",
        content=b'{"email":"a@b.c","password":"x"}',
        headers={"Content-Type": kind},
    )
    assert is_problem(answer, 415)


QUERIES = [
    "limit=0",
    "limit=-1",
    "limit=1001",
    f"limit={HUGE}",
    "limit=x",
    "limit=",
    "limit=1&limit=x",
    "cursor=x",
    "cursor=%00",
    "cursor=%C3%A9",
    "cursor=bnVsbA",
    "cursor=WyJ4Il0",
    "from=yesterday",
    "from=2026-01-01",
    "from=2026-01-01T00:00:00",
    "to=99999-01-01T00:00:00Z",
    "from=1e400",
    "horizon=0",
    f"horizon={HUGE}",
    "provenance=best",
    "provenance=",
    "provenance=live,%00",
    "symbol=%00",
    "symbol=" + "x" * 100,
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_wrong_parameter_is_400(client, tide, ada, query):
    answer = client.get(f"{tide.path}/forecasts?{query}", headers=ada.headers)
    assert is_problem(answer, 400)


@pytest.mark.parametrize(
    "query",
    [
        "symbol=%FF",
        "from=0001-01-01T00:00:00%2B14:00&to=9999-12-31T23:59:59-14:00",
        "symbol='; drop table forecast.forecast; --",
        "q=%25_%5C",
        "%FF=%FE",
        "unknown=1",
    ],
)
def test_an_odd_parameter_never_breaks_the_server(client, tide, ada, query):
    for path in (f"{tide.path}/forecasts", "/v1/signals", "/v1/bars?symbol=EURUSD&start=1"):
        joined = f"{path}{'&' if '?' in path else '?'}{query}"
        assert client.get(joined, headers=ada.headers).status_code < 500


@pytest.mark.parametrize(
    "query",
    ["end=0001-01-02T00:00:00Z", "start=x", "end=2026-01-01T00:00:00", "limit=5001", ""],
)
def test_bars_survive_odd_ranges(client, make, bob, query):
    make.instrument()
    answer = client.get(f"/v1/bars?symbol=EURUSD&{query}", headers=bob.headers)
    assert answer.status_code in (200, 400)
    assert is_problem(client.get("/v1/bars", headers=bob.headers), 400)


@pytest.mark.parametrize("path", ["/nowhere", "/v1/signals/a%00b/c", "/v1/subscriptions/x/cancel"])
def test_an_unknown_address_is_a_problem_document(client, ada, path):
    answer = client.get(path, headers=ada.headers)
    assert is_problem(answer)
    assert answer.headers["x-request-id"]


def test_an_unknown_route_is_404_with_a_code_and_a_wrong_method_405(client):
    assert client.get("/v1/nothing").json()["code"] == "not_found"
    assert client.delete("/v1/auth/login").json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "token", "Bearer a b"])
def test_an_odd_authorization_header_is_401(client, header):
    answer = client.get("/v1/signals", headers={"Authorization": header})
    assert is_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_body_that_is_too_large_is_413(client):
    body = b'{"email": "' + b"x" * 100_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    assert is_problem(client.post("/v1/auth/login", content=body, headers=headers), 413)


def test_without_its_database_the_api_is_alive_but_not_ready(settings):
    absent = settings.database_url.replace("/test_", "/absent_")
    with TestClient(create_app(msgspec.structs.replace(settings, database_url=absent))) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
