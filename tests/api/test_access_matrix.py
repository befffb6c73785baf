"""Every route of the OpenAPI document x every kind of person and key.

A new route fails `test_every_route_has_a_line...` until EXPECTED has its line: operationId, then
a status for each of PEOPLE, in their order. Each walks through all routes in the order of the
table, in a database of their own, so that what ends something comes last. What a path names is
`ada`'s and exists: 404 there means that it was hidden, not that it was made up. If your route
names a new noun by id, make a real one of ada's in `things`, under the parameter's name.
Bodies are empty: 400 means that the guard let it pass.
"""

import json
import uuid
from pathlib import Path

import pytest

from api.app import describe_app

DOCUMENT = json.loads((Path(__file__).parents[2] / "api" / "openapi.json").read_text())

# bob subscribes to ada/tide, eve provides another signal; both keys are ada's.
PEOPLE = ("nobody", "subscriber", "provider", "owner", "operator", "read key", "push key")

EXPECTED = {
    # ..................... nobody subsc prov owner oper  read push
    "healthz":               (200, 200, 200, 200, 200, 200, 200),
    "readyz":                (200, 200, 200, 200, 200, 200, 200),
    "register":              (400, 400, 400, 400, 400, 400, 400),
    "login":                 (400, 400, 400, 400, 400, 400, 400),
    "refresh":               (401, 401, 401, 401, 401, 401, 401),
    "logout":                (401, 401, 401, 401, 401, 401, 401),
    "me":                    (401, 200, 200, 200, 200, 200, 200),
    "create_api_key":        (401, 400, 400, 400, 400, 403, 403),
    "list_api_keys":         (401, 200, 200, 200, 200, 200, 403),
    "rename_api_key":        (401, 400, 400, 400, 400, 403, 403),
    "revoke_api_key":        (401, 404, 404, 204, 404, 403, 403),
    "create_signing_key":    (401, 400, 400, 400, 400, 403, 403),
    "list_signing_keys":     (401, 200, 200, 200, 200, 200, 200),
    "revoke_signing_key":    (401, 404, 404, 204, 404, 403, 403),
    "create_data_source_key": (401, 400, 400, 400, 400, 403, 403),
    "list_data_source_keys": (401, 200, 200, 200, 200, 200, 200),
    "delete_data_source_key": (401, 404, 404, 204, 404, 403, 403),
    "list_own_acts":         (401, 200, 200, 200, 200, 200, 403),
    "list_acts":             (401, 403, 403, 403, 200, 403, 403),
    "list_all_runs":         (401, 403, 403, 403, 200, 403, 403),
    "admin_health":          (401, 403, 403, 403, 200, 403, 403),
    "open_dagster":          (401, 403, 403, 403, 204, 403, 403),
    "check_dagster":         (401, 401, 401, 401, 401, 401, 401),
    "close_dagster":         (401, 403, 403, 403, 204, 403, 403),
    "list_users":            (401, 403, 403, 403, 200, 403, 403),
    "confirm_email":         (400, 400, 400, 400, 400, 400, 400),
    "resend_confirmation":   (401, 202, 202, 202, 202, 403, 403),
    "forget_password":       (400, 400, 400, 400, 400, 400, 400),
    "reset_password":        (400, 400, 400, 400, 400, 400, 400),
    "change_password":       (401, 400, 400, 400, 400, 403, 403),
    "change_email":          (401, 400, 400, 400, 400, 403, 403),
    "confirm_email_change":  (400, 400, 400, 400, 400, 400, 400),
    "enrol_totp":            (401, 400, 400, 400, 400, 403, 403),
    "confirm_totp":          (401, 400, 400, 400, 400, 403, 403),
    "disable_totp":          (401, 400, 400, 400, 400, 403, 403),
    "export_account":        (401, 200, 200, 200, 200, 403, 403),
    "delete_account":        (401, 400, 400, 400, 400, 403, 403),
    "accept_terms":          (401, 400, 400, 400, 400, 403, 403),
    "show_terms":            (200, 200, 200, 200, 200, 200, 200),
    "list_mail":             (401, 200, 200, 200, 200, 403, 403),
    "show_mail_link":        (200, 200, 200, 200, 200, 200, 200),
    "list_sessions":         (401, 200, 200, 200, 200, 403, 403),
    "end_session":           (401, 404, 404, 204, 404, 403, 403),
    "consent_to_offer":      (401, 404, 404, 409, 404, 403, 403),
    "open_portal":           (401, 404, 404, 409, 404, 403, 403),
    "create_offer":          (401, 403, 403, 400, 403, 403, 403),
    "refund_payment":        (401, 403, 403, 403, 400, 403, 403),
    "list_invoices":         (401, 200, 200, 200, 200, 200, 403),
    "get_invoice":           (401, 404, 404, 200, 404, 200, 403),
    "list_offers":           (401, 403, 403, 200, 200, 200, 403),
    "list_own_signals":      (401, 200, 200, 200, 200, 200, 403),
    "provider_summary":      (401, 200, 200, 200, 200, 200, 403),
    "list_provider_payouts": (401, 200, 200, 200, 200, 200, 403),
    "provider_statement":    (401, 200, 200, 200, 200, 200, 403),
    "admin_business":        (401, 403, 403, 403, 200, 403, 403),
    "run_payouts":           (401, 403, 403, 403, 400, 403, 403),
    "list_signals":          (200, 200, 200, 200, 200, 200, 200),
    "compare_signals":       (200, 200, 200, 200, 200, 200, 200),
    "get_marginal":          (401, 200, 200, 200, 200, 200, 403),
    "get_signal":            (200, 200, 200, 200, 200, 200, 200),
    "list_versions":         (200, 200, 200, 200, 200, 200, 200),
    "get_version":           (200, 200, 200, 200, 200, 200, 200),
    "get_performance":       (200, 200, 200, 200, 200, 200, 200),
    "list_metrics":          (200, 200, 200, 200, 200, 200, 200),
    "get_provenance":        (404, 404, 404, 404, 404, 404, 404),
    "get_sbom":              (404, 404, 404, 404, 404, 404, 404),
    "list_version_events":   (401, 403, 403, 200, 200, 200, 200),
    "list_provenance_keys":  (200, 200, 200, 200, 200, 200, 200),
    "log_checkpoint":        (200, 200, 200, 200, 200, 200, 200),
    "log_tile":              (200, 200, 200, 200, 200, 200, 200),
    "log_proof":             (200, 200, 200, 200, 200, 200, 200),
    "get_evidence":          (200, 200, 200, 200, 200, 200, 200),
    "get_track_record":      (200, 200, 200, 200, 200, 200, 200),
    "get_reproduction":      (200, 200, 200, 200, 200, 200, 200),
    "list_runs":             (401, 403, 403, 200, 200, 200, 200),
    "list_logs":             (401, 403, 403, 200, 200, 200, 200),
    "list_forecasts":        (403, 200, 403, 200, 403, 200, 403),
    "latest_forecasts":      (401, 200, 403, 200, 403, 200, 403),
    "my_latest_forecasts":   (401, 200, 200, 200, 200, 200, 403),
    "export_forecasts":      (403, 200, 403, 200, 403, 200, 403),
    "get_playback":          (403, 200, 403, 200, 403, 200, 403),
    "get_playback_range":    (200, 200, 200, 200, 200, 200, 403),
    "export_bars":           (401, 200, 200, 200, 200, 200, 403),
    "metrics":               (200, 200, 200, 200, 200, 200, 200),
    "stream_events":         (401, 200, 200, 200, 200, 200, 403),
    "list_bars":             (401, 200, 200, 200, 200, 200, 403),
    "subscribe":             (401, 400, 400, 400, 400, 403, 403),
    "list_subscriptions":    (401, 200, 200, 200, 200, 200, 403),
    "cancel_subscription":   (401, 404, 404, 200, 404, 403, 403),
    "resume_subscription":   (401, 404, 404, 200, 404, 403, 403),
    "show_checkout":         (404, 404, 404, 404, 404, 404, 404),
    "pay_checkout":          (404, 404, 404, 404, 404, 404, 404),
    "receive_payment_event": (401, 401, 401, 401, 401, 401, 401),
    "create_signal":         (401, 400, 400, 400, 400, 403, 400),
    "change_signal":         (401, 403, 403, 200, 403, 403, 200),
    "take_version_offline":  (401, 403, 403, 200, 403, 403, 200),
    "bring_version_live":    (401, 403, 403, 200, 403, 403, 200),
    "unpublish_signal":      (401, 403, 403, 200, 403, 403, 200),
    "publish_signal":        (401, 403, 403, 200, 403, 403, 200),
    "retire_version":        (401, 403, 403, 200, 403, 403, 200),
    "delete_signal":         (401, 403, 403, 200, 403, 403, 200),
    "create_webhook":        (401, 400, 400, 400, 400, 403, 403),
    "list_webhooks":         (401, 200, 200, 200, 200, 200, 403),
    "get_webhook":           (401, 404, 404, 200, 404, 200, 403),
    "update_webhook":        (401, 404, 404, 200, 404, 403, 403),
    "rotate_webhook_secret": (401, 404, 404, 200, 404, 403, 403),
    "ping_webhook":          (401, 404, 404, 202, 404, 403, 403),
    "list_deliveries":       (401, 404, 404, 200, 404, 200, 403),
    "redeliver":             (401, 404, 404, 202, 404, 403, 403),
    "delete_webhook":        (401, 404, 404, 204, 404, 403, 403),
    "logout_everywhere":     (401, 204, 204, 204, 204, 403, 403),
}  # fmt: skip

OPERATIONS = {
    operation["operationId"]: (method, path)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
QUERIES = {
    "list_bars": {"symbol": "EURUSD"},
    "export_bars": {"symbol": "EURUSD"},
    "get_playback": {"at": "9999-12-31T00:00:00Z"},
    "log_proof": {"leaf": 0},
    "compare_signals": {"signals": "ada/tide,dan/surge"},
    "stream_events": {"seconds": 0},
}
NAMES_A_THING = {name for name, (_, path) in OPERATIONS.items() if "_id}" in path}


def test_every_route_has_a_line_and_every_line_a_route():
    assert set(EXPECTED) == set(OPERATIONS)


@pytest.fixture
def people(client, make, tide, ada, bob):
    """Headers of each of PEOPLE."""
    make.subscription(bob, tide)
    keys = {}
    for scope in ("read", "push"):
        body = {"name": scope, "scopes": [scope]}
        key = client.post("/v1/api-keys", json=body, headers=ada.headers).json()["key"]
        keys[scope] = {"Authorization": f"Bearer {key}"}
    headers = (
        {}, bob.headers, make.person("eve").headers, ada.headers,
        make.person("root", "operator").headers, keys["read"], keys["push"],
    )  # fmt: skip
    return dict(zip(PEOPLE, headers, strict=True))


@pytest.fixture
def things(make, tide, ada):
    """What paths name, by the parameter's name: all of it is ada's, and exists."""
    other = make.signal(make.person("dan"), "surge")
    key_id, signing, sealed = "0123456789abcdef", uuid.uuid4(), uuid.uuid4()
    session = uuid.uuid4()
    make.connection.execute(
        "insert into account.api_key (id, user_id, name, secret_sha256, scopes, created_at)"
        " values (%s, %s, 'x', '', '{read}', now())",
        [key_id, ada.id],
    )
    make.connection.execute(
        "insert into account.signing_key values (%s, %s, 'x', 'ssh', %s, now())",
        [signing, ada.id, "SHA256:" + "A" * 43],
    )
    make.connection.execute(
        "insert into account.data_source_key (id, user_id, name, source, shown, created_at, key_id,"
        " wrapped_key, sealed) values (%s, %s, 'x', 'alpaca', 'x', now(), 'x', 'x', 'x')",
        [sealed, ada.id],
    )
    make.connection.execute(
        "insert into account.session values (%s, %s, now(), now(), now(), null, '', '', false)",
        [session, ada.id],
    )
    webhook, delivery = uuid.uuid4(), uuid.uuid4()
    make.connection.execute(
        "insert into account.webhook (id, user_id, url, host, events, description, secret,"
        " created_at, not_before) values (%s, %s, 'https://127.0.0.1/', 'x', '{forecast}', '',"
        " 'x', now(), now() + interval '1 day')",
        [webhook, ada.id],
    )
    make.connection.execute(
        "insert into account.webhook_delivery (id, webhook_id, user_id, type, created_at, state)"
        " values (%s, %s, %s, 'ping', now(), 'delivered')",
        [delivery, webhook, ada.id],
    )
    subscription = make.subscription(ada, other)
    (number,) = make.connection.execute(
        "select ledger.invoice_paid(%s, 'x', now(), now() + interval '1 month', 2900, 'EUR', 0,"
        " 'manual', now(), now())",
        [subscription],
    ).fetchone()
    make.connection.execute("update billing.subscription set cancel_at_period_end = false")
    return {
        "provider": "ada",
        "name": tide.name,
        "version": "v1.0.0",
        "key_id": key_id,
        "signing_key_id": signing,
        "data_source_key_id": sealed,
        "subscription_id": subscription,
        "session_id": session,
        "webhook_id": webhook,
        "delivery_id": delivery,
        "number": number,
        "month": "2026-01",
        "tile": "0/000.p/1",
    }


@pytest.mark.parametrize("who", PEOPLE)
def test_every_route_answers_each_person_as_the_table_says(client, people, things, who):
    answers = {name: request(client, name, people[who], things).status_code for name in EXPECTED}
    assert answers == {name: row[PEOPLE.index(who)] for name, row in EXPECTED.items()}


def test_somebody_elses_thing_is_answered_as_one_that_there_never_was(client, people, things):
    """Word for word: or a refusal would tell that it exists."""
    nothing = {
        name: "f" * 16 if name == "key_id" else uuid.uuid4()
        for name in things
        if name.endswith("_id")
    }
    for name in sorted(NAMES_A_THING):
        foreign = request(client, name, people["subscriber"], things)
        absent = request(client, name, people["subscriber"], things | nothing)
        assert foreign.status_code == absent.status_code, name
        assert foreign.json() == absent.json(), name


def test_a_rename_of_somebody_elses_key_is_404_and_changes_nothing(client, people, things):
    path, body = f"/v1/api-keys/{things['key_id']}", {"name": "mine"}
    answers = {
        who: client.patch(path, json=body, headers=people[who]).status_code for who in PEOPLE
    }
    assert answers == dict(zip(PEOPLE, (401, 404, 404, 200, 404, 403, 403), strict=True))


def request(client, name, headers, things):
    method, path = OPERATIONS[name]
    values = things | ({"provider": "manual"} if "webhook" in path else {})
    body = {"json": {}} if method in ("post", "patch") else {}
    query = QUERIES.get(name)
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
