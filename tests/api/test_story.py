"""A subscriber's story, from registration to the latest forecast."""

FIELDS = {
    *("signal", "version", "as_of", "symbol", "horizon_hours", "target_time", "point"),
    *("quantiles", "probability_up", "available_at", "valid_until", "provenance"),
    *("input_digest", "image_digest", "leaf_index", "is_unopened", "proven_at", "is_sample_data"),
}


def test_a_person_registers_subscribes_by_trial_and_reads_forecasts(client, tide):
    account = {"email": "Eve@Example.org", "password": "twelve letters", "handle": "eve"}
    registered = client.post("/v1/auth/register", json=account)
    assert registered.status_code == 201
    assert registered.json()["user"]["email"] == "eve@example.org"
    del account["handle"]
    token = client.post("/v1/auth/login", json=account).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    assert client.get(f"{tide.path}/forecasts", headers=headers).status_code == 403
    subscription = client.post("/v1/subscriptions", json={"signal": tide.signal}, headers=headers)
    assert subscription.status_code == 201
    assert subscription.json()["state"] == "trialing"

    forecasts = client.get(f"{tide.path}/forecasts", headers=headers).json()["items"]
    assert [row["horizon_hours"] for row in forecasts] == [4, 1]
    latest = client.get("/v1/forecasts/latest", headers=headers).json()["items"]
    assert latest == client.get(f"{tide.path}/forecasts/latest", headers=headers).json()["items"]
    assert set(latest[0]) == FIELDS
    assert latest[0]["as_of"].endswith("00:00Z")
    assert latest[0]["signal"] == "ada/tide"
    assert latest[0]["quantiles"] == [[0.1, -0.01], [0.9, 0.02]]
    assert latest[0]["is_sample_data"] is True


def test_a_second_account_for_an_address_or_a_handle_is_refused(client, ada):
    body = {"email": ada.email.upper(), "password": "twelve letters", "handle": "other"}
    assert client.post("/v1/auth/register", json=body).json()["code"] == "email_taken"
    body = {"email": "new@example.org", "password": "twelve letters", "handle": ada.handle}
    assert client.post("/v1/auth/register", json=body).json()["code"] == "handle_taken"


def test_me_says_who_is_signed_in(client, ada):
    me = client.get("/v1/auth/me", headers=ada.headers).json()
    assert (me["handle"], me["role"]) == ("ada", "member")
    assert "password_hash" not in me
