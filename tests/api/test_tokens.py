"""Access and refresh tokens against those who forge, replay and race."""

import asyncio
import base64
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import jwt
import psycopg
import pytest

from api.auth import access_tokens, devices
from api.auth.networks import Seen
from api.auth.refresh_tokens import exchange
from sql.roles import API, conninfo

SECRET = b"0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse battery"


def session_of(person):
    token = person.headers["Authorization"].removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})["sid"]


def claims(person, **changes):
    now = int(datetime.now(UTC).timestamp())
    return {
        "iss": "signalbox",
        "aud": "signalbox-api",
        "sub": str(person.id),
        "sid": session_of(person),
        "iat": now,
        "exp": now + 600,
    } | changes


def signed(payload, secret=SECRET, kid=None):
    headers = {"kid": kid or access_tokens.key_id(SECRET)}
    return jwt.encode(payload, secret, algorithm="HS256", headers=headers)


def unsigned(payload, algorithm):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    header = {"alg": algorithm, "typ": "JWT", "kid": access_tokens.key_id(SECRET)}
    return f"{part(header)}.{part(payload)}."


FORGERIES = {
    "alg none": lambda p: unsigned(claims(p), "none"),
    "alg None in capitals": lambda p: unsigned(claims(p), "NONE"),
    "no signature": lambda p: unsigned(claims(p), "HS256"),
    "another secret": lambda p: signed(claims(p), b"x" * 32),
    "another key id": lambda p: signed(claims(p), kid="0"),
    "another audience": lambda p: signed(claims(p, aud="signalbox-checkout:1")),
    "another issuer": lambda p: signed(claims(p, iss="evil")),
    "expired": lambda p: signed(claims(p, exp=int(datetime.now(UTC).timestamp()) - 1)),
    "never expires": lambda p: signed(claims(p, exp=None)),
    "no expiry": lambda p: signed({k: v for k, v in claims(p).items() if k != "exp"}),
    "subject is no id": lambda p: signed(claims(p, sub="ada")),
    "unknown person": lambda p: signed(claims(p, sub="00000000-0000-4000-8000-000000000000")),
    "no session": lambda p: signed({k: v for k, v in claims(p).items() if k != "sid"}),
    "an unknown session": lambda p: signed(claims(p, sid="00000000-0000-4000-8000-000000000000")),
    "a pass for a checkout": lambda p: access_tokens.issue(
        SECRET, p.id, datetime.now(UTC), "signalbox-checkout:1"
    ),
    "a device token": lambda p: devices.issue(SECRET, p.id, datetime.now(UTC)),
    "not a token": lambda _: "a.b.c",
    "not even text": lambda _: "%00",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_access_token_is_refused(client, ada, forgery):
    token = FORGERIES[forgery](ada)
    answer = client.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_the_same_claims_signed_rightly_are_accepted(client, ada):
    headers = {"Authorization": f"Bearer {signed(claims(ada))}"}
    assert client.get("/v1/auth/me", headers=headers).status_code == 200


def test_an_access_token_ends_after_ten_minutes(client, ada):
    begun = datetime.now(UTC) - timedelta(minutes=10)
    token = access_tokens.issue(SECRET, ada.id, begun, session_id=uuid.UUID(session_of(ada)))
    answer = client.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def login(client, person):
    body = {"email": person.email, "password": PASSWORD}
    return client.post("/v1/auth/login", json=body).json()


def refresh(client, token):
    return client.post("/v1/auth/refresh", json={"refresh_token": token})


def test_a_refresh_token_does_not_serve_as_access_token(client, ada):
    token = login(client, ada)["refresh_token"]
    answer = client.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_an_access_token_does_not_serve_as_refresh_token(client, ada):
    assert refresh(client, login(client, ada)["access_token"]).status_code == 401


def test_a_replayed_refresh_token_ends_its_family_and_no_other(client, ada):
    stolen, elsewhere = login(client, ada)["refresh_token"], login(client, ada)["refresh_token"]
    successor = refresh(client, stolen).json()["refresh_token"]
    replay = refresh(client, stolen)
    assert (replay.status_code, replay.json()["code"]) == (401, "refresh_token_reused")
    assert refresh(client, successor).status_code == 401
    assert refresh(client, elsewhere).status_code == 200


def test_twelve_parallel_refreshes_of_one_token_have_at_most_one_winner(client, ada):
    token = login(client, ada)["refresh_token"]
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: refresh(client, token), range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 11
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert refresh(client, winner.json()["refresh_token"]).status_code == 401


def test_who_comes_second_with_the_earlier_clock_is_refused_too(client, database, ada):
    token, seen = login(client, ada)["refresh_token"], Seen("", "")
    now = datetime.now(UTC)

    async def exchanged(at):
        async with await psycopg.AsyncConnection.connect(conninfo(database.url(API))) as connection:
            return await exchange(connection, token, at, seen)

    assert asyncio.run(exchanged(now + timedelta(seconds=1))).outcome == "rotated"
    assert asyncio.run(exchanged(now)).outcome == "reused"


def test_logout_ends_the_login(client, ada):
    token = login(client, ada)["refresh_token"]
    assert client.post("/v1/auth/logout", json={"refresh_token": token}).status_code == 204
    assert refresh(client, token).status_code == 401


def test_an_expired_refresh_token_is_refused(client, make, ada):
    token = login(client, ada)["refresh_token"]
    make.connection.execute("update account.refresh_token set expires_at = now()")
    assert refresh(client, token).json()["code"] == "invalid_refresh_token"


def test_a_session_of_another_person_in_a_signed_token_is_refused(client, ada, bob):
    # Nobody can sign this; should it happen, the database does not find such a session either.
    headers = {"Authorization": f"Bearer {signed(claims(ada, sid=session_of(bob)))}"}
    assert client.get("/v1/auth/me", headers=headers).status_code == 401


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, ada):
    wrong = client.post("/v1/auth/login", json={"email": ada.email, "password": "guess"})
    unknown = client.post("/v1/auth/login", json={"email": "no@no.no", "password": "guess"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text == unknown.text


def test_a_login_works_with_a_stale_token_still_attached(client, ada):
    body = {"email": ada.email, "password": PASSWORD}
    answer = client.post("/v1/auth/login", json=body, headers={"Authorization": "Bearer stale"})
    assert answer.status_code == 200
