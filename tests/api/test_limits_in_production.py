"""Limits of production, as a stranger meets them: a real server, behind a proxy it believes."""

import httpx
import pytest

from api.limits import table
from api.settings import ApiSettings
from sql.roles import API, DATABASE
from tests.api.conftest import PASSWORD, SECRET, Factory
from tests.api.server import serving
from tests.conftest import copied

STRAYS = table.STRAYS_PER_MINUTE
# Two tokens come back each second: so many more are asked for that a slow machine runs out too.
SLACK = 60


@pytest.fixture(scope="module")
def database(postgres):
    """One for the module: each test asks from addresses of its own."""
    with copied(postgres, "test_limits_in_production", DATABASE) as copy:
        yield copy


@pytest.fixture(scope="module")
def make(database):
    with database.superuser() as connection:
        yield Factory(connection, lambda _: None)


@pytest.fixture(scope="module")
def ada(make):
    return make.person("ada")


@pytest.fixture(scope="module")
def bob(make):
    return make.person("bob")


@pytest.fixture(scope="module")
def tide(make, ada):
    return make.signal(ada)


@pytest.fixture(scope="module")
def production(database, tmp_path_factory):
    """Asks as whoever is behind an address."""
    secret = tmp_path_factory.mktemp("limits") / "secret"
    secret.write_bytes(SECRET)
    url = database.url(API).render_as_string(hide_password=False)
    settings = ApiSettings(database_url=url, secret_key_file=str(secret))
    more = {"SIGNALBOX_ENVIRONMENT": "production", "SIGNALBOX_TRUSTED_PROXIES": "127.0.0.0/8"}
    with serving(settings, **more) as url, httpx.Client(base_url=url) as client:

        def ask(address, path, method="GET", **more):
            headers = {"X-Forwarded-For": address, **more.pop("headers", {})}
            return client.request(method, path, headers=headers, **more)

        yield ask


def scan(ask, address, path, headers=None, times=STRAYS + SLACK):
    return [ask(address, path.format(n), headers=headers or {}).status_code for n in range(times)]


@pytest.mark.parametrize("path", ["/nowhere/{}", "/v1/signals/ada/{}"])
def test_scanning_for_what_exists_is_limited_and_other_routes_and_people_are_not(
    production, tide, bob, path
):
    statuses = scan(production, "192.0.2.1", path)
    assert statuses[:STRAYS] == [404] * STRAYS
    assert 429 in statuses[STRAYS:]
    refused = production("192.0.2.1", path.format("x"))
    if refused.status_code == 429:  # tokens come back, two a second
        assert refused.json()["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1
    assert production("192.0.2.1", "/v1/signals").status_code == 200
    assert production("192.0.2.1", f"{tide.path}/performance").status_code == 200
    assert production("192.0.2.2", tide.path).status_code == 200
    # At the same address, on the same route, but known.
    assert production("192.0.2.1", tide.path, headers=bob.headers).status_code == 200


def test_a_scanner_does_not_learn_what_exists_by_what_is_not_refused(production, tide):
    scan(production, "198.51.100.1", "/v1/signals/ada/{}")
    # Refused for what is not there, the scanner is refused a moment later for what is.
    pairs = [
        [production("198.51.100.1", path).status_code for path in ("/v1/signals/ada/x", tide.path)]
        for _ in range(SLACK)
    ]
    assert [429, 429] in pairs
    assert production("192.0.2.3", tide.path).status_code == 200


def test_guessing_keys_is_limited_and_a_key_that_was_good_goes_on(production, bob):
    body = {"name": "machine", "scopes": ["read"]}
    made = production("192.0.2.9", "/v1/api-keys", "POST", json=body, headers=bob.headers).json()
    good = {"Authorization": f"Bearer {made['key']}"}
    assert production("203.0.113.1", "/v1/auth/me", headers=good).status_code == 200
    guess = {"Authorization": f"Bearer {made['key'][:-1]}_"}
    statuses = scan(production, "203.0.113.1", "/v1/auth/me", guess)
    assert statuses[:STRAYS] == [401] * STRAYS
    assert 429 in statuses[STRAYS:]
    for address in ("203.0.113.1", "192.0.2.2"):
        assert production(address, "/v1/auth/me", headers=good).status_code == 200
    assert production("203.0.113.1", "/v1/auth/me", headers=bob.headers).status_code == 200
    assert production("203.0.113.1", "/v1/signals").status_code == 200


def test_logins_from_one_address_are_limited_and_those_from_others_and_other_routes_are_not(
    production, make, bob
):
    carol = make.person("carol")
    guess = {"email": bob.email, "password": "wrong"}
    statuses = [
        production("2001:db8::1", "/v1/auth/login", "POST", json=guess).status_code
        for _ in range(STRAYS + SLACK)
    ]
    assert statuses[:20] == [401] * 20
    assert 429 in statuses
    neighbour = "2001:db8:0:ff::1"  # the same /56
    assert production(neighbour, "/v1/signals").status_code == 200
    body = {"email": carol.email, "password": PASSWORD}
    assert production("2001:db8:0:100::1", "/v1/auth/login", "POST", json=body).status_code == 200


def test_writing_too_fast_is_refused_for_that_account_alone_and_reading_goes_on(
    production, make, bob
):
    eve = make.person("eve")
    limit = table.PER_MINUTE["write"]["member"]
    path = "/v1/signing-keys"
    answers = [
        production("203.0.113.7", path, "POST", json={}, headers=eve.headers)
        for _ in range(limit + SLACK)
    ]
    assert [answer.status_code for answer in answers[:limit]] == [400] * limit
    assert 429 in [answer.status_code for answer in answers[limit:]]
    assert answers[0].headers["ratelimit-limit"] == str(limit)
    assert answers[0].headers["ratelimit-remaining"] == str(limit - 1)
    assert answers[0].headers["ratelimit-reset"] == "1"
    assert production("203.0.113.7", path, headers=eve.headers).status_code == 200
    again = production("203.0.113.7", path, "POST", json={}, headers=bob.headers)
    assert again.status_code == 400
