"""A browser's session against the pages of others, and against scripts in its own."""

from http.cookies import SimpleCookie

import msgspec
import pytest
from litestar.testing import TestClient

from api.app import create_app
from api.auth.cookies import DEVICE, REFRESH

PASSWORD = "correct horse battery"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8700"}
ELSEWHERE = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another host of this site": {"Sec-Fetch-Site": "same-site"},
    "another origin": {"Origin": "https://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:8701"},
    "another scheme": {"Origin": "https://127.0.0.1:8700"},
    "an origin that hides itself": {"Origin": "null"},
    "own site, another origin": {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
}


def set_in(answer):
    """The cookies that an answer sets, by name."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        found |= SimpleCookie(header)
    return found


def post(client, path, body, cookies=None, headers=OWN):
    # Each request carries what it says, not what the client collected.
    client.cookies.clear()
    written = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    sent = {**headers, **({"Cookie": written} if written else {})}
    return client.post(f"/v1/auth/{path}", json=body, headers=sent)


def log_in(client, person, cookies=None, headers=OWN, **more):
    body = {"email": person.email, "password": PASSWORD, "keep": "cookie", **more}
    return post(client, "login", body, cookies, headers)


def kept(answer):
    return {name: morsel.value for name, morsel in set_in(answer).items()}


def test_no_script_can_read_what_the_browser_keeps(client, ada):
    answer = log_in(client, ada)
    body, cookies = answer.json(), set_in(answer)
    assert (answer.status_code, body["refresh_token"], body["device_token"]) == (200, None, None)
    assert body["access_token"]
    for name, days in ((REFRESH, 30), (DEVICE, 180)):
        cookie = cookies[name]
        assert cookie.value
        assert cookie.value not in answer.text
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (
            True,
            "strict",
            "/v1/auth",
        )
        assert int(cookie["max-age"]) == days * 24 * 3600
        assert not cookie["secure"]
        assert not cookie["domain"]


def test_cookies_are_sent_encrypted_only_where_the_api_is_https(settings, ada):
    secure = msgspec.structs.replace(settings, api_url="https://signalbox.example")
    with TestClient(create_app(secure)) as client:
        answer = log_in(client, ada, headers={"Origin": "https://signalbox.example"})
        assert all(cookie["secure"] for cookie in set_in(answer).values())
        assert len(set_in(answer)) == 2


def test_a_login_that_asks_for_no_cookie_gets_its_tokens_in_the_answer(client, ada):
    answer = post(client, "login", {"email": ada.email, "password": PASSWORD})
    assert answer.json()["refresh_token"].startswith("rt_")
    assert answer.json()["device_token"]
    assert not set_in(answer)


def test_registering_in_a_browser_signs_in_by_cookie(client):
    body = {"email": "eve@example.org", "handle": "eve", "password": PASSWORD, "keep": "cookie"}
    answer = post(client, "register", body)
    assert (answer.status_code, answer.json()["refresh_token"]) == (201, None)
    assert post(client, "refresh", {}, kept(answer)).status_code == 200


def test_a_cookie_is_exchanged_once_for_the_next(client, ada):
    first = kept(log_in(client, ada))
    answer = post(client, "refresh", {}, first)
    assert (answer.status_code, answer.json()["refresh_token"]) == (200, None)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert client.get("/v1/auth/me", headers=headers).json()["handle"] == "ada"
    second = kept(answer)
    assert second[REFRESH] != first[REFRESH]
    assert post(client, "refresh", {}, second).status_code == 200
    replayed = post(client, "refresh", {}, first)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "refresh_token_reused")
    assert set_in(replayed)[REFRESH]["max-age"] == "0"


def test_a_page_that_was_left_while_it_refreshed_stays_signed_in(client, ada):
    first = kept(log_in(client, ada))
    lost = [kept(post(client, "refresh", {}, first)) for _ in range(3)]
    last = post(client, "refresh", {}, first)
    assert last.status_code == 200
    assert post(client, "refresh", {}, kept(last)).status_code == 200
    assert len({cookies[REFRESH] for cookies in lost}) == 3


def test_an_answer_that_was_lost_ends_the_login_when_somebody_has_it(client, ada):
    first = kept(log_in(client, ada))
    overheard = kept(post(client, "refresh", {}, first))
    good = kept(post(client, "refresh", {}, first))
    stolen = post(client, "refresh", {}, overheard)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_token_reused")
    assert post(client, "refresh", {}, good).status_code == 401


def test_a_cookie_that_comes_back_later_ends_the_login(client, make, ada):
    first = kept(log_in(client, ada))
    second = kept(post(client, "refresh", {}, first))
    make.connection.execute(
        "update account.refresh_token set used_at = used_at - interval '11 seconds'"
        " where used_at is not null"
    )
    replayed = post(client, "refresh", {}, first)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "refresh_token_reused")
    assert post(client, "refresh", {}, second).status_code == 401


def test_a_token_in_a_body_has_no_leeway(client, ada):
    answer = post(client, "login", {"email": ada.email, "password": PASSWORD})
    body = {"refresh_token": answer.json()["refresh_token"]}
    assert post(client, "refresh", body).status_code == 200
    assert post(client, "refresh", body).json()["code"] == "refresh_token_reused"


@pytest.mark.parametrize("route", ["refresh", "logout"])
def test_without_a_cookie_there_is_no_session(client, route):
    answer = post(client, route, {})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")
    assert not set_in(answer)


def test_logging_out_ends_the_session_and_clears_the_cookie(client, ada):
    cookies = kept(log_in(client, ada))
    answer = post(client, "logout", {}, cookies)
    assert (answer.status_code, kept(answer)) == (204, {REFRESH: ""})
    assert set_in(answer)[REFRESH]["max-age"] == "0"
    assert post(client, "refresh", {}, cookies).json()["code"] == "invalid_refresh_token"


def test_logging_out_everywhere_clears_the_cookie_of_the_browser_that_asks(client, ada):
    answer = log_in(client, ada)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}", **OWN}
    ended = post(client, "logout-everywhere", None, kept(answer), headers)
    assert (ended.status_code, kept(ended)) == (204, {REFRESH: ""})
    client.cookies.clear()
    assert not set_in(client.post("/v1/auth/logout-everywhere", headers=ada.headers))


@pytest.mark.parametrize("route", ["refresh", "logout"])
@pytest.mark.parametrize("asker", ELSEWHERE)
def test_a_page_of_another_address_can_neither_refresh_nor_log_out(client, ada, route, asker):
    cookies = kept(log_in(client, ada))
    answer = post(client, route, {}, cookies, ELSEWHERE[asker])
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert not set_in(answer)
    assert post(client, "refresh", {}, cookies).status_code == 200


@pytest.mark.parametrize("asker", ELSEWHERE)
def test_a_page_of_another_address_cannot_sign_the_browser_in_as_its_owner(client, ada, asker):
    answer = log_in(client, ada, headers=ELSEWHERE[asker])
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert not set_in(answer)


def test_the_name_that_was_asked_for_is_an_own_address_too(client, ada):
    cookies = kept(log_in(client, ada))
    headers = {"Host": "localhost:8700", "Origin": "http://localhost:8700"}
    assert post(client, "refresh", {}, cookies, headers).status_code == 200


def test_a_token_in_the_body_needs_no_page_and_moves_no_cookie(client, ada):
    cookies = kept(log_in(client, ada))
    token = post(client, "login", {"email": ada.email, "password": PASSWORD}).json()
    body = {"refresh_token": token["refresh_token"]}
    answer = post(client, "refresh", body, cookies, ELSEWHERE["another site"])
    assert answer.json()["refresh_token"].startswith("rt_")
    assert not set_in(answer)
    assert post(client, "refresh", {}, cookies).status_code == 200


@pytest.mark.parametrize("path", ["auth/me", "auth/sessions", "subscriptions", "api-keys"])
def test_no_other_route_knows_a_person_by_a_cookie(client, ada, path):
    cookies = kept(log_in(client, ada))
    client.cookies.clear()
    written = "; ".join(f"{name}={value}" for name, value in cookies.items())
    answer = client.get(f"/v1/{path}", headers={"Cookie": written, **OWN})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_whoever_guesses_makes_nobody_wait_where_a_cookie_knows_the_device(client, ada):
    cookies = {DEVICE: kept(log_in(client, ada))[DEVICE]}
    guesses = [log_in(client, ada, password="a guess").status_code for _ in range(21)]
    assert guesses == [401] * 20 + [429]
    assert log_in(client, ada, cookies).status_code == 200
