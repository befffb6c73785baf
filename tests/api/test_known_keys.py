"""API keys that were looked up a moment ago are refused as promptly as if they were not kept."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from sql.roles import conninfo
from tests.waiting import until

ME = "/v1/auth/me"


@pytest.fixture
def key(client, ada):
    body = {"name": "machine", "scopes": ["read"]}
    made = client.post("/v1/api-keys", json=body, headers=ada.headers).json()
    return {"id": made["id"], "Authorization": f"Bearer {made['key']}"}


def show(client, key):
    return client.get(ME, headers={"Authorization": key["Authorization"]})


def soon(holds):
    """Far less than the 30 seconds for which a key is kept."""
    until(holds, 10)


@pytest.fixture
def kept(client, app, key):
    """The key, looked up and kept, at the beginning of a minute."""
    soon(lambda: app.state.installation.listener.is_up)
    time.sleep(max(datetime.now(UTC).second - 50, 0))
    assert show(client, key).status_code == 200
    return key


def allow_connections(database, whether):
    # From elsewhere: nobody may close the door of the room they are in.
    with psycopg.connect(conninfo(database.admin), autocommit=True) as connection:
        connection.execute(f"alter database {database.name} with allow_connections {whether}")


@pytest.fixture
def deaf(make, database):
    """Cut the connection that hears of revocations, and let no other through."""

    def cut():
        allow_connections(database, "false")
        listeners = (
            "select pid from pg_stat_activity where datname = current_database()"
            " and application_name = 'signalbox api listener'"
        )
        make.connection.execute(f"select pg_terminate_backend(pid) from ({listeners}) x")
        soon(lambda: make.connection.execute(listeners).fetchone() is None)

    return cut


def test_a_key_shown_again_is_not_looked_up_again(client, make, kept):
    with make.connection.transaction():
        make.connection.execute("lock table account.api_key in access exclusive mode")
        assert show(client, kept).status_code == 200


def test_a_key_revoked_elsewhere_is_refused_when_the_notice_has_come(client, make, kept):
    make.connection.execute("update account.api_key set revoked_at = now()")
    soon(lambda: show(client, kept).status_code == 401)


def test_a_key_revoked_while_nobody_hears_of_it_is_refused_at_once(client, make, kept, deaf):
    deaf()
    make.connection.execute("update account.api_key set revoked_at = now()")
    assert show(client, kept).status_code == 401


def test_after_an_outage_keys_are_kept_and_revoked_as_before(
    client, app, make, database, kept, deaf
):
    deaf()
    allow_connections(database, "true")
    soon(lambda: app.state.installation.listener.is_up)
    assert show(client, kept).status_code == 200
    make.connection.execute("update account.api_key set revoked_at = now()")
    soon(lambda: show(client, kept).status_code == 401)


def test_a_key_that_expires_while_it_is_kept_is_refused_from_that_instant(client, make, key):
    make.connection.execute("update account.api_key set expires_at = now() + interval '1 second'")
    soon(lambda: show(client, key).status_code == 401)
    (expired,) = make.connection.execute(
        "select now() > expires_at from account.api_key"
    ).fetchone()
    assert expired


def test_scopes_taken_away_in_the_database_are_gone_when_the_notice_has_come(client, make, kept):
    headers = {"Authorization": kept["Authorization"]}
    assert client.get("/v1/api-keys", headers=headers).status_code == 200
    make.connection.execute("update account.api_key set scopes = '{push}'")
    soon(lambda: client.get("/v1/api-keys", headers=headers).status_code == 403)


def test_a_look_up_overtaken_by_a_revocation_is_not_kept(client, make, database, key):
    waiting = (
        "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
        " and query like '%last_used_at%' and datname = current_database()"
    )
    with ThreadPoolExecutor(1) as threads, database.superuser() as onlooker:
        with make.connection.transaction():
            make.connection.execute("update account.api_key set revoked_at = now()")
            # It has read the key as good, and waits for our row to note its use.
            begun = threads.submit(show, client, key)
            soon(lambda: onlooker.execute(waiting).fetchone())
        begun.result()
    soon(lambda: show(client, key).status_code == 401)


def test_somebody_who_is_no_operator_any_more_sees_no_private_signal_by_their_key(
    client, make, ada
):
    make.signal(ada, "hidden", visibility="private")
    root = make.person("root", "operator")
    body = {"name": "machine", "scopes": ["read"]}
    made = client.post("/v1/api-keys", json=body, headers=root.headers).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert client.get("/v1/signals/ada/hidden", headers=headers).status_code == 200
    make.connection.execute("update account.user_account set role = 'member'")
    soon(lambda: client.get("/v1/signals/ada/hidden", headers=headers).status_code == 404)


def test_a_revoked_key_shown_again_is_put_on_record_once_a_minute(client, ada, key):
    client.delete(f"/v1/api-keys/{key['id']}", headers=ada.headers)
    for _ in range(3):
        assert show(client, key).status_code == 401
    acts = client.get("/v1/audit?action=api_key", headers=ada.headers).json()["items"]
    names = [act["action"] for act in acts]
    # Two, if a minute began meanwhile.
    assert names.count("api_key.used_after_revocation") in (1, 2)
    assert set(names) == {"api_key.used_after_revocation", "api_key.revoke", "api_key.create"}
    assert acts[0]["actor"] is None


def test_a_guessed_secret_of_a_revoked_key_is_not_put_on_record(client, ada, key):
    client.delete(f"/v1/api-keys/{key['id']}", headers=ada.headers)
    guess = {"Authorization": key["Authorization"][:-1] + "_"}
    assert client.get(ME, headers=guess).status_code == 401
    acts = client.get("/v1/audit", headers=ada.headers).json()["items"]
    assert "api_key.used_after_revocation" not in [act["action"] for act in acts]
