"""Every route x {nobody, somebody else, owner, operator}: a new route needs a line here."""

import json
import uuid
from pathlib import Path

import pytest

from api.app import describe_app

DOCUMENT = json.loads((Path(__file__).parents[2] / "api" / "openapi.json").read_text())
PEOPLE = ("nobody", "other", "owner", "operator")

# In this order each person walks through; what ends something comes last.
EXPECTED = {
    "healthz": (200, 200, 200, 200),
    "readyz": (200, 200, 200, 200),
    "register": (400, 400, 400, 400),
    "login": (400, 400, 400, 400),
    "refresh": (400, 400, 400, 400),
    "logout": (400, 400, 400, 400),
    "me": (401, 200, 200, 200),
    "create_api_key": (401, 400, 400, 400),
    "list_api_keys": (401, 200, 200, 200),
    "revoke_api_key": (401, 404, 404, 404),
    "create_signing_key": (401, 400, 400, 400),
    "list_signing_keys": (401, 200, 200, 200),
    "revoke_signing_key": (401, 404, 404, 404),
    "list_signals": (200, 200, 200, 200),
    "get_signal": (200, 200, 200, 200),
    "list_versions": (200, 200, 200, 200),
    "get_version": (200, 200, 200, 200),
    "get_performance": (200, 200, 200, 200),
    "get_provenance": (404, 404, 404, 404),
    "get_sbom": (404, 404, 404, 404),
    "list_version_events": (401, 403, 200, 200),
    "list_provenance_keys": (200, 200, 200, 200),
    "log_checkpoint": (200, 200, 200, 200),
    "log_tile": (200, 200, 200, 200),
    "log_proof": (200, 200, 200, 200),
    "get_evidence": (200, 200, 200, 200),
    "get_track_record": (200, 200, 200, 200),
    "get_reproduction": (200, 200, 200, 200),
    "list_runs": (401, 403, 200, 200),
    "list_logs": (401, 403, 200, 200),
    "list_forecasts": (403, 403, 200, 403),
    "latest_forecasts": (401, 403, 200, 403),
    "my_latest_forecasts": (401, 200, 200, 200),
    "list_bars": (401, 200, 200, 200),
    "subscribe": (401, 400, 400, 400),
    "list_subscriptions": (401, 200, 200, 200),
    "cancel_subscription": (401, 404, 404, 404),
    "resume_subscription": (401, 404, 404, 404),
    "show_checkout": (404, 404, 404, 404),
    "pay_checkout": (404, 404, 404, 404),
    "receive_payment_event": (401, 401, 401, 401),
    "list_invoices": (401, 200, 200, 200),
    "get_invoice": (401, 404, 404, 404),
    "provider_summary": (401, 200, 200, 200),
    "list_provider_payouts": (401, 200, 200, 200),
    "provider_statement": (401, 200, 200, 200),
    "admin_business": (401, 403, 403, 200),
    "run_payouts": (401, 403, 403, 400),
    "take_version_offline": (401, 403, 200, 403),
    "bring_version_live": (401, 403, 200, 403),
    "unpublish_signal": (401, 403, 200, 403),
    "publish_signal": (401, 403, 200, 403),
    "retire_version": (401, 403, 200, 403),
    "delete_signal": (401, 403, 200, 403),
}

OPERATIONS = {
    operation["operationId"]: (method, path)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}

# Routes that refuse an empty body do so after the guard: 400 means that the guard let it pass.
VALUES = {
    "provider": "ada",
    "name": "tide",
    "version": "v1.0.0",
    "key_id": "0" * 16,
    "signing_key_id": str(uuid.UUID(int=1)),
    "subscription_id": str(uuid.UUID(int=1)),
    "tile": "0/000.p/1",
    "number": "2026-000001",
    "month": "2026-01",
}


def test_every_route_has_a_line_and_every_line_a_route():
    assert set(EXPECTED) == set(OPERATIONS)


@pytest.mark.usefixtures("tide")
@pytest.mark.parametrize("who", PEOPLE)
def test_every_route_answers_each_person_as_the_table_says(client, make, ada, bob, who):
    people = {
        "nobody": {},
        "other": bob.headers,
        "owner": ada.headers,
        "operator": make.person("root", "operator").headers,
    }
    answers = {name: request(client, name, people[who]).status_code for name in EXPECTED}
    assert answers == {name: row[PEOPLE.index(who)] for name, row in EXPECTED.items()}


def request(client, name, headers):
    method, path = OPERATIONS[name]
    values = VALUES | ({"provider": "manual"} if "webhook" in path else {})
    query = {"list_bars": {"symbol": "EURUSD"}, "log_proof": {"leaf": 0}}.get(name)
    body = {"json": {}} if method == "post" else {}
    return client.request(method, path.format(**values), params=query, headers=headers, **body)


def test_every_route_names_exactly_one_guard():
    own = describe_app()
    handlers = [
        handler
        for route in own.routes
        for handler in getattr(route, "route_handlers", [])
        if handler.handler_name in EXPECTED
    ]
    assert {handler.handler_name for handler in handlers} == set(EXPECTED)
    for handler in handlers:
        assert len(handler.resolve_guards()) == 1, handler.handler_name
