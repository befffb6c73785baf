"""The door before Dagster: a cookie of operators, which ends with their login."""

from datetime import timedelta
from http.cookies import SimpleCookie

import msgspec
import pytest
from litestar.testing import TestClient

from api.admin.dagster_session import COOKIE, LIFETIME
from api.app import create_app
from api.auth import access_tokens
from sql.clock import system_clock

ROUTE = "/v1/admin/dagster/session"


@pytest.fixture
def root(make):
    return make.person("root", "operator")


def opened(client, person):
    """The cookie that a browser is given."""
    answer = client.post(ROUTE, headers=person.headers)
    assert answer.status_code == 204, answer.text
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


def asked(client, value):
    """What the proxy before Dagster is told of a browser that shows `value`."""
    client.cookies.clear()
    return client.get(ROUTE, headers={"Cookie": f"{COOKIE}={value}"})


def test_an_operator_is_let_in_by_a_cookie_that_no_script_and_no_other_path_sees(client, root):
    cookie = opened(client, root)
    assert (cookie["path"], cookie["samesite"].lower()) == ("/dagster", "strict")
    assert cookie["httponly"] is True
    assert int(cookie["max-age"]) == LIFETIME.total_seconds()
    let_in = asked(client, cookie.value)
    assert let_in.status_code == 204
    assert let_in.headers["cache-control"] == "no-store"
    (act,) = client.get("/v1/admin/audit?action=dagster.open", headers=root.headers).json()["items"]
    assert act["actor"] == root.handle


def test_over_https_the_cookie_never_goes_without_it(settings, root):
    secure = msgspec.structs.replace(settings, api_url="https://example.org")
    with TestClient(create_app(secure)) as client:
        assert opened(client, root)["secure"] is True


def test_the_pass_opens_nothing_of_the_api_and_a_token_of_the_api_does_not_open_the_door(
    client, root
):
    pass_ = opened(client, root).value
    assert asked(client, pass_).status_code == 204
    shown = client.get("/v1/admin/health", headers={"Authorization": f"Bearer {pass_}"})
    assert shown.status_code == 401
    token = root.headers["Authorization"].removeprefix("Bearer ")
    assert asked(client, token).status_code == 401
    assert client.get(ROUTE, headers=root.headers).status_code == 401


def test_a_forged_an_altered_and_no_pass_stay_outside(client, root):
    good = opened(client, root).value
    claims = access_tokens.session_claims(
        client.app.state.installation.secret, good, system_clock(), access_tokens.DAGSTER
    )
    forged = access_tokens.issue(
        b"x" * 32, claims.user_id, system_clock(), access_tokens.DAGSTER,
        session_id=claims.session_id,
    )  # fmt: skip
    for value in ("", "x", "a.b.c", forged, good[:-2], good.replace(".", "", 1)):
        assert asked(client, value).status_code == 401


def test_a_pass_ends_after_eight_hours(client, root):
    installation = client.app.state.installation
    claims = access_tokens.session_claims(
        installation.secret, opened(client, root).value, system_clock(), access_tokens.DAGSTER
    )

    def issued(age):
        return access_tokens.issue(
            installation.secret, claims.user_id, system_clock() - age, access_tokens.DAGSTER,
            session_id=claims.session_id, lifetime=LIFETIME,
        )  # fmt: skip

    assert asked(client, issued(LIFETIME - timedelta(minutes=5))).status_code == 204
    assert asked(client, issued(LIFETIME)).status_code == 401


def test_a_pass_ends_with_the_login_at_once(client, root):
    value = opened(client, root).value
    assert asked(client, value).status_code == 204
    assert client.post("/v1/auth/logout-everywhere", headers=root.headers).status_code == 204
    assert asked(client, value).status_code == 401


def test_a_pass_ends_with_the_role_at_once(client, root, make):
    value = opened(client, root).value
    assert asked(client, value).status_code == 204
    make.connection.execute(
        "update account.user_account set role = 'member' where id = %s", [root.id]
    )
    assert asked(client, value).status_code == 401


def test_where_operators_need_a_second_factor_so_does_the_door(settings, root):
    strict = msgspec.structs.replace(settings, operators_need_totp=True)
    with TestClient(create_app(settings)) as client:
        value = opened(client, root).value
    with TestClient(create_app(strict)) as client:
        assert client.post(ROUTE, headers=root.headers).status_code == 403
        assert asked(client, value).status_code == 401


def test_closing_has_the_browser_forget_it(client, root):
    answer = client.delete(ROUTE, headers=root.headers)
    assert answer.status_code == 204
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", "/dagster")
