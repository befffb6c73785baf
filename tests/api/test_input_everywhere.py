"""Whatever is sent to whichever route of the OpenAPI document: a problem document, never a 5xx."""

import itertools
import json
from pathlib import Path

import pytest

DOCUMENT = json.loads((Path(__file__).parents[2] / "api" / "openapi.json").read_text())
ROUTES = {
    f"{method} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
WITH_BODY = [name for name, operation in ROUTES.items() if "requestBody" in operation]
# HTML forms and signed webhooks judge their bodies themselves; the same must come of it.
WRITING = [name for name in ROUTES if name.split()[0] in ("post", "patch", "delete")]
READING = [name for name in ROUTES if name.startswith("get ")]
PLATFORMS_OWN = ("role", "owner_id", "user_id", "state", "price", "amount_minor", "id", "handle_")
HUGE = 10**40
NAMES = {"provider": "ada", "name": "tide", "version": "v1.0.0", "tile": "0/000.p/1"}

JSON = {"Content-Type": "application/json"}
BODIES = {
    "a huge integer in every field": lambda fields: dict.fromkeys(fields, HUGE),
    "a number beyond a double in every field": lambda fields: (
        "{" + ",".join(f'"{field}": 1e999' for field in fields) + "}"
    ),
    "NUL in every field": lambda fields: dict.fromkeys(fields, "a\0b"),
    "a list in every field": lambda fields: {field: [[[]]] for field in fields},
    "half a surrogate in every field": lambda fields: (
        "{" + ",".join(f'"{field}": "\\ud800"' for field in fields) + "}"
    ),
    "a megabyte of text": lambda fields: dict.fromkeys(fields, "x" * 1_000_000),
    "deep JSON": lambda _: '{"a":' * 20_000,
    "deep lists that end": lambda _: "[" * 5_000 + "]" * 5_000,
    "a bare number": lambda _: "7",
    "no JSON": lambda _: "\xff{",
    "an object twice": lambda _: "{}{}",
    "duplicate fields": lambda fields: (
        "{" + ",".join(f'"{field}": null, "{field}": 5' for field in fields) + "}"
    ),
}


def fields_of(name):
    schema = ROUTES[name].get("requestBody", {}).get("content", {}).get("application/json", {})
    found = json.dumps(schema)
    for reference, definition in DOCUMENT["components"]["schemas"].items():
        if f'/{reference}"' in found:
            return list(definition.get("properties", {}))
    return ["x"]


def filled(name, **values):
    path = name.split()[1]
    for parameter in ROUTES[name].get("parameters", []):
        if parameter.get("in") == "path":
            default = "00000000-0000-4000-8000-000000000001"
            value = values.get("every") or NAMES.get(parameter["name"], default)
            path = path.replace("{" + parameter["name"] + "}", value)
    return path


def send(client, name, person, content=None, headers=JSON, path=None):
    method = name.split()[0]
    body = {} if content is None else {"content": content}
    return client.request(
        method, path or filled(name), headers={**person.headers, **headers}, **body
    )


def check(answer, *statuses):
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert not statuses or answer.status_code in statuses, answer.text[:300]


@pytest.fixture
def everybody(client, make, ada):
    """ada provides, operates, and may ask every route."""
    make.slot(make.signal(ada))
    make.connection.execute("update account.user_account set role = 'operator'")
    return client, ada


def test_the_document_has_routes_of_every_kind():
    assert len(WITH_BODY) >= 8
    assert len(WRITING) > len(WITH_BODY)
    assert READING


def test_what_the_platform_decides_sent_along_is_an_unknown_field_on_every_route(everybody):
    client, ada = everybody
    for name in WITH_BODY:
        for field in (*PLATFORMS_OWN, "__class__", "no_such_field"):
            if field not in fields_of(name):
                answer = send(client, name, ada, json.dumps({field: "x"}))
                check(answer, 400)
                assert answer.json()["code"] == "invalid_request", name


def test_a_malicious_body_is_refused_by_every_route(everybody):
    client, ada = everybody
    for name, body in itertools.product(WITH_BODY, BODIES):
        made = BODIES[body](fields_of(name))
        content = made if isinstance(made, str) else json.dumps(made)
        check(send(client, name, ada, content.encode("latin-1")))


def test_a_body_of_another_type_is_415_on_every_route(everybody):
    client, ada = everybody
    for name in WITH_BODY:
        for kind in (
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "a/b/c",
            "",
        ):
            check(send(client, name, ada, b"{}", {"Content-Type": kind}), 415)


def test_a_body_of_a_megabyte_is_refused_by_every_route_that_could_take_one(everybody):
    client, ada = everybody
    for name in WITH_BODY:
        check(send(client, name, ada, b'"' + b"x" * 1_000_000 + b'"'), 413)


ADDRESSES = ["%00", "a%00b", "%FF", "x" * 3000, "%2e%2e", "%2F..%2F", str(HUGE), "'", "%0a", "-1"]


def test_an_odd_value_in_the_place_of_every_name_and_id_is_refused(everybody):
    client, ada = everybody
    for name, value in itertools.product(ROUTES, ADDRESSES):
        path = filled(name, every=value)
        if path != name.split()[1]:
            content = b"{}" if name in WITH_BODY else None
            check(send(client, name, ada, content, path=path))


ODD = ["%00", str(HUGE), "-1", "1e400", "%FF", "x" * 5000, "", "NaN", "2026-01-01", "[]", "%F0%9F"]


def test_an_odd_value_of_every_parameter_never_breaks_the_server(everybody):
    client, ada = everybody
    asked = 0
    for name, value in itertools.product(READING, ODD):
        for parameter in ROUTES[name].get("parameters", []):
            if parameter.get("in") == "query":
                path = f"{filled(name)}?{parameter['name']}={value}"
                answer = send(client, name, ada, path=path, headers={})
                assert answer.status_code < 500, (path, answer.text[:300])
                asked += 1
    assert asked >= 20 * len(ODD)
