"""Acts on record: read by whom they concern, and by operators."""

import psycopg
import pytest

from sql.roles import API, GIT, WORKER


@pytest.fixture
def root(make):
    return make.person("root", "operator")


def acts(client, person, query="", path="/v1/audit"):
    answer = client.get(f"{path}?{query}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def make_key(client, person, name="machine"):
    body = {"name": name, "scopes": ["read"]}
    return client.post("/v1/api-keys", json=body, headers=person.headers).json()


def test_keys_made_renamed_and_revoked_are_on_record_newest_first_without_a_secret(client, ada):
    key = make_key(client, ada)
    path = f"/v1/api-keys/{key['id']}"
    renamed = client.patch(path, json={"name": "other"}, headers=ada.headers)
    assert (renamed.status_code, renamed.json()["name"]) == (200, "other")
    client.delete(path, headers=ada.headers)
    found = acts(client, ada)
    assert [act["action"] for act in found] == [
        "api_key.revoke",
        "api_key.rename",
        "api_key.create",
    ]
    assert {(act["actor"], act["subject"]) for act in found} == {("ada", key["id"])}
    assert key["key"].rpartition("_")[2] not in str(found)


def test_somebody_elses_acts_are_not_shown_whatever_is_asked_for(client, ada, bob):
    key = make_key(client, ada)
    for query in ("", "action=api_key", "action=api_key.create", f"subject={key['id']}"):
        assert acts(client, bob, query) == []
    assert len(acts(client, ada)) == 1


def test_what_was_done_to_mine_is_shown_to_me(client, make, tide, bob):
    subscription = make.subscription(bob, tide, "incomplete")
    listed = client.get("/v1/subscriptions", headers=bob.headers).json()["items"]
    page = listed[0]["checkout_url"].removeprefix("http://127.0.0.1:8700")
    assert client.post(page).status_code == 200
    (paid,) = acts(client, bob, "action=checkout.paid")
    assert (paid["actor"], paid["subject"]) == (None, str(subscription))


def test_acts_are_paged_without_gap_and_filtered_by_time_and_kind(client, ada):
    keys = [make_key(client, ada, f"{n}")["id"] for n in range(7)]
    client.delete(f"/v1/api-keys/{keys[0]}", headers=ada.headers)
    found, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/v1/audit?limit=3{cursor}", headers=ada.headers).json()
        found += page["items"]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert [act["subject"] for act in found] == [keys[0], *reversed(keys)]
    assert len(acts(client, ada, "action=api_key.revoke")) == 1
    # A prefix is a noun and not the beginning of one.
    assert acts(client, ada, "action=api") == []
    at = found[2]["at"].replace("+", "%2B")
    assert [act["id"] for act in acts(client, ada, f"to={at}")] == [act["id"] for act in found[3:]]
    assert [act["id"] for act in acts(client, ada, f"from={at}")] == [
        act["id"] for act in found[:3]
    ]


def test_operators_read_everybodys_acts_by_who_what_and_to_what(client, ada, bob, root):
    ours, theirs = make_key(client, ada)["id"], make_key(client, bob)["id"]
    everybodys = "/v1/admin/audit"
    assert [act["subject"] for act in acts(client, root, "", everybodys)] == [theirs, ours]
    assert [act["subject"] for act in acts(client, root, "actor=ada", everybodys)] == [ours]
    (one,) = acts(client, root, f"action=api_key&subject={theirs}", everybodys)
    assert (one["actor"], one["action"]) == ("bob", "api_key.create")
    page = client.get(f"{everybodys}?limit=1", headers=root.headers).json()
    rest = client.get(f"{everybodys}?cursor={page['next']}", headers=root.headers).json()
    assert [act["subject"] for act in page["items"] + rest["items"]] == [theirs, ours]


def test_operators_read_who_has_an_account_and_how_much_is_theirs(client, make, tide, bob, root):
    make_key(client, bob)
    client.delete(f"/v1/api-keys/{make_key(client, bob)['id']}", headers=bob.headers)
    make.subscription(bob, tide)
    path = "/v1/admin/users"
    listed = client.get(path, headers=root.headers).json()["items"]
    counts = {
        one["handle"]: (one["role"], one["signals"], one["subscriptions"], one["api_keys"])
        for one in listed
    }
    assert counts == {
        "root": ("operator", 0, 0, 0), "bob": ("member", 0, 1, 1), "ada": ("member", 1, 0, 0),
    }  # fmt: skip
    (found,) = client.get(f"{path}?q=BOB@", headers=root.headers).json()["items"]
    assert found["email"] == bob.email
    assert client.get(f"{path}?q=%25", headers=root.headers).json()["items"] == []
    handles, cursor = [], ""
    while cursor is not None:
        page = client.get(f"{path}?limit=1{cursor}", headers=root.headers).json()
        handles += [one["handle"] for one in page["items"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert sorted(handles) == ["ada", "bob", "root"]


@pytest.mark.parametrize("path", ["/v1/admin/audit", "/v1/admin/users"])
def test_nobody_but_an_operator_reads_an_operators_list_not_even_by_an_operators_key(
    client, ada, root, path
):
    assert client.get(path).json()["code"] == "not_signed_in"
    assert client.get(path, headers=ada.headers).json()["code"] == "not_operator"
    key = {"Authorization": f"Bearer {make_key(client, root)['key']}"}
    assert client.get(path, headers=key).json()["code"] == "insufficient_scope"


def test_the_apis_role_reads_of_the_acts_only_those_of_the_person_it_acts_as(
    database, client, ada, bob
):
    make_key(client, ada)
    make_key(client, bob)
    with database.connect(API) as connection:
        count = "select count(*), min(actor_id::text) from audit.event"
        assert connection.execute(count).fetchone() == (0, None)
        with connection.transaction():
            connection.execute("select set_config('app.user_id', %s, true)", [str(bob.id)])
            assert connection.execute(count).fetchone() == (1, str(bob.id))
            for function in (
                "audit.of_everybody(null, null, null, null, null, null, 9)",
                "account.everybody(null, null, null, 9)",
                "account.mail_waiting()",
                "account.deliveries_waiting()",
            ):
                with (
                    pytest.raises(psycopg.errors.InsufficientPrivilege, match="only an operator"),
                    connection.transaction(),
                ):
                    connection.execute(f"select * from {function}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update audit.event set actor_id = null")


@pytest.mark.parametrize("role", [GIT, WORKER])
def test_processes_that_append_acts_do_not_read_them(database, role):
    with database.connect(role) as connection:
        connection.execute(
            "insert into audit.event (at, actor_id, action, subject, detail)"
            " values (now(), null, 'x.y', 'z', '{}')"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from audit.event")
