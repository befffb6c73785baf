"""What a place in the log costs: recorded, committed, signed, proved, verified.

Ten thousand versions answer a slot. Measured is from their outcomes to the signed
checkpoint: records, forecasts, openings and leaves in one transaction of the run
worker's, then tiles and checkpoint in one of the publisher's, with a signer that
syncs its state to disk. Growth compares what the same number of bare leaves costs,
checkpoint included, in a log of ten thousand and of a million.
"""

import argparse
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from assets.forecasts.record import Recorder
from assets.forecasts.run import Outcome
from assets.forecasts.version import PublishedVersion, published_versions
from assets.market_data.window import SlotPin
from assets.transparency.publisher.publish import publish
from assets.transparency.publisher.tree import stored_tree
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from sandbox.runner.engine import Usage
from sandbox.runner.run import SlotResult
from signalbox import Forecast, parse_manifest
from signalbox.log.bundle import build_bundle
from signalbox.log.merkle import inclusion_proof
from signalbox.log.policy import own_word_policy
from signalbox.log.verify import Terms, verify_bundle
from sql import embedded
from sql.log import NewLeaf, append_leaves
from sql.migrate import migrate
from sql.roles import (
    DATABASE,
    LOG,
    OWNER,
    WORKER,
    conninfo,
    create_roles,
    new_secrets,
    role_url,
)

FORECASTS = 10_000
SIGNALS = 10
PUBLISHED = datetime(2026, 11, 20, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
DIGEST = "sha256:" + "a" * 64
PROOFS = 200
MANIFEST = """
[signal]
name = "model"
title = "Model"
[forecast]
symbols = ["BTCUSDT"]
horizons_hours = [1]
lookback_hours = 48
[offer]
price = "5.00"
"""
SIGNALS_SQL = """
insert into registry.signal (provider_id, name, title, description, visibility, created_at)
select %s, 'model-' || n, 'Model', '', 'public', %s from generate_series(1, %s) n
"""
VERSIONS_SQL = """
insert into registry.version (signal_id, version, state, reserved_at, published_at, pushed_by,
  commit_sha, tree_digest, lock_digest, base_digest, dependencies_digest, source_digest,
  image_digest, manifest, sbom, lock)
select g.id, 'v1.' || k || '.0', 'live', %(at)s, %(at)s, %(ada)s, repeat('c', 40), %(d)s, %(d)s,
  %(d)s, %(d)s, %(d)s, %(d)s, %(manifest)s, '{}', ''
from registry.signal g, generate_series(1, %(each)s) k
"""


@dataclass(frozen=True)
class House:
    """A database with many live versions, and a signer."""

    worker: psycopg.Connection[Any]
    log: psycopg.Connection[Any]
    signer: Signer
    versions: list[PublishedVersion]

    def publish(self, now: datetime) -> None:
        signed = publish(self.log, self.signer, None, now)
        assert signed is not None
        assert signed.has_quorum

    def leaves(self) -> int:
        row = self.log.execute("select leaves from transparency.coverage").fetchone()
        assert row is not None
        return int(row[0])


@contextmanager
def open_house() -> Iterator[House]:
    """As the platform's own roles see it, on an embedded Postgres."""
    with tempfile.TemporaryDirectory(prefix="signalbox-log-", dir="/var/tmp") as folder:
        home = Path(folder)
        home.chmod(0o755)
        (home / "signer").mkdir(mode=0o700)
        server = embedded.start(home)
        try:
            passwords = new_secrets()
            create_roles(server.admin, passwords)
            migrate(role_url(server.admin, OWNER, passwords[OWNER]))

            def connect(role: str) -> psycopg.Connection[Any]:
                url = role_url(server.admin, role, passwords[role])
                return psycopg.connect(conninfo(url), autocommit=True)

            _populate(conninfo(server.admin.set(database=DATABASE)))
            signer = SignerFolder(home / "signer")
            signer.prepare("signalbox.invalid/benchmark")
            with closing(connect(WORKER)) as worker, closing(connect(LOG)) as log:
                clock = lambda: PUBLISHED  # noqa: E731 - one line
                house = House(worker, log, Signer(signer, clock), _publish(worker))
                house.publish(PUBLISHED)
                yield house
        finally:
            server.stop()


def _populate(superuser: str) -> None:
    manifest = Jsonb(msgspec.to_builtins(parse_manifest(MANIFEST)))
    ada = uuid.uuid4()
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(
            "insert into account.user_account values (%s, 'ada', 'a@example.org', 'x', 'member',"
            " now())",
            [ada],
        )
        connection.execute(
            "insert into market.instrument (symbol, calendar, is_sample)"
            " values ('BTCUSDT', '24x7', true)"
        )
        connection.execute(SIGNALS_SQL, [ada, PUBLISHED, SIGNALS])
        connection.execute(
            VERSIONS_SQL,
            {"at": PUBLISHED, "ada": ada, "d": DIGEST, "manifest": manifest,
             "each": FORECASTS // SIGNALS},
        )  # fmt: skip
        connection.execute(
            "insert into registry.version_event (version_id, at, to_state, why)"
            " select id, published_at, 'live', 'published' from registry.version"
        )
        connection.execute("analyze")


def _publish(worker: psycopg.Connection[Any]) -> list[PublishedVersion]:
    versions = published_versions(worker)
    digests = dict.fromkeys(("tree", "lock", "img", "base", "sbom"), DIGEST)
    leaves = [
        NewLeaf(
            "version/v1",
            one.signal_id,
            {"sig": _signal(one), "ver": one.version, "commit": "c" * 40, **digests},
        )
        for one in versions
    ]
    with worker.transaction():
        append_leaves(worker, leaves, PUBLISHED)
    return versions


def _signal(version: PublishedVersion) -> str:
    return f"{version.provider}/{version.name}"


def _outcomes(versions: list[PublishedVersion], slot: datetime) -> list[Outcome]:
    draw = random.Random(slot.timestamp())  # noqa: S311 - made-up forecasts
    pin = SlotPin(slot=slot, cutoff=slot + timedelta(minutes=2), max_batch=1)

    def result() -> SlotResult:
        rows = (Forecast("BTCUSDT", 1, round(draw.gauss(0, 0.01), 6)),)
        return SlotResult(slot, rows, None, "", 12.5, Usage(7.25, 31.5))

    return [Outcome(one, pin, DIGEST, result(), "embedded", "forked") for one in versions]


def measure_slots(house: House, slots: int) -> dict[str, float]:
    """Medians in ms over so many slots of all versions."""
    recorded, signed = [], []
    for hour in range(1, slots + 1):
        slot = PUBLISHED + hour * HOUR
        now = slot + timedelta(minutes=3)
        recorder = Recorder(
            house.worker,
            house.versions,
            due=[one.id for one in house.versions],
            live_deadline=timedelta(minutes=10),
        )
        outcomes = _outcomes(house.versions, slot)
        recorded.append(_ms(lambda: recorder.write(outcomes, now)))  # noqa: B023 - called at once
        signed.append(_ms(lambda: house.publish(now)))  # noqa: B023 - called at once
    both = [one + other for one, other in zip(recorded, signed, strict=True)]
    return {
        "append_10000_ms": statistics.median(both),
        "append_10000_best_ms": min(both),
        "recorded_ms": statistics.median(recorded),
        "checkpoint_ms": statistics.median(signed),
    }


def measure_proofs(house: House) -> float:
    """Median ms of an inclusion proof out of stored tiles."""
    size, draw = house.leaves(), random.Random(1)  # noqa: S311 - which leaves are proved

    def prove() -> None:
        inclusion_proof(draw.randrange(size), size, stored_tree(house.log, size))

    return statistics.median(_ms(prove) for _ in range(PROOFS))


def measure_verification(house: House) -> tuple[float, int]:
    """Ms to verify one signal's bundle, and its forecasts."""
    first = house.versions[0]
    own = [one for one in house.versions if one.signal_id == first.signal_id]
    leaves = house.log.execute(
        "select index, body from transparency.leaf where signal_id = %s order by index",
        [first.signal_id],
    ).fetchall()
    openings = {
        index: (salt, payload)
        for index, salt, payload in house.worker.execute(
            "select r.leaf_index, o.salt, o.payload from forecast.opening o"
            " join forecast.slot_record r on r.id = o.slot_record_id where r.version_id = any(%s)",
            [[one.id for one in own]],
        )
    }
    notes = house.log.execute("select note from transparency.signed_note order by id").fetchall()
    bundle = build_bundle(
        _signal(first), notes[-1][0], leaves, stored_tree(house.log, house.leaves()),
        dating=[note for (note,) in notes], openings=openings,
    )  # fmt: skip
    policy = own_word_policy(house.signer.state().keys)
    terms = Terms(policy, int(PUBLISHED.timestamp()))
    ms = statistics.median(_ms(lambda: verify_bundle(bundle, terms)) for _ in range(3))
    return ms, len(openings)


def measure_growth(house: House, leaves: int) -> tuple[float, float]:
    """Ms of ten thousand bare leaves and their checkpoint: at this size, and at `leaves`."""
    first = statistics.median(_ms(lambda: _bare(house)) for _ in range(3))
    while house.leaves() < leaves:
        _bare(house)
    return first, statistics.median(_ms(lambda: _bare(house)) for _ in range(5))


def _bare(house: House) -> None:
    facts = {"amount_minor": 500, "currency": "EUR", "trial_days": 14, "reveal_after_hours": 168}
    new = [
        NewLeaf("price/v1", one.signal_id, {"sig": _signal(one), **facts}) for one in house.versions
    ]
    with house.worker.transaction():
        append_leaves(house.worker, new, PUBLISHED)
    house.publish(PUBLISHED)


def _ms(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON line last")
    parser.add_argument("--slots", type=int, default=10, help="ten give 10,000 of one signal")
    parser.add_argument("--leaves", type=int, default=1_000_000, help="where growth is measured")
    arguments = parser.parse_args()
    with open_house() as house:
        small = measure_growth(house, 0)[0]
        found = measure_slots(house, arguments.slots)
        verify_ms, verified = measure_verification(house)
        large = measure_growth(house, arguments.leaves)[1]
        found |= {
            "proof_ms": measure_proofs(house),
            "verify_10000_ms": verify_ms * FORECASTS / verified,
            "leaf_us_at_10000": small / FORECASTS * 1000,
            "leaf_us_at_end": large / FORECASTS * 1000,
            "growth": large / small,
            "leaves": house.leaves(),
        }
    for name, value in found.items():
        print(f"{name:24} {value:12.3f}")
    if arguments.json:
        print(msgspec.json.encode({key: round(value, 3) for key, value in found.items()}).decode())


if __name__ == "__main__":
    main()
