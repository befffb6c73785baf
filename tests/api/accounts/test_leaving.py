"""What is held about a person, shown whole; and how a person leaves."""

import json

import pytest

from api.accounts.held import NOT_PERSONAL, SECTIONS

PASSWORD = "correct horse battery"


@pytest.fixture
def eve(client):
    """Somebody who used all there is: headers, and what must not survive them."""
    body = {"email": "eve@example.org", "password": PASSWORD, "handle": "eve"}
    headers = {"User-Agent": "Eves Browser"}
    tokens = client.post("/v1/auth/register", json=body, headers=headers).json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def export(client, headers):
    return client.get("/v1/account/export", headers=headers)


def delete(client, headers, password=PASSWORD):
    return client.post("/v1/account/delete", json={"password": password}, headers=headers)


def test_an_export_shows_everything_held_about_the_person_and_no_secret(client, eve, letters, tide):
    key = client.post("/v1/api-keys", json={"name": "k", "scopes": ["read"]}, headers=eve).json()
    client.post("/v1/subscriptions", json={"signal": tide.signal}, headers=eve)
    client.post("/v1/auth/totp", json={"password": PASSWORD}, headers=eve)
    answer = export(client, eve)
    assert "attachment" in answer.headers["content-disposition"]
    held = answer.json()["held"]
    assert held["account.user_account"][0]["email"] == "eve@example.org"
    assert held["account.session"][0]["user_agent"] == "Eves Browser"
    assert held["account.api_key"][0]["id"] == key["id"]
    assert held["billing.subscription"][0]["signal"] == "ada/tide"
    assert held["account.mail"][0]["kind"] == "confirm_email"
    assert {act["action"] for act in held["audit.event"]} >= {"account.register", "totp.enrol"}
    assert key["key"] not in answer.text
    assert letters.token("confirm_email") not in answer.text
    assert "argon2" not in answer.text


def test_an_export_shows_nothing_of_anybody_else(client, eve, ada, bob, tide):
    client.post("/v1/subscriptions", json={"signal": tide.signal}, headers=bob.headers)
    text = export(client, eve).text
    for foreign in (str(ada.id), str(bob.id), ada.email, bob.email, "tide"):
        assert foreign not in text


def test_every_table_that_names_a_person_is_exported_or_says_why_not(make):
    """A new table with a reference to user_account needs a line in api/accounts/held.py."""
    rows = make.connection.execute(
        "select distinct c.conrelid::regclass::text from pg_constraint c"
        " where c.contype = 'f' and c.confrelid = 'account.user_account'::regclass"
    ).fetchall()
    naming = {table for (table,) in rows} | {"account.user_account"}
    assert naming == set(SECTIONS) | set(NOT_PERSONAL)


def test_a_deleted_account_is_forgotten_and_every_credential_of_it_refused(
    client, make, eve, letters
):
    key = client.post("/v1/api-keys", json={"name": "k", "scopes": ["read"]}, headers=eve).json()
    client.post("/v1/auth/totp", json={"password": PASSWORD}, headers=eve)
    client.post("/v1/auth/password/forgot", json={"email": "eve@example.org"})
    pending = letters.token("reset_password")
    assert delete(client, eve, "a guess").status_code == 401
    assert delete(client, eve).status_code == 204
    key_header = {"Authorization": f"Bearer {key['key']}"}
    assert client.get("/v1/auth/me", headers=eve).status_code == 401
    assert client.get("/v1/auth/me", headers=key_header).status_code == 401
    login = client.post("/v1/auth/login", json={"email": "eve@example.org", "password": PASSWORD})
    assert (login.status_code, login.json()["code"]) == (401, "invalid_credentials")
    body = {"token": pending, "password": "another horse battery"}
    assert client.post("/v1/auth/password/reset", json=body).status_code == 400
    assert personal(make) == []


def personal(make):
    """Rows that still show who eve was, apart from her handle and acts by id."""
    tables = make.connection.execute(
        "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
        " where schemaname in ('account', 'audit', 'billing', 'registry')"
    ).fetchall()
    found = []
    for (table,) in tables:
        for (row,) in make.connection.execute(f"select row_to_json(t) from {table} t"):
            if any(word in json.dumps(row) for word in ("eve@", "Eves Browser", "argon2", "mt_")):
                found.append((table, row))
    return found


def test_a_handle_stays_used_for_ever_and_an_address_is_free_again(client, eve):
    assert delete(client, eve).status_code == 204
    body = {"email": "eve@example.org", "password": PASSWORD, "handle": "eve"}
    assert client.post("/v1/auth/register", json=body).json()["code"] == "handle_taken"
    assert client.post("/v1/auth/register", json=body | {"handle": "eva"}).status_code == 201


def test_what_a_person_did_stays_on_record_by_id(client, make, eve):
    me = client.get("/v1/auth/me", headers=eve).json()
    delete(client, eve)
    actions = make.connection.execute(
        "select action from audit.event where actor_id = %s order by id", [me["id"]]
    ).fetchall()
    assert [action for (action,) in actions] == [
        "account.register", "session.begin", "account.delete",
    ]  # fmt: skip


def test_who_still_subscribes_does_not_leave_yet(client, make, tide):
    for state in ("incomplete", "trialing", "active", "past_due"):
        person = make.person(f"is-{state.replace('_', '-')}")
        make.subscription(person, tide, state)
        answer = delete(client, person.headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "account_in_use")
        assert "/v1/subscriptions/{id}/cancel" in answer.json()["detail"]
        assert client.get("/v1/auth/me", headers=person.headers).status_code == 200


def test_who_once_subscribed_may_leave(client, make, tide):
    for state in ("canceled", "expired"):
        person = make.person(f"was-{state}")
        make.subscription(person, tide, state)
        assert delete(client, person.headers).status_code == 204


def test_a_provider_leaves_once_every_version_is_retired(client, tide):
    owner = tide.provider.headers
    answer = delete(client, owner)
    assert (answer.status_code, answer.json()["code"]) == (409, "account_in_use")
    assert "retire" in answer.json()["detail"]
    assert client.post(f"{tide.path}/versions/v1.0.0/retire", headers=owner).status_code == 200
    assert delete(client, owner).status_code == 204
    assert client.get(tide.path).json()["signal"] == "ada/tide"


def test_an_api_key_neither_exports_nor_deletes_an_account(client, eve):
    made = client.post(
        "/v1/api-keys", json={"name": "k", "scopes": ["read", "push"]}, headers=eve
    ).json()
    key = {"Authorization": f"Bearer {made['key']}"}
    assert export(client, key).json()["code"] == "insufficient_scope"
    assert delete(client, key).json()["code"] == "insufficient_scope"
