"""Where a person is signed in, and how that ends."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from api.auth.networks import network_of

PASSWORD = "correct horse battery"


def login(client, person, agent="Firefox on a laptop"):
    body = {"email": person.email, "password": PASSWORD}
    return client.post("/v1/auth/login", json=body, headers={"User-Agent": agent}).json()


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def me(client, tokens):
    return client.get("/v1/auth/me", headers=bearer(tokens)).status_code


def refresh(client, tokens):
    return client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})


def sessions(client, tokens):
    return client.get("/v1/auth/sessions", headers=bearer(tokens)).json()["items"]


def test_a_person_sees_where_they_are_signed_in_and_which_login_asks(client, make, bob):
    login(client, make.person("eve"))
    phone, laptop = login(client, bob, "Phone\x01" + "!" * 300), login(client, bob)
    shown = sessions(client, laptop)
    assert [(s["user_agent"], s["is_current"]) for s in shown[:2]] == [
        ("Firefox on a laptop", True), ("Phone" + "!" * 195, False),
    ]  # fmt: skip
    assert len(shown) == 3  # with the factory's
    refresh(client, phone)
    assert [s["is_current"] for s in sessions(client, laptop)[:2]] == [False, True]


def test_an_ended_login_is_refused_at_once(client, bob):
    stolen, own = login(client, bob, "Thief"), login(client, bob)
    (thief,) = [s for s in sessions(client, own) if s["user_agent"] == "Thief"]
    path = f"/v1/auth/sessions/{thief['id']}"
    assert client.delete(path, headers=bearer(own)).status_code == 204
    assert (me(client, stolen), refresh(client, stolen).status_code) == (401, 401)
    assert (me(client, own), refresh(client, own).status_code) == (200, 200)
    assert client.delete(path, headers=bearer(own)).status_code == 404


def test_ending_the_login_of_somebody_else_is_not_found(client, ada, bob):
    foreign = login(client, ada)
    (session,) = [s for s in sessions(client, foreign) if s["is_current"]]
    path = f"/v1/auth/sessions/{session['id']}"
    assert client.delete(path, headers=bob.headers).status_code == 404
    assert me(client, foreign) == 200


def test_logout_refuses_the_access_token_at_once(client, bob):
    tokens = login(client, bob)
    body = {"refresh_token": tokens["refresh_token"]}
    assert client.post("/v1/auth/logout", json=body).status_code == 204
    assert me(client, tokens) == 401


def test_logging_out_everywhere_ends_every_login_and_no_other_persons(client, ada, bob):
    here, there, other = login(client, bob), login(client, bob), login(client, ada)
    assert client.post("/v1/auth/logout-everywhere", headers=bearer(here)).status_code == 204
    assert [me(client, tokens) for tokens in (here, there, other)] == [401, 401, 200]
    assert refresh(client, there).status_code == 401


def test_a_replayed_refresh_token_ends_the_access_tokens_of_its_family_too(client, bob):
    stolen = login(client, bob)
    thief = refresh(client, stolen).json()
    assert me(client, thief) == 200
    assert refresh(client, stolen).json()["code"] == "refresh_token_reused"
    assert (me(client, thief), me(client, stolen)) == (401, 401)


def test_a_logout_that_meets_refreshes_leaves_no_token_that_works(client, bob):
    """Whoever comes first: after both, nothing of the login is left."""
    for _ in range(4):
        tokens = login(client, bob)
        body = {"refresh_token": tokens["refresh_token"]}

        def act(path, body=body):
            return client.post(f"/v1/auth/{path}", json=body)

        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(act, ["refresh", "logout", "refresh"] * 2))
        assert {answer.status_code for answer in answers} <= {200, 204, 401}
        won = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(won) <= 1
        for one in [tokens, *won]:
            assert (me(client, one), refresh(client, one).status_code) == (401, 401)


def test_a_login_from_before_there_were_sessions_signs_in_anew(client, make, bob):
    tokens = login(client, bob)
    make.connection.execute("delete from account.session")
    assert refresh(client, tokens).json()["code"] == "invalid_refresh_token"


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_api_key_sees_and_ends_no_login(client, bob, method):
    made = client.post(
        "/v1/api-keys", json={"name": "k", "scopes": ["read", "push"]}, headers=bob.headers
    )
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    path = {"get": "sessions", "post": "logout-everywhere"}[method]
    answer = client.request(method, f"/v1/auth/{path}", headers=headers)
    assert answer.json()["code"] == "insufficient_scope"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2345::1", "2001:db8:1:2300::/56"),
        ("2001:db8:1:2300::/56", "2001:db8:1:2300::/56"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_of_an_address_only_its_network_is_kept(address, network):
    assert network_of(address) == network
