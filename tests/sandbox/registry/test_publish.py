"""Reserve, build, go live: one holder per name, and all of a version or nothing of it."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from sandbox.registry.errors import RefusedError
from sandbox.registry.image import ImageStore
from sandbox.registry.publish import build, go_live
from sandbox.registry.reservation import Reservation, held, reject, reserve
from signalbox import parse_manifest
from sql.roles import GIT

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1, seconds=1)
MANIFEST = """
[signal]
name = "tide"
title = "Tide"
[forecast]
symbols = ["EURUSD"]
horizons_hours = [1]
lookback_hours = 24
[offer]
price = "29.00"
trial_days = 14
"""


def pretend_built(
    connection: psycopg.Connection,
    reservation: Reservation,
    digest: str,
    manifest: str = MANIFEST,
) -> None:
    """Write what `build` writes, without the minutes it may take."""
    connection.execute(
        "update registry.version set tree_digest = 't', lock = 'l', lock_digest = 'l',"
        " sbom = '{}', base_digest = 'b', dependencies_digest = 'd', source_digest = 's',"
        " image_digest = %s, manifest = %s where id = %s",
        [digest, Jsonb(msgspec.to_builtins(parse_manifest(manifest))), reservation.version_id],
    )


def published(connection: psycopg.Connection, submission, manifest: str = MANIFEST) -> None:
    reservation = reserve(connection, submission, NOW)
    pretend_built(connection, reservation, "sha256:1", manifest)
    go_live(connection, submission, reservation, NOW)


def states(connection: psycopg.Connection) -> dict[str, str]:
    return dict(connection.execute("select version, state from registry.version").fetchall())


def counts(connection: psycopg.Connection) -> dict[str, int]:
    tables = (
        "transparency.leaf",
        "billing.price",
        "audit.event",
        "registry.version_event",
    )
    with connection.cursor() as cursor:
        return {
            table: cursor.execute(f"select count(*) from {table}").fetchone()[0] for table in tables
        }


def test_a_name_reserved_twice_is_refused_the_second_time(as_git, submission):
    reserve(as_git, submission("v1.0.0"), NOW)
    with pytest.raises(RefusedError, match=r"v1.0.0 is already reserved by another push; wait"):
        reserve(as_git, submission("v1.0.0", commit="d" * 40), NOW + timedelta(minutes=59))


def test_a_name_reserved_by_ten_pushes_at_once_is_given_to_one(database, submission):
    outcomes: list[str] = []

    def push() -> None:
        with database.connect(GIT) as connection:
            try:
                reserve(connection, submission("v1.0.0"), NOW)
                outcomes.append("taken")
            except RefusedError as error:
                outcomes.append("already reserved" if "already reserved" in str(error) else "?")

    pushes = [threading.Thread(target=push) for _ in range(10)]
    for one in pushes:
        one.start()
    for one in pushes:
        one.join()
    assert sorted(outcomes) == ["already reserved"] * 9 + ["taken"]


def test_a_reservation_whose_push_died_is_taken_over_after_an_hour(as_git, submission):
    dead = reserve(as_git, submission("v1.0.0"), NOW)
    heir = reserve(as_git, submission("v1.0.0", commit="d" * 40), LATER)
    assert heir.version_id == dead.version_id
    assert states(as_git) == {"v1.0.0": "building"}


def test_a_push_that_lost_its_name_can_neither_free_it_nor_go_live_under_it(as_git, submission):
    slow, fast = submission("v1.0.0"), submission("v1.0.0", commit="d" * 40)
    lost = reserve(as_git, slow, NOW)
    kept = reserve(as_git, fast, LATER)
    reject(as_git, lost, "platform failure", LATER)
    assert states(as_git) == {"v1.0.0": "building"}
    pretend_built(as_git, kept, "sha256:fast")
    with pytest.raises(RefusedError, match=r"v1.0.0 lost its reservation; push it again"):
        go_live(as_git, slow, lost, LATER)
    with pytest.raises(RefusedError, match="lost its reservation"):
        held(as_git, slow)
    assert go_live(as_git, fast, held(as_git, fast), LATER).image_digest == "sha256:fast"


def test_a_build_that_ends_after_its_name_was_taken_over_writes_nothing(
    as_git, submission, monkeypatch
):
    slow = submission("v1.0.0")
    lost = reserve(as_git, slow, NOW)
    kept = reserve(as_git, submission("v1.0.0", commit="d" * 40), LATER)
    facts = {"image_digest": "sha256:slow"}
    monkeypatch.setattr("sandbox.registry.publish._build", lambda *_: facts)
    with pytest.raises(RefusedError, match="lost its reservation"):
        build(as_git, ImageStore(Path("absent")), None, slow, lost, LATER, print)
    assert states(as_git) == {"v1.0.0": "building"}
    row = as_git.execute("select image_digest, reserved_at from registry.version").fetchone()
    assert row == (None, kept.reserved_at)


@pytest.mark.parametrize("ending", [RuntimeError("disk"), SystemExit("the pusher went away")])
def test_a_build_that_the_platform_did_not_finish_frees_the_name_at_once(
    as_git, submission, monkeypatch, ending
):
    def ended(*_):
        raise ending

    monkeypatch.setattr("sandbox.registry.publish._build", ended)
    tag = submission("v1.0.0")
    with pytest.raises(type(ending)):
        build(as_git, ImageStore(Path("a")), None, tag, reserve(as_git, tag, NOW), NOW, print)
    assert states(as_git) == {"v1.0.0": "rejected"}
    why = as_git.execute("select why from registry.version").fetchone()[0]
    assert str(ending) in why
    reserve(as_git, tag, NOW)


@pytest.mark.parametrize("lower", ["v1.9.9", "v1.10.0", "v0.99.99"])
def test_a_version_that_is_not_greater_than_the_last_is_refused(as_git, submission, lower):
    published(as_git, submission("v1.10.0"))
    with pytest.raises(RefusedError, match=r"is not greater than v1.10.0: tag a greater version"):
        reserve(as_git, submission(lower), NOW)
    published(as_git, submission("v1.11.0"))


def test_two_versions_built_at_once_cannot_go_live_in_the_wrong_order(as_git, submission):
    reserve(as_git, submission("v1.0.0"), NOW)
    with pytest.raises(RefusedError, match=r"v1.0.0 is being built; push v1.1.0 when"):
        reserve(as_git, submission("v1.1.0"), NOW)
    reserve(as_git, submission("v1.1.0"), LATER)


@pytest.mark.parametrize(
    "name", ["1.0.0", "v1.0", "v01.0.0", "v1.0.0-rc1", "v1.0.0 ", "v1234567.0.0"]
)
def test_a_version_that_is_no_plain_semver_is_refused(as_git, submission, name):
    with pytest.raises(RefusedError, match=r"is not vMAJOR.MINOR.PATCH, such as v1.0.0"):
        reserve(as_git, submission(name), NOW)


def test_a_rejected_name_can_be_pushed_again_with_another_commit(as_git, submission):
    first = reserve(as_git, submission("v1.0.0"), NOW)
    pretend_built(as_git, first, "sha256:stale")
    reject(as_git, first, "signal.toml: offer.price", NOW)
    again = submission("v1.0.0", commit="d" * 40)
    second = reserve(as_git, again, NOW + timedelta(seconds=1))
    row = as_git.execute("select commit_sha, why, state from registry.version").fetchone()
    assert row == ("d" * 40, None, "building")
    with pytest.raises(RefusedError, match="lost its reservation"):
        go_live(as_git, again, second, NOW)  # nothing was built of this commit
    assert states(as_git) == {"v1.0.0": "rejected"}
    events = as_git.execute("select to_state from registry.version_event order by id").fetchall()
    assert [state for (state,) in events] == ["building", "rejected", "building", "rejected"]


def test_going_live_writes_version_leaf_event_price_and_audit(as_git, database, submission):
    tag = submission("v1.0.0")
    published(as_git, tag)
    with database.superuser() as connection:
        body = msgspec.json.decode(
            connection.execute("select body from transparency.leaf order by index").fetchone()[0]
        )
        price = connection.execute(
            "select amount_minor, currency, trial_days, reveal_after_hours from billing.price"
        ).fetchone()
        audit = connection.execute("select action, subject, detail from audit.event").fetchone()
        title = connection.execute("select title from registry.signal").fetchone()
    assert states(as_git) == {"v1.0.0": "live"}
    assert (body["kind"], body["seq"], body["prev"]) == ("version/v1", 0, "")
    assert (body["sig"], body["ver"], body["img"]) == ("ada/tide", "v1.0.0", "sha256:1")
    assert body["commit"] == tag.commit
    assert price == (2900, "EUR", 14, 168)
    assert audit == ("version.publish", "ada/tide@v1.0.0", {"image": "sha256:1"})
    assert title == ("Tide",)


@pytest.mark.parametrize(
    "table", ["transparency.leaf", "billing.price", "audit.event", "registry.version_event"]
)
def test_a_failure_while_going_live_leaves_nothing_of_the_version(
    as_git, database, submission, table
):
    tag = submission("v1.0.0")
    reservation = reserve(as_git, tag, NOW)
    pretend_built(as_git, reservation, "sha256:1")
    with database.superuser() as connection:
        before = counts(connection)
        connection.execute(f"revoke insert on {table} from {GIT}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            go_live(as_git, tag, reservation, NOW)
        before["registry.version_event"] += table != "registry.version_event"  # the rejection
        assert counts(connection) == before
    assert states(as_git)["v1.0.0"] != "live"


def test_the_price_is_written_again_only_when_it_changed(as_git, database, submission):
    published(as_git, submission("v1.0.0"))
    published(as_git, submission("v1.1.0"))
    with database.superuser() as connection:
        assert counts(connection)["billing.price"] == 1
        kinds = connection.execute("select kind from transparency.leaf order by index").fetchall()
    assert [kind for (kind,) in kinds] == ["version/v1", "version/v1"]


def test_a_price_that_changes_is_on_the_log_with_the_version_that_changed_it(
    as_git, database, submission
):
    published(as_git, submission("v1.0.0"))
    published(as_git, submission("v1.1.0"), MANIFEST.replace("29.00", "31.00"))
    with database.superuser() as connection:
        said = [
            msgspec.json.decode(body)
            for (body,) in connection.execute(
                "select body from transparency.leaf where kind = 'price/v1' order by index"
            )
        ]
    (leaf,) = said
    assert (leaf["seq"], leaf["sig"], leaf["amount_minor"]) == (2, "ada/tide", 3100)
    assert (leaf["currency"], leaf["trial_days"]) == ("EUR", 14)
