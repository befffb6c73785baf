"""Who may spend and publish: confirmed addresses, accepted terms, and nobody else."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

REGISTRATION = {
    "email": "Eve@Example.org", "password": "correct horse battery", "handle": "eve",
}  # fmt: skip


def register(client, **more):
    answer = client.post("/v1/auth/register", json=REGISTRATION | more)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def standing(client, headers):
    return client.get("/v1/auth/me", headers=headers).json()["standing"]


def acts(client, headers, signal):
    """What spends or publishes, and what each attempt is answered."""
    made = client.post(
        "/v1/api-keys", json={"name": "k", "scopes": ["read", "push"]}, headers=headers
    )
    subscribed = client.post("/v1/subscriptions", json={"signal": signal}, headers=headers)
    return [answer.json().get("code", answer.status_code) for answer in (made, subscribed)]


def test_where_required_an_unconfirmed_account_reads_and_confirms_and_nothing_more(
    client_with, letters, make, tide
):
    client = client_with(confirm_email="required")
    headers = register(client)
    own = make.signal(
        type(tide.provider)(
            uuid.UUID(client.get("/v1/auth/me", headers=headers).json()["id"]), "eve", headers
        ),
        "ebb",
    )
    assert acts(client, headers, tide.signal) == ["email_unconfirmed"] * 2
    published = client.post(f"{own.path}/publish", headers=headers)
    assert published.json()["code"] == "email_unconfirmed"
    assert client.post(f"{own.path}/unpublish", headers=headers).status_code == 200
    assert client.get("/v1/subscriptions", headers=headers).json()["items"] == []
    login = client.post("/v1/auth/login", json={k: REGISTRATION[k] for k in ("email", "password")})
    assert login.status_code == 200

    body = {"token": letters.token("confirm_email")}
    assert client.post("/v1/auth/confirm", json=body).status_code == 204
    assert standing(client, headers) == "good"
    assert acts(client, headers, tide.signal) == [201, 201]
    assert client.post(f"{own.path}/publish", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("environment", "expected"), [("production", "email_unconfirmed"), ("demo", "good")]
)
def test_production_requires_confirmation_and_a_demonstration_does_not(
    client_with, environment, expected
):
    client = client_with(environment=environment)
    assert standing(client, register(client)) == expected


def test_a_confirming_link_works_once_and_not_for_another_purpose(client, letters):
    headers = register(client)
    token = letters.token("confirm_email")
    elsewhere = client.post(
        "/v1/auth/password/reset", json={"token": token, "password": "another horse battery"}
    )
    assert elsewhere.json()["code"] == "invalid_mail_token"
    answers = [client.post("/v1/auth/confirm", json={"token": token}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 400]
    assert answers[1].json()["code"] == "invalid_mail_token"
    assert client.get("/v1/auth/me", headers=headers).json()["email_confirmed"] is True


def test_twelve_who_use_a_link_at_once_have_one_winner(client, letters):
    register(client)
    body = {"token": letters.token("confirm_email")}
    with ThreadPoolExecutor(12) as threads:
        answers = threads.map(lambda _: client.post("/v1/auth/confirm", json=body), range(12))
    assert sorted(answer.status_code for answer in answers) == [204] + [400] * 11


def test_an_old_a_replaced_and_a_guessed_link_confirm_nothing(client, letters, make):
    headers = register(client)
    assert client.post("/v1/auth/confirm/resend", headers=headers).status_code == 202
    replaced, newest = letters.tokens("confirm_email")
    make.connection.execute("update account.mail_token set expires_at = now()")
    for token in (replaced, newest, "mt_" + "A" * 43, ""):
        answer = client.post("/v1/auth/confirm", json={"token": token})
        assert answer.json()["code"] == "invalid_mail_token"
    assert client.get("/v1/auth/me", headers=headers).json()["email_confirmed"] is False


def test_asking_again_and_again_floods_no_mailbox(client, letters):
    headers = register(client)
    for _ in range(6):
        assert client.post("/v1/auth/confirm/resend", headers=headers).status_code == 202
    assert letters.kinds() == ["confirm_email"] * 3


def test_the_terms_in_force_must_be_accepted_and_newer_ones_again(client_with, make, tide):
    first = client_with(terms_version="2026-01")
    assert first.get("/v1/account/terms").json() == {"version": "2026-01"}
    headers = register(first, accepted_terms="2026-01")
    assert standing(first, headers) == "good"
    second = client_with(terms_version="2026-09")
    assert acts(second, headers, tide.signal) == ["terms_not_accepted"] * 2
    stale = second.post("/v1/account/terms", json={"version": "2026-01"}, headers=headers)
    assert (stale.status_code, stale.json()["errors"][0]["field"]) == (400, "version")
    for _ in range(2):
        body = {"version": "2026-09"}
        assert second.post("/v1/account/terms", json=body, headers=headers).status_code == 204
    assert acts(second, headers, tide.signal) == [201, 201]
    kept = make.connection.execute("select version from account.terms_acceptance order by 1")
    assert kept.fetchall() == [("2026-01",), ("2026-09",)]


def test_where_there_are_no_terms_none_are_accepted(client):
    assert client.get("/v1/account/terms").json() == {"version": None}
    headers = register(client)
    answer = client.post("/v1/account/terms", json={"version": "1"}, headers=headers)
    assert answer.status_code == 400
    other = REGISTRATION | {"email": "o@example.org", "handle": "other", "accepted_terms": "1"}
    assert client.post("/v1/auth/register", json=other).status_code == 400


def test_a_person_reads_their_own_mail_in_a_demonstration_and_nobody_does_in_production(
    client_with, bob
):
    client = client_with(environment="demo")
    headers = register(client)
    (letter,) = client.get("/v1/mail", headers=headers).json()["items"]
    assert (letter["kind"], letter["address"]) == ("confirm_email", "eve@example.org")
    assert "/account/link#confirm_email=mt_" in letter["text"]
    assert client.get("/v1/mail", headers=bob.headers).json()["items"] == []
    production = client_with(environment="production")
    assert production.get("/v1/mail", headers=headers).status_code == 404


def test_the_page_of_a_link_runs_one_script_of_ours_and_tells_no_other_site_of_it(client):
    answer = client.get("/account/link")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "http" not in answer.text.replace("http-equiv", "")
