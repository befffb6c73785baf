"""API keys do what their scopes say, until they expire or are revoked."""

import pytest


def make_key(client, person, *scopes, **more):
    body = {"name": "machine", "scopes": scopes, **more}
    answer = client.post("/v1/api-keys", json=body, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(key):
    return {"Authorization": f"Bearer {key['key']}"}


def test_a_key_that_may_only_push_reads_no_forecasts(client, tide, ada):
    answer = client.get(f"{tide.path}/forecasts", headers=bearer(make_key(client, ada, "push")))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_a_key_that_may_only_read_changes_nothing(client, tide, ada):
    key = bearer(make_key(client, ada, "read"))
    assert client.get(f"{tide.path}/forecasts", headers=key).status_code == 200
    answer = client.post(f"{tide.path}/unpublish", headers=key)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_no_key_makes_keys_or_spends_money(client, tide, bob):
    key = bearer(make_key(client, bob, "read", "push"))
    body = {"name": "more", "scopes": ["push"]}
    assert client.post("/v1/api-keys", json=body, headers=key).status_code == 403
    body = {"signal": tide.signal}
    assert client.post("/v1/subscriptions", json=body, headers=key).status_code == 403


def test_a_revoked_key_is_refused_at_once(client, ada):
    key = make_key(client, ada, "read")
    assert client.get("/v1/auth/me", headers=bearer(key)).status_code == 200
    assert client.delete(f"/v1/api-keys/{key['id']}", headers=ada.headers).status_code == 204
    answer = client.get("/v1/auth/me", headers=bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_an_expired_key_is_refused(client, make, ada):
    key = make_key(client, ada, "read", expires_in_days=1)
    make.connection.execute("update account.api_key set expires_at = now()")
    assert client.get("/v1/auth/me", headers=bearer(key)).status_code == 401


@pytest.mark.parametrize(
    "forge",
    [
        lambda key: key["key"][:-1] + ("A" if key["key"][-1] != "A" else "B"),
        lambda key: key["key"].replace("sk_test_", "sk_production_"),
        lambda key: f"sk_test_{key['id']}_",
        lambda key: f"sk_test_{key['id']}",
        lambda _: "sk_",
        lambda _: "sk_test_\x7f_\xff",
    ],
)
def test_a_forged_key_is_refused(client, ada, forge):
    key = forge(make_key(client, ada, "read")).encode("latin-1")
    answer = client.get("/v1/auth/me", headers={"Authorization": b"Bearer " + key})
    assert answer.status_code == 401


def test_somebody_elses_key_cannot_be_revoked_or_seen(client, ada, bob):
    key = make_key(client, ada, "read")
    assert client.delete(f"/v1/api-keys/{key['id']}", headers=bob.headers).status_code == 404
    assert client.get("/v1/api-keys", headers=bob.headers).json()["items"] == []


def test_the_secret_is_shown_once_and_its_use_to_the_minute(client, ada):
    key = make_key(client, ada, "read")
    assert key["key"].startswith(f"sk_test_{key['id']}_")
    client.get("/v1/auth/me", headers=bearer(key))
    (listed,) = client.get("/v1/api-keys", headers=ada.headers).json()["items"]
    assert "key" not in listed
    assert listed["last_used_at"].endswith(":00Z")
