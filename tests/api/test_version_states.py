"""What a provider does with versions: states, their events, their leaves; and who may not."""

import psycopg
import pytest

from signalbox.leaf import canonical, leaf_hash
from sql.roles import API


def post(client, person, path, **body):
    answer = client.post(path, headers=person.headers, json=body)
    return answer.status_code, answer.json()


def events(make, version_id):
    return make.connection.execute(
        "select to_state, why from registry.version_event where version_id = %s order by id",
        [version_id],
    ).fetchall()


def leaves(make):
    """Those of states, and the hash of the leaf before them."""
    found = make.connection.execute(
        "select kind, seq, body, leaf_hash from transparency.leaf order by index"
    ).fetchall()
    before = [hashed.hex() for kind, *_, hashed in found if kind == "forecast/v1"]
    return [leaf for leaf in found if leaf[0] != "forecast/v1"], ["", *before][-1]


def test_a_retired_version_has_ended_with_an_event_and_a_leaf(client, make, tide, ada):
    url = f"{tide.path}/versions/v1.0.0"
    status, version = post(client, ada, f"{url}/retire", why="worse than naive")
    assert (status, version["state"]) == (200, "retired")
    assert events(make, tide.version_id) == [("retired", "worse than naive")]
    for step in ("live", "offline", "retire"):
        status, problem = post(client, ada, f"{url}/{step}")
        assert (status, problem["code"]) == (409, "invalid_state")
        assert "v1.0.0 is retired" in problem["detail"]
    assert events(make, tide.version_id) == [("retired", "worse than naive")]
    assert [kind for kind, *_ in leaves(make)[0]] == ["retired/v1"]


def test_retirement_leaves_are_canonical_and_keep_the_chain(client, make, tide, ada):
    make.version(tide.id, ada, "v1.1.0", "offline")
    for version in ("v1.0.0", "v1.1.0"):
        assert post(client, ada, f"{tide.path}/versions/{version}/retire")[0] == 200
    ((_, seq, first, hashed), (_, _, second, _)), prev = leaves(make)
    said = {"kind": "retired/v1", "prev": prev, "seq": seq, "sig": "ada/tide", "ver": "v1.0.0"}
    assert first == canonical(said)
    assert hashed == leaf_hash(first)
    assert second == canonical(said | {"prev": hashed.hex(), "seq": seq + 1, "ver": "v1.1.0"})


def test_somebody_elses_version_is_moved_by_nobody_even_past_the_guard(database, tide, bob):
    with database.connect(API) as connection, connection.transaction():
        connection.execute("select set_config('app.user_id', %s, true)", [str(bob.id)])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only its provider"):
            connection.execute(
                "select registry.move_version(%s, 'offline', 'x')", [tide.version_id]
            )


@pytest.mark.parametrize(
    "attack",
    [
        "update registry.version set state = 'offline'",
        "insert into registry.version_event (version_id, at, to_state) values (1, now(), 0)",
        "insert into transparency.leaf (index, kind) values (0, 'retired/v1')",
        "select registry.report_image('sha256:1', 'mended', 'x', now())",
        "insert into registry.package_rule (at, name, verdict) values (now(), 0, 0)",
        "insert into registry.signing_key values ('k', 'p', now())",
    ],
)
def test_the_api_writes_no_version_rule_key_or_leaf_by_itself(database, attack):
    with database.connect(API) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(attack)


def test_a_quarantined_version_cannot_be_brought_live_until_its_image_is_mended(
    client, make, tide, ada
):
    found = "select registry.report_image('i', %s, 'its folder holds sha256:0', now())"
    assert make.connection.execute(found, ["altered"]).fetchone() == (1,)
    assert make.connection.execute(found, ["altered"]).fetchone() == (0,)
    assert events(make, tide.version_id) == [("offline", "quarantined: its folder holds sha256:0")]
    url = f"{tide.path}/versions/v1.0.0/live"
    status, problem = post(client, ada, url)
    assert (status, problem["code"]) == (409, "invalid_state")
    assert "quarantined" in problem["detail"]
    assert "signalbox image check" in problem["detail"]
    assert make.connection.execute(found, ["mended"]).fetchone() == (1,)
    assert client.get(f"{tide.path}/versions/v1.0.0").json()["state"] == "live"
    audited = make.connection.execute("select action, subject from audit.event order by id")
    assert audited.fetchall() == [("image.altered", "i"), ("image.mended", "i")]


def test_a_version_that_its_provider_took_offline_stays_so_when_its_image_is_mended(
    client, make, tide, ada
):
    found = "select registry.report_image('i', %s, 'x', now())"
    assert post(client, ada, f"{tide.path}/versions/v1.0.0/offline")[0] == 200
    make.connection.execute(found, ["altered"])
    make.connection.execute(found, ["mended"])
    assert client.get(f"{tide.path}/versions/v1.0.0").json()["state"] == "offline"


def test_a_deleted_signal_is_retired_and_unlisted_and_nothing_of_it_erased(
    client, make, tide, ada, bob
):
    make.version(tide.id, ada, "v1.1.0", "offline")
    make.version(tide.id, ada, "v1.2.0", "rejected")
    answer = client.delete(tide.path, headers=ada.headers)
    assert (answer.status_code, answer.json()["visibility"]) == (200, "private")
    assert client.get(tide.path, headers=bob.headers).status_code == 404
    listed = client.get(f"{tide.path}/versions", headers=ada.headers).json()["items"]
    assert {version["version"]: version["state"] for version in listed} == {
        "v1.0.0": "retired",
        "v1.1.0": "retired",
        "v1.2.0": "rejected",
    }
    assert [kind for kind, *_ in leaves(make)[0]] == ["retired/v1"] * 2
    assert client.delete(tide.path, headers=ada.headers).status_code == 200
    assert len(leaves(make)[0]) == 2


def test_every_change_of_visibility_is_an_event_and_no_change_is_none(client, make, tide, ada):
    for step in ("unpublish", "unpublish", "publish"):
        assert post(client, ada, f"{tide.path}/{step}")[0] == 200
    kept = make.connection.execute(
        "select to_visibility, actor_id, why from registry.signal_event order by id"
    ).fetchall()
    why = "by its provider ada"
    assert kept == [("private", ada.id, why), ("public", ada.id, why)]


def test_versions_are_listed_by_semver_and_not_by_text(client, make, tide, ada):
    for version in ("v1.10.0", "v1.9.0", "v1.2.10"):
        make.version(tide.id, ada, version)
    listed = client.get(f"{tide.path}/versions").json()["items"]
    assert [one["version"] for one in listed] == ["v1.10.0", "v1.9.0", "v1.2.10", "v1.0.0"]


def test_events_tell_who_did_what_and_why(client, tide, ada):
    url = f"{tide.path}/versions/v1.0.0"
    post(client, ada, f"{url}/offline", why="a holiday")
    post(client, ada, f"{url}/live")
    told = client.get(f"{url}/events", headers=ada.headers).json()["items"]
    assert [(event["to_state"], event["actor"], event["why"]) for event in told] == [
        ("offline", "ada", "a holiday"),
        ("live", "ada", "by its provider ada"),
    ]


def test_a_version_without_provenance_says_so(client, tide):
    answer = client.get(f"{tide.path}/versions/v1.0.0/provenance")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "published without provenance" in answer.json()["detail"]
    assert client.get(f"{tide.path}/versions/v1.0.0").json()["is_signed"] is False
