"""The log over HTTP: what a stranger needs to check it, and nothing that is paid for."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from signalbox.commitment import commit
from signalbox.leaf import leaf_hash
from signalbox.log.bundle import Bundle, parse_bundle
from signalbox.log.errors import VerificationError
from signalbox.log.merkle import root_of, tree_root, verify_inclusion
from signalbox.log.policy import Evidence, open_evidence, parse_policy
from signalbox.log.tiles import decode_bundle, subtree_root, tile_reader
from signalbox.log.verify import Terms, verify_bundle
from sql.clock import floor_hour
from sql.log import NewLeaf, append_leaves

DIGEST = "sha256:" + "a" * 64
SALT = b"s" * 32
PAYLOAD = b'[{"point":0.001}]'
HOURS = 300


@dataclass(frozen=True)
class Logged:
    """ada/tide with a version leaf and 300 hourly forecasts; the last ten covered in time."""

    path: str
    make: object
    tide: object
    cover: object
    first: datetime

    def leaf(self, kind, **facts):
        said = {"sig": "ada/tide", "ver": "v1.0.0", **facts}
        return NewLeaf(kind, self.tide.id, said)

    def append(self, leaves, now):
        with self.make.connection.transaction():
            return append_leaves(self.make.connection, leaves, now)

    def forecasts(self, first, last):
        slots = [self.first + timedelta(hours=hour) for hour in range(first, last)]
        leaves = [
            self.leaf(
                "forecast/v1", slot=int(slot.timestamp()), vl=0, img=DIGEST, inp=DIGEST,
                c=commit("ada/tide", slot, SALT, PAYLOAD).hex(),
            )
            for slot in slots
        ]  # fmt: skip
        for slot, index in zip(slots, self.append(leaves, slots[0]), strict=True):
            self.make.connection.execute(
                "with r as (insert into forecast.slot_record (version_id, slot, provenance, cutoff,"
                " max_batch, input_digest, image_digest, engine, path, recorded_at, wall_ms, log,"
                " leaf_index) values (%s, %s, 'live', %s, 1, %s, %s, 'embedded', 'cold', %s, 1, '',"
                " %s) returning id) insert into forecast.opening select id, %s, %s from r",
                [self.tide.version_id, slot, slot, DIGEST, DIGEST, slot, index, SALT, PAYLOAD],
            )


@pytest.fixture
def logged(make, ada, cover):
    tide = make.signal(ada)
    first = floor_hour(datetime.now(UTC)) - timedelta(hours=HOURS)
    made = Logged(tide.path, make, tide, cover, first)
    digests = dict.fromkeys(("tree", "lock", "img", "base", "sbom"), DIGEST)
    made.append([made.leaf("version/v1", commit="c" * 40, **digests)], first)
    cover(first - timedelta(minutes=5))
    made.forecasts(0, HOURS - 10)
    for hour in range(HOURS - 10, HOURS):
        made.forecasts(hour, hour + 1)
        cover(first + timedelta(hours=hour, minutes=3))
    return made


def head(client) -> Evidence:
    """The newest checkpoint, believed by the log's own word."""
    answer = client.get("/log/checkpoint")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Type"].startswith("text/plain")
    return open_evidence(answer.content, policy(client))


def policy(client):
    """As a reader would be given it out of band."""
    bundle = client.get("/v1/signals/ada/tide/evidence").content
    return parse_policy(parse_bundle(bundle).hints.policy)


@pytest.mark.usefixtures("logged")
def test_tiles_bundles_and_proofs_lead_to_the_root_of_the_checkpoint(client):
    checkpoint = head(client).checkpoint
    assert checkpoint.size == 1 + HOURS
    fetched = {}

    def fetch(tile):
        answer = client.get(f"/log/{tile.path}")
        fetched[tile.path] = answer.headers["Cache-Control"]
        return answer.content

    assert tree_root(checkpoint.size, tile_reader(checkpoint.size, fetch)) == checkpoint.root
    assert set(fetched.values()) == {"public, max-age=300"}
    full = client.get("/log/tile/0/000")
    assert full.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert subtree_root(full.content) == client.get("/log/tile/1/000.p/1").content
    bodies = [
        body
        for path in ("tile/entries/000", "tile/entries/001.p/45")
        for body in decode_bundle(client.get(f"/log/{path}").content)
    ]
    assert root_of(leaf_hash(body) for body in bodies) == checkpoint.root
    for leaf in (0, 7, 255, 256, 300):
        proof = client.get("/v1/log/proof", params={"leaf": leaf}).json()
        assert proof["body"].encode() == bodies[leaf]
        hashes = [base64.b64decode(one) for one in proof["hashes"]]
        verify_inclusion(leaf_hash(bodies[leaf]), leaf, checkpoint.size, hashes, checkpoint.root)


@pytest.mark.usefixtures("logged")
def test_what_is_not_there_or_not_ours_to_show_is_not_found(client):
    for path in (
        "/log/tile/0/002",
        "/log/tile/0/001",
        "/log/tile/0/001.p/46",
        "/log/tile/0/001.p/0",
        "/log/tile/0/x000/001.p/45",
        "/log/tile/entries/001.p/46",
        "/log/tile/7/000",
        "/log/tile/-1/000",
        "/log/tile/0/%2e%2e/0/000",
        "/log/tile/0/%2e%2e/%2e%2e/etc/passwd",
        "/v1/log/proof?leaf=301",
        "/verify/%2e%2e/README.md",
        "/verify/%2e%2e%2f%2e%2e%2fapi/app.py",
        "/verify//etc/passwd",
        "/verify/nothing.js",
    ):
        answer = client.get(path)
        assert (path, answer.status_code, answer.json()["code"]) == (path, 404, "not_found")


def terms(client, **changes):
    return Terms(**{"policy": policy(client), "now": int(datetime.now(UTC).timestamp()), **changes})


def evidence(client, headers=None, **params) -> Bundle:
    answer = client.get("/v1/signals/ada/tide/evidence", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return parse_bundle(answer.content)


def test_evidence_verifies_offline_and_dates_each_hour(client, logged, ada):
    make = logged.make
    make.connection.execute("set session_replication_role = replica")
    make.connection.execute("update registry.version set image_digest = %s", [DIGEST])
    report = verify_bundle(evidence(client, ada.headers), terms(client))
    assert vars(report.total) == {
        "live": 10, "late": HOURS - 10, "undated": 0, "missed": 0, "unopened": 0, "paused": 0,
    }  # fmt: skip
    part = evidence(
        client,
        ada.headers,
        **{"from": (logged.first + timedelta(hours=291)).isoformat()},
        to=(logged.first + timedelta(hours=295)).isoformat(),
        known=7,
    )
    report = verify_bundle(part, terms(client))
    assert (report.total.live, report.leaves, set(report.older_roots)) == (4, 5, {7})
    before_all_clocks = evidence(client, ada.headers, **{"from": "0726-11-08T05:48:52Z"})
    assert before_all_clocks.since == 0
    # Somebody runs another image than was logged: the bundle names it.
    make.connection.execute("update registry.version set image_digest = 'sha256:other'")
    with pytest.raises(VerificationError, match="sha256:other"):
        verify_bundle(evidence(client, ada.headers), terms(client))


def test_evidence_opens_only_what_its_reader_is_entitled_to(client, logged, bob):
    assert len(evidence(client).leaves) == 1 + HOURS
    assert evidence(client).openings == ()
    assert evidence(client, bob.headers).openings == ()
    logged.make.subscription(bob, logged.tide)
    assert len(evidence(client, bob.headers).openings) == HOURS


def test_evidence_of_a_private_signal_or_of_no_time_is_not_found(client, logged, bob):
    empty = client.get(f"{logged.path}/evidence", params={"to": "2001-01-01T00:00:00Z"})
    assert empty.status_code == 404
    logged.make.connection.execute("update registry.signal set visibility = 'private'")
    assert client.get(f"{logged.path}/evidence", headers=bob.headers).status_code == 404


def test_recorded_in_time_but_proven_late_it_is_no_live_forecast(client, make, ada):
    tide = make.signal(ada)
    slot = floor_hour(datetime.now(UTC)) - timedelta(hours=5)
    make.slot(tide, slot, proven_at=slot + timedelta(minutes=10))
    make.slot(tide, slot + timedelta(hours=1), proven_at=slot + timedelta(minutes=71))
    performance = client.get(f"{tide.path}/performance").json()
    assert (performance["live"]["count"], performance["late"]["count"]) == (1, 1)
    rows = client.get(f"{tide.path}/forecasts", headers=ada.headers).json()["items"]
    assert [row["provenance"] for row in rows] == ["late", "late", "live", "live"]
    assert datetime.fromisoformat(rows[-1]["proven_at"]) == slot + timedelta(minutes=10)
    live = client.get(
        f"{tide.path}/forecasts", params={"provenance": "live"}, headers=ada.headers
    ).json()["items"]
    assert len(live) == 2


def test_not_proven_yet_it_is_pending_and_in_no_headline(client, make, ada, monkeypatch):
    tide = make.signal(ada)
    monkeypatch.setattr(make, "cover", lambda _: None)
    soon = floor_hour(datetime.now(UTC)) + timedelta(hours=1)
    make.slot(tide, soon)
    make.slot(tide, soon - timedelta(hours=7))
    performance = client.get(f"{tide.path}/performance").json()
    assert performance["due"] == 2
    assert performance["pending"] == 1
    assert performance["live"]["count"] == 0
    assert performance["late"]["count"] == 1
    rows = client.get(f"{tide.path}/forecasts", headers=ada.headers).json()["items"]
    assert [(row["provenance"], row["proven_at"]) for row in rows[::2]] == [
        ("live", None), ("late", None),
    ]  # fmt: skip


def test_a_version_that_goes_offline_and_comes_back_says_so_in_the_log(client, logged, ada):
    version = f"{logged.path}/versions/v1.0.0"
    for move in ("offline", "live"):
        assert client.post(f"{version}/{move}", headers=ada.headers).status_code in (200, 201)
    logged.cover(datetime.now(UTC))
    bodies = [body for _, body in evidence(client).leaves[-2:]]
    assert ['"kind":"offline/v1"' in bodies[0], '"kind":"live/v1"' in bodies[1]] == [True, True]
    logged.make.connection.execute("set session_replication_role = replica")
    logged.make.connection.execute("update registry.version set image_digest = %s", [DIGEST])
    assert verify_bundle(evidence(client), terms(client)).leaves == HOURS + 3
    # A time that ends after the last slot holds what ended the slots.
    ended = evidence(client, to=(logged.first + timedelta(hours=HOURS + 1)).isoformat())
    assert verify_bundle(ended, terms(client)).leaves == HOURS + 3


def test_readiness_says_since_when_leaves_wait_for_a_checkpoint(client, logged):
    assert client.get("/readyz").json() == {"status": "ready", "log": "covered"}
    logged.append([logged.leaf("x/v1")], datetime.now(UTC) - timedelta(seconds=90))
    told = client.get("/readyz").json()
    assert told["status"] == "ready"
    assert told["log"].startswith("1 leaves are covered by no checkpoint, the oldest for 9")


def test_before_the_first_checkpoint_there_is_nothing_to_show(client, make, ada):
    make.signal(ada)
    for path in ("/log/checkpoint", "/v1/log/proof?leaf=0", "/v1/signals/ada/tide/evidence"):
        assert client.get(path).status_code == 404
