"""Data-source keys over HTTP: shown by their ends, never whole, to their owner alone."""

import msgspec
import pytest
from litestar.testing import TestClient

from api.app import create_app
from sql.envelope import KeyRing, public_file

PATH = "/v1/data-source-keys"
SECRET = "PKABsecretsecretWXYZ"
BODY = {"name": "shares", "source": "alpaca", "key": SECRET}


@pytest.fixture
def settings(settings, tmp_path):
    ring = KeyRing.make(tmp_path / "data.keys")
    public = str(public_file(ring.path))
    return msgspec.structs.replace(settings, data_public_key_file=public)


def stored(client, person, **changes):
    answer = client.post(PATH, json=BODY | changes, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_key_is_shown_by_its_first_and_last_four_characters(client, ada):
    made = stored(client, ada)
    assert made["shown"] == "PKAB...WXYZ"
    listed = client.get(PATH, headers=ada.headers)
    assert listed.json()["items"] == [made]
    assert "secret" not in listed.text


def test_what_is_stored_and_what_is_logged_does_not_hold_the_key(client, make, ada, caplog):
    caplog.set_level("DEBUG")
    stored(client, ada)
    client.post(PATH, json=BODY | {"source": "X"}, headers=ada.headers)
    acts = client.get("/v1/audit", headers=ada.headers).text
    assert "data_source_key.create" in acts
    row = make.connection.execute("select * from account.data_source_key").fetchone()
    cells = b"".join(cell for cell in row if isinstance(cell, bytes))
    assert "secretsecret" not in f"{row}{acts}{caplog.text}"
    assert b"secretsecret" not in cells


def test_a_refusal_does_not_repeat_the_key(client, ada):
    answer = client.post(PATH, json=BODY | {"source": 5}, headers=ada.headers)
    assert answer.status_code == 400
    assert "secret" not in answer.text


def test_another_persons_key_is_neither_seen_nor_deleted(client, ada, bob):
    made = stored(client, ada)
    assert client.get(PATH, headers=bob.headers).json()["items"] == []
    answer = client.delete(f"{PATH}/{made['id']}", headers=bob.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_deleted_key_is_erased_and_stays_listed(client, make, ada):
    made = stored(client, ada)
    for _ in range(2):
        assert client.delete(f"{PATH}/{made['id']}", headers=ada.headers).status_code == 204
    (listed,) = client.get(PATH, headers=ada.headers).json()["items"]
    assert listed["revoked_at"]
    kept = "select sealed, wrapped_key, key_id from account.data_source_key"
    assert make.connection.execute(kept).fetchone() == (None, None, None)


def test_a_key_too_short_to_show_its_ends_or_too_long_is_refused(client, ada):
    for key in ("short", "x" * 5000, "", None, 7):
        answer = client.post(PATH, json=BODY | {"key": key}, headers=ada.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_no_api_key_stores_or_deletes_one(client, ada):
    made = stored(client, ada)
    body = {"name": "machine", "scopes": ["read", "push"]}
    key = client.post("/v1/api-keys", json=body, headers=ada.headers).json()["key"]
    machine = {"Authorization": f"Bearer {key}"}
    assert client.post(PATH, json=BODY, headers=machine).status_code == 403
    assert client.delete(f"{PATH}/{made['id']}", headers=machine).status_code == 403
    assert client.get(PATH, headers=machine).status_code == 200


def test_an_installation_without_a_public_key_takes_none_and_says_so(settings, ada):
    without = msgspec.structs.replace(settings, data_public_key_file=None)
    with TestClient(create_app(without)) as client:
        answer = client.post(PATH, json=BODY, headers=ada.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "data_source_keys_disabled")


def test_a_new_public_key_is_taken_without_a_restart(client, make, ada, tmp_path):
    stored(client, ada)
    newest = KeyRing.read(tmp_path / "data.keys").rotate()
    stored(client, ada)
    rows = make.connection.execute("select key_id from account.data_source_key order by created_at")
    assert rows.fetchall()[1] == (newest,)
