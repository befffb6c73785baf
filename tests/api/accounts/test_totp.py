"""Second factors: RFC 6238's own vectors, and those who replay, guess and move rows."""

import base64
import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from api.app import create_app
from api.auth import totp

SECRET = b"0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse battery"
RFC_SECRET = b"12345678901234567890"
# RFC 6238, appendix B, SHA-1.
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
# RFC 4226, appendix D.
HOTP = ("755224", "287082", "359152", "969429", "338314",
        "254676", "287922", "162583", "399871", "520489")  # fmt: skip


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_codes_are_those_of_rfc_6238(seconds, code):
    step = totp.step_of(datetime.fromtimestamp(seconds, UTC))
    assert totp.code_at(RFC_SECRET, step, digits=8) == code


@pytest.mark.parametrize(("step", "code"), list(enumerate(HOTP)))
def test_codes_are_those_of_rfc_4226(step, code):
    assert totp.code_at(RFC_SECRET, step) == code


def test_a_code_is_good_for_a_clock_that_is_one_step_off_and_no_more():
    now = datetime(2026, 11, 21, 9, 0, 15, tzinfo=UTC)
    step = totp.step_of(now)
    matches = [
        totp.matching_step(RFC_SECRET, totp.code_at(RFC_SECRET, step + off), now) is not None
        for off in (-2, -1, 0, 1, 2)
    ]
    assert matches == [False, True, True, True, False]


def test_a_sealed_secret_opens_for_its_own_row_and_installation_only():
    person, other = uuid.uuid4(), uuid.uuid4()
    sealed = totp.seal(SECRET, person, RFC_SECRET)
    assert totp.unseal(SECRET, person, sealed) == RFC_SECRET
    altered = sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]
    for installation, row, stored in (
        (SECRET, other, sealed),
        (b"x" * 32, person, sealed),
        (SECRET, person, altered),
    ):
        with pytest.raises(totp.UnreadableSecretError, match="remove-totp"):
            totp.unseal(installation, row, stored)


class Authenticator:
    """A phone; each code it shows is of a later step than the one before."""

    def __init__(self, make, person_id, secret):
        self._make, self._person_id, self.secret = make, person_id, secret

    def code(self):
        """The code of now, as if the last one was used a minute ago."""
        self._make.connection.execute(
            "update account.totp set last_step = last_step - 2 where user_id = %s",
            [self._person_id],
        )
        return self.shown()

    def shown(self):
        return totp.code_at(self.secret, totp.step_of(datetime.now(UTC)))


def enrol(client, person, headers=None):
    body = {"password": PASSWORD}
    return client.post("/v1/auth/totp", json=body, headers=headers or person.headers)


def confirm(client, headers, code):
    return client.post("/v1/auth/totp/confirm", json={"code": code}, headers=headers)


def login(client, person, **more):
    body = {"email": person.email, "password": PASSWORD} | more
    return client.post("/v1/auth/login", json=body)


@pytest.fixture
def phone(client, make, ada):
    """Ada's, enrolled and confirmed; its recovery codes beside it."""
    secret = base64.b32decode(enrol(client, ada).json()["secret"])
    phone = Authenticator(make, ada.id, secret)
    phone.first_code = phone.shown()
    answer = confirm(client, ada.headers, phone.first_code)
    phone.recovery_codes = answer.json()["recovery_codes"]
    return phone


def test_enrolling_shows_the_secret_once_and_asks_for_nothing_before_it_is_confirmed(
    client, make, letters, ada
):
    shown = enrol(client, ada).json()
    uri = urlsplit(shown["otpauth_uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Signalbox:ada")
    assert parse_qs(uri.query) == {"secret": [shown["secret"]], "issuer": ["Signalbox"]}
    assert login(client, ada).status_code == 200
    ((stored,),) = make.connection.execute("select sealed_secret from account.totp").fetchall()
    assert base64.b32decode(shown["secret"]) not in stored
    assert confirm(client, ada.headers, "000000").json()["code"] == "invalid_totp"
    code = totp.code_at(base64.b32decode(shown["secret"]), totp.step_of(datetime.now(UTC)))
    assert len(set(confirm(client, ada.headers, code).json()["recovery_codes"])) == 10
    assert enrol(client, ada).json()["code"] == "totp_enabled"
    assert letters.kinds() == ["totp_enabled"]


def test_the_right_password_alone_opens_nothing_any_more(client, ada, phone):
    absent = login(client, ada)
    assert (absent.status_code, absent.json()["code"]) == (401, "totp_required")
    assert "access_token" not in absent.text
    wrong = login(client, ada, totp="000000")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_totp")
    assert login(client, ada, totp=phone.code()).status_code == 200


def test_a_wrong_password_does_not_tell_whether_there_is_a_second_factor(client, ada, bob, phone):
    body = {"email": ada.email, "password": "a guess", "totp": phone.code()}
    with_factor = client.post("/v1/auth/login", json=body)
    without = client.post("/v1/auth/login", json=body | {"email": bob.email})
    assert with_factor.status_code == without.status_code == 401
    assert with_factor.text == without.text


def test_a_replayed_code_is_refused_and_so_is_an_older_one(client, ada, phone):
    code = phone.code()
    assert login(client, ada, totp=code).status_code == 200
    assert login(client, ada, totp=code).json()["code"] == "invalid_totp"
    older = totp.code_at(phone.secret, totp.step_of(datetime.now(UTC) - timedelta(seconds=30)))
    assert login(client, ada, totp=older).json()["code"] == "invalid_totp"


def test_the_code_that_confirmed_it_signs_in_nobody(client, ada, phone):
    assert login(client, ada, totp=phone.first_code).json()["code"] == "invalid_totp"


def test_eight_logins_at_once_with_one_code_have_at_most_one_winner(client, ada, phone):
    code = phone.code()
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda _: login(client, ada, totp=code), range(8))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


def test_a_recovery_code_signs_in_once_and_the_person_is_told(client, letters, make, ada, phone):
    first, second = phone.recovery_codes[:2]
    assert login(client, ada, totp=first.upper().replace("-", " ")).status_code == 200
    assert login(client, ada, totp=first).json()["code"] == "invalid_totp"
    assert login(client, ada, totp=second).status_code == 200
    assert letters.kinds() == ["recovery_code_used"] * 2 + ["totp_enabled"]
    rows = make.connection.execute("select code_sha256 from account.recovery_code").fetchall()
    assert not any(code.replace("-", "").encode() in row for (row,) in rows for code in [first])


@pytest.mark.usefixtures("phone")
def test_guessing_codes_with_the_right_password_is_slowed_down(client, ada):
    answers = [login(client, ada, totp=f"{number:06}") for number in range(22)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 2


@pytest.mark.usefixtures("phone")
def test_showing_no_code_in_between_does_not_make_guessing_free(client, ada):
    answers = [
        login(client, ada, **({"totp": f"{number:06}"} if number % 3 else {}))
        for number in range(22)
    ]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 2


def test_confirming_ends_the_logins_that_had_no_second_factor(client, make, ada):
    elsewhere = make.session(ada.id)
    secret = base64.b32decode(enrol(client, ada).json()["secret"])
    assert confirm(client, ada.headers, totp.code_at(secret, totp.step_of(datetime.now(UTC))))
    assert client.get("/v1/auth/me", headers=elsewhere).status_code == 401
    assert client.get("/v1/auth/me", headers=ada.headers).json()["has_totp"] is True


def test_disabling_takes_password_and_code(client, letters, ada, phone):
    def disable(password, code):
        body = {"password": password, "code": code}
        return client.post("/v1/auth/totp/disable", json=body, headers=ada.headers)

    assert disable("a guess", phone.code()).json()["code"] == "invalid_credentials"
    assert disable(PASSWORD, "000000").json()["code"] == "invalid_totp"
    assert disable(PASSWORD, phone.recovery_codes[0]).status_code == 204
    assert login(client, ada).status_code == 200
    assert disable(PASSWORD, phone.recovery_codes[1]).json()["code"] == "totp_not_enabled"
    assert "totp_disabled" in letters.kinds()


def test_the_row_of_another_person_signs_in_nobody(client, make, ada, bob, phone, caplog):
    """An attacker who writes into the database copies their own factor over another's."""
    make.connection.execute(
        "insert into account.totp select %s, sealed_secret, created_at, confirmed_at, 0"
        " from account.totp where user_id = %s",
        [bob.id, ada.id],
    )
    answer = login(client, bob, totp=phone.code())
    assert answer.status_code == 500
    assert "remove-totp" in caplog.text


def test_the_kit_asks_for_the_code_after_the_password(settings, serve, ada, phone, tmp_path):
    with serve(create_app(settings)) as url:
        told = subprocess.run(
            [sys.executable, "-m", "signalbox.cli", "login", url, "--email", ada.email, "--stdin"],
            input=f"{PASSWORD}\n{phone.code()}\n",
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert told.returncode == 0, told.stderr
    assert f"logged in to {url} as ada" in told.stdout


def test_an_operator_without_a_second_factor_is_nobody_where_it_is_demanded(
    client_with, make, tide
):
    root = make.person("root", "operator")
    client = client_with(operators_need_totp=True)
    path = f"{tide.path}/versions/v1.0.0/runs"
    refused = client.get(path, headers=root.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "totp_required_for_operators")
    made = client.post("/v1/api-keys", json={"name": "k", "scopes": ["read"]}, headers=root.headers)
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    assert client.get(path, headers=key).json()["code"] == "totp_required_for_operators"
    assert client.get(path, headers=make.session(root.id, has_totp=True)).status_code == 200
    assert client.get(path, headers=tide.provider.headers).status_code == 200


def test_an_operator_in_a_demonstration_needs_no_second_factor(client_with, make, tide):
    root = make.person("root", "operator")
    path = f"{tide.path}/versions/v1.0.0/runs"
    assert client_with(environment="demo").get(path, headers=root.headers).status_code == 200
    production = client_with(environment="production").get(path, headers=root.headers)
    assert production.json()["code"] == "totp_required_for_operators"
