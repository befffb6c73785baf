"""Known weaknesses: what an advisory is about, and what a scan says where it cannot tell."""

import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.registry.advisories import (
    accept,
    find_hits,
    import_advisories,
    newest_database,
)
from sandbox.registry.errors import LockError
from sandbox.registry.lock import Lock
from sandbox.registry.scan import scan
from sql.roles import GIT, OWNER

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LOCKED = Lock(f"numpy==2.4.6 --hash=sha256:{'0' * 64}\nsix==1.17.0 --hash=sha256:{'1' * 64}\n")


def advisory(identity="PYSEC-1", *, package="six", ecosystem="PyPI", **more):
    affected = {"package": {"name": package, "ecosystem": ecosystem}}
    affected |= {key: more.pop(key) for key in ("ranges", "versions") if key in more}
    return {
        "id": identity,
        "modified": "2026-01-02T03:04:05Z",
        "summary": "It says too much",
        "affected": [affected],
        **more,
    }


def span(*events, kind="ECOSYSTEM"):
    return [{"type": kind, "events": list(events)}]


@pytest.fixture
def imported(database, tmp_path):
    def bring(*documents, now=NOW):
        path = tmp_path / "all.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for number, document in enumerate(documents):
                text = document if isinstance(document, str) else json.dumps(document)
                archive.writestr(f"{number}.json", text)
        with database.connect(OWNER) as connection:
            return import_advisories(connection, path, now)

    return bring


CASES = {
    "listed": ({"versions": ["1.16.0", "1.17.0"]}, True),
    "listed, written otherwise": ({"versions": ["1.17"]}, True),
    "not listed": ({"versions": ["1.16.0"]}, False),
    "from the first on": ({"ranges": span({"introduced": "0"})}, True),
    "before the mend": ({"ranges": span({"introduced": "1.0"}, {"fixed": "1.18"})}, True),
    "mended in this one": ({"ranges": span({"introduced": "1.0"}, {"fixed": "1.17.0"})}, False),
    "the last that has it": (
        {"ranges": span({"introduced": "0"}, {"last_affected": "1.17.0"})},
        True,
    ),
    "one after the last": (
        {"ranges": span({"introduced": "0"}, {"last_affected": "1.16.9"})},
        False,
    ),
    "back again": (
        {
            "ranges": span(
                {"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.17"}, {"fixed": "1.19"}
            )
        },
        True,
    ),
    "between two": (
        {
            "ranges": span(
                {"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.18"}, {"fixed": "1.19"}
            )
        },
        False,
    ),
    "events out of order": ({"ranges": span({"fixed": "1.18"}, {"introduced": "0"})}, True),
    "only commits are named, so it cannot be told": (
        {"ranges": span({"introduced": "0"}, kind="GIT")},
        True,
    ),
    "a version that cannot be compared": (
        {"ranges": span({"introduced": "0"}, {"fixed": "next tuesday"})},
        True,
    ),
    "nothing is said of versions": ({}, True),
    "withdrawn": ({"versions": ["1.17.0"], "withdrawn": "2026-01-03T00:00:00Z"}, False),
    "of another ecosystem": ({"versions": ["1.17.0"], "ecosystem": "npm"}, False),
    "of another package": ({"versions": ["1.17.0"], "package": "sixth"}, False),
    "of a name written otherwise": ({"versions": ["1.17.0"], "package": "SIX"}, True),
}


@pytest.mark.parametrize(("said", "affects"), CASES.values(), ids=CASES.keys())
def test_an_advisory_is_about_exactly_the_versions_it_says_or_about_all(
    database, imported, said, affects
):
    other = advisory("PYSEC-0", package="other", versions=["1.0"])
    brought = imported(other, advisory(**said))
    with database.connect(GIT) as connection:
        hits = find_hits(connection, brought, LOCKED.packages)
    assert [(hit.advisory_id, hit.package.name) for hit in hits] == (
        [("PYSEC-1", "six")] if affects else []
    )


def test_a_lock_with_a_known_weakness_is_refused_naming_package_advisory_and_mend(
    database, imported
):
    imported(advisory(ranges=span({"introduced": "0"}, {"fixed": "1.18.0"})))
    with (
        database.connect(GIT) as connection,
        pytest.raises(
            LockError, match=r"six 1.17.0: PYSEC-1 \(It says too much\); mended in 1.18.0"
        ),
    ):
        scan(connection, LOCKED, is_required=False, now=NOW)


def test_an_accepted_advisory_no_longer_refuses_and_a_mistyped_one_is_not_accepted(
    database, imported
):
    imported(advisory(versions=["1.17.0"]))
    with database.connect(OWNER) as connection:
        with pytest.raises(ValueError, match="has no advisory 'PYSEC-l'"):
            accept(connection, "PYSEC-l", "typed in haste", NOW)
        accept(connection, "PYSEC-1", "we never parse mail", NOW)
    with database.connect(GIT) as connection:
        assert scan(connection, LOCKED, is_required=True, now=NOW)["is_scanned"] is True


def test_without_a_database_a_scan_says_so_and_fails_where_it_is_required(database):
    with database.connect(GIT) as connection:
        facts = scan(connection, LOCKED, is_required=False, now=NOW)
        assert facts == {"is_scanned": False, "said": "not scanned: no database"}
        with pytest.raises(LockError, match=r"cannot be scanned: no database.*advisories import"):
            scan(connection, LOCKED, is_required=True, now=NOW)


def test_a_database_whose_newest_advisory_is_a_month_old_is_told_and_refused_where_required(
    database, imported
):
    imported(advisory(versions=["0.1"]))
    later = NOW + timedelta(days=31)
    with database.connect(GIT) as connection:
        said = scan(connection, LOCKED, is_required=False, now=later)["said"]
        assert said.endswith("OLD: its newest advisory is of 2026-01-02")
        with pytest.raises(LockError, match="its newest advisory is of 2026-01-02"):
            scan(connection, LOCKED, is_required=True, now=later)


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        (["{"], r"0.json is not an OSV document"),
        (['{"id": "X"}'], r"not an OSV document.*modified"),
        (['{"id": 5, "modified": "2026-01-02T03:04:05Z"}'], "not an OSV document"),
        ([advisory(ecosystem="npm", versions=["1"])], "holds no advisory about a package of PyPI"),
        ([], "holds no advisory"),
    ],
)
def test_a_broken_database_is_refused_whole_and_the_one_before_stays(
    database, imported, documents, reason
):
    good = imported(advisory(versions=["1.17.0"]))
    with pytest.raises(ValueError, match=reason):
        imported(*documents)
    with database.connect(GIT) as connection:
        assert newest_database(connection) == good
        assert len(find_hits(connection, good, LOCKED.packages)) == 1


def test_an_import_replaces_what_was_imported_before(database, imported):
    imported(advisory(versions=["1.17.0"]))
    brought = imported(advisory("PYSEC-2", versions=["1.0"]))
    with database.connect(GIT) as connection:
        assert find_hits(connection, brought, LOCKED.packages) == []
