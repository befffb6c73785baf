"""A signal's hours as the worker records them, over bars whose every number is known.

And the declared trading rule over them in a plain loop, to compare with.
"""

import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from assets.market_data import Delivery, InstrumentDeclaration
from assets.market_data.frames import DELIVERY_SCHEMA
from assets.transparency.publisher.publish import publish
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from sql.clock import floor_hour
from sql.log import append_leaf
from sql.roles import LOG

HOUR = timedelta(hours=1)
DEADLINE = timedelta(minutes=10)
SLOTS = 60
NOW = floor_hour(datetime.now(UTC))
FIRST = NOW - (SLOTS + 30) * HOUR
END = FIRST + SLOTS * HOUR
THEN = END + 20 * HOUR
MANIFEST = {
    "signal": {"name": "tide", "title": "Tide"},
    "forecast": {"symbols": ["BTCUSDT"], "horizons_hours": [1, 4], "target": "return"},
}
# Of slots from FIRST on; the others are live.
MISSED, LATE = (7, 30), (12,)
BACKFILLED = range(-40, 0)


class Walk:
    """Hourly bars of a walk, with opens that differ from the closes before."""

    name = "walk"
    is_sample = False

    def __init__(self) -> None:
        hours = SLOTS + 40 + 250
        draw = np.random.default_rng(7).normal(0, 0.01, (hours, 2))
        close = 100 * np.exp(np.cumsum(draw[:, 0]))
        opened = np.concatenate(([100.0], close[:-1])) * np.exp(draw[:, 1] / 10)
        self.start = FIRST - 240 * HOUR
        self.prices = list(zip(opened.tolist(), close.tolist(), strict=True))

    def instruments(self):
        return [InstrumentDeclaration("BTCUSDT", "24x7")]

    def fetch(self, symbol, start, end, now):
        del symbol, start
        rows = [
            (at, at + HOUR, one, max(one, close), min(one, close), close, None)
            for n, (one, close) in enumerate(self.prices)
            if (at := self.start + n * HOUR) < end
        ]
        frame = pl.DataFrame(rows, schema=DELIVERY_SCHEMA, orient="row")
        return Delivery(frame, fetched_at=now, raw_bytes=b"raw")

    def price(self, at):
        """Open and close of the bar that opens then."""
        return self.prices[(at - self.start) // HOUR]


WALK = Walk()


def point(n, horizon):
    """What the model of these tests says at slot n: often right, sometimes silent."""
    if n % 11 == 5:
        return 0.0
    at = FIRST + n * HOUR
    went = math.log(WALK.price(at + (horizon - 1) * HOUR)[1] / WALK.price(at - HOUR)[1])
    return (0.4 if n % 3 else -0.3) * went


class Recorder:
    """Slots as the worker records them, and checkpoints as the publisher makes them."""

    def __init__(self, database, folder) -> None:
        self.rows = database.superuser()
        self.log = database.connect(LOG)
        self.folder = SignerFolder(folder)

    def close(self):
        self.rows.close()
        self.log.close()

    def signal(self, name="tide", provider="ada"):
        self.rows.execute(
            "insert into account.user_account values (gen_random_uuid(), %s, %s, 'x', 'member',"
            " now(), now()) on conflict do nothing",
            [provider, f"{provider}@example.org"],
        )
        return self.rows.execute(
            "insert into registry.signal (provider_id, name, title, description, visibility,"
            " created_at) select id, %s, 'Tide', '', 'public', %s from account.user_account"
            " where handle = %s returning id",
            [name, FIRST - 100 * HOUR, provider],
        ).fetchone()[0]

    def version(
        self, signal_id, version, state="live", published_at=FIRST - HOUR / 2, target="return"
    ):
        manifest = MANIFEST | {"forecast": MANIFEST["forecast"] | {"target": target}}
        return self.rows.execute(
            "insert into registry.version (signal_id, version, state, reserved_at, published_at,"
            " pushed_by, commit_sha, tree_digest, lock_digest, image_digest, manifest)"
            " select %s, %s, %s, %s, %s, g.provider_id, 'c', 't', 'l', 'i', %s"
            " from registry.signal g where g.id = %s returning id",
            [
                *(signal_id, version, state, published_at),
                *(None if state == "rejected" else published_at, json.dumps(manifest), signal_id),
            ],
        ).fetchone()[0]

    def slot(self, signal_id, version_id, n, provenance="live", say=point, proven=3):
        slot = FIRST + n * HOUR
        leaf, at = None, int(slot.timestamp())
        if provenance in ("live", "late", "missed"):
            with self.rows.transaction():
                leaf = append_leaf(
                    self.rows, kind="missed/v1" if provenance == "missed" else "forecast/v1",
                    signal_id=signal_id, now=slot,
                    facts={"sig": "ada/tide", "ver": f"v{version_id}", "slot": at},
                )  # fmt: skip
            covered = slot + timedelta(minutes=proven)
            publish(self.log, Signer(self.folder, lambda: covered), None, covered)
        record = self.rows.execute(
            "insert into forecast.slot_record (version_id, slot, provenance, reason, cutoff,"
            " max_batch, image_digest, engine, path, recorded_at, wall_ms, log, leaf_index)"
            " values (%s, %s, %s, %s, %s, 1, 'i', 'embedded', 'cold', %s, 1, '', %s) returning id",
            [
                *(version_id, slot, provenance, "timeout" if provenance == "missed" else None),
                *(slot + timedelta(minutes=2), slot + timedelta(minutes=3), leaf),
            ],
        ).fetchone()[0]  # fmt: skip
        if provenance == "missed":
            return record
        if leaf is not None:
            self.rows.execute(
                "insert into forecast.opening values (%s, %s, %s)", [record, b"s" * 32, b"[]"]
            )
        for horizon in (1, 4):
            self.rows.execute(
                "insert into forecast.forecast select %s, id, %s, %s, %s, null, null"
                " from market.instrument where symbol = 'BTCUSDT'",
                [record, horizon, slot + horizon * HOUR, say(n, horizon)],
            )
        return record


def went(n, horizon):
    at = FIRST + n * HOUR
    return math.log(WALK.price(at + (horizon - 1) * HOUR)[1] / WALK.price(at - HOUR)[1])


def live_slots():
    return [n for n in range(SLOTS) if n not in (*MISSED, *LATE)]


def by_hand(slots):
    """The declared rule in a plain loop: net return of each hour from FIRST + 1 on."""
    as_of = floor_hour(THEN - DEADLINE)
    hour, before, net = FIRST + HOUR, 0.0, {}
    while hour < as_of:
        n = (hour - FIRST) // HOUR - 1
        said = point(n, 1) if n in slots else 0.0
        position = float(np.sign(said))
        opened, closed = WALK.price(hour)
        last = WALK.price(hour - HOUR)[1]
        gross = before * (opened / last - 1) + position * (closed / opened - 1)
        net[hour] = gross - 0.001 * abs(position - before)
        hour, before = hour + HOUR, position
    return net
