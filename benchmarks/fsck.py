"""How fast signalbox fsck walks a log, and in how much memory: `python -m benchmarks.fsck --json`.

The log holds forecasts with records, openings, numbers and whole tiles; images are not hashed.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
import uuid
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
from assets.transparency.fsck import fsck
from assets.transparency.publisher.publish import publish
from assets.transparency.signer.folder import SignerFolder
from assets.transparency.signer.signer import Signer
from pipelines.operator.home import Home
from sandbox.registry.lock import Lock
from sandbox.registry.publish import go_live
from sandbox.registry.reservation import Submission, reserve
from sandbox.runner.run import SlotResult
from signalbox import Forecast, parse_manifest
from sql import embedded
from sql.migrate import migrate
from sql.roles import DATABASE, GIT, LOG, WORKER, conninfo, create_roles

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
DIGEST = "sha256:" + "0" * 64
MANIFEST = """
[signal]
name = "{}"
title = "Benchmark"
[forecast]
symbols = ["BTCUSDT"]
horizons_hours = [1]
lookback_hours = 24
[offer]
price = "1.00"
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON line last")
    options.add_argument("--leaves", type=int, default=100_000, help="forecast leaves")
    options.add_argument("--versions", type=int, default=1000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        result = measure(Path(folder), given.leaves, given.versions)
    print(
        f"{result['leaves']} leaves in {result['seconds']:.1f} s,"
        f" {result['leaves_per_second']:.0f} a second, {result['peak_mb']:.0f} MB at most"
    )
    if given.json:
        print(json.dumps(result))


def measure(root: Path, leaves: int, versions: int) -> dict[str, float]:
    """Make a log, then walk it in a process whose memory was read before."""
    home = Home(root)
    home.prepare()
    server = embedded.start(root)
    try:
        create_roles(server.admin, home.passwords())
        migrate(home.owner_url(server.admin))

        def connect(role: str) -> psycopg.Connection[Any]:
            url = home.url(server.admin, role)
            return psycopg.connect(conninfo(url), autocommit=True)

        with psycopg.connect(
            conninfo(server.admin.set(database=DATABASE)), autocommit=True
        ) as admin:
            slots = fill(connect, admin, leaves, versions)
            admin.execute("vacuum analyze")
        (root / "key").mkdir()
        folder = SignerFolder(root / "key")
        folder.prepare("example.org/log")
        with connect(LOG) as connection:
            while publish(connection, Signer(folder, lambda: FIRST), None, FIRST):
                pass
        before = _peak_mb()
        began = time.monotonic()
        with connect(WORKER) as connection:
            report = fsck(connection, FIRST + slots * HOUR - timedelta(minutes=1))
        seconds = time.monotonic() - began
        assert report.is_whole, report.shown
        return {
            "leaves": report.leaves,
            "tree_size": report.tree_size or 0,
            "seconds": round(seconds, 2),
            "leaves_per_second": round(report.leaves / seconds),
            "peak_mb": round(_peak_mb()),
            "peak_mb_before": round(before),
        }
    finally:
        server.stop()


def fill(connect: Any, admin: psycopg.Connection[Any], leaves: int, versions: int) -> int:
    """Versions and their forecasts, written as a tick writes them; the number of slots."""
    provider = uuid.uuid4()
    admin.execute(
        "insert into account.user_account values (%s, 'ada', 'a@example.org', 'x', 'member', %s)",
        [provider, FIRST],
    )
    admin.execute(
        "insert into market.instrument (symbol, calendar, is_sample) values ('BTCUSDT', '24x7',"
        " true)"
    )
    with connect(GIT) as connection:
        for number in range(versions):
            _publish(connection, provider, f"model-{number}")
    with connect(WORKER) as connection:
        published = published_versions(connection)
        slots = max(1, leaves // versions)
        for at in range(slots):
            slot = FIRST + at * HOUR
            recorder = Recorder(
                connection,
                published,
                due=[version.id for version in published],
                live_deadline=timedelta(minutes=10),
            )
            recorder.write([_outcome(version, slot) for version in published], slot)
            if at % 100 == 0:
                print(f"{at} of {slots} slots", file=sys.stderr)
    return slots


def _publish(connection: psycopg.Connection[Any], provider: uuid.UUID, name: str) -> None:
    at = FIRST - timedelta(minutes=1)
    submission = Submission(provider, "ada", name, "v1.0.0", "c" * 40, Path("/nowhere"))
    held = reserve(connection, submission, at)
    connection.execute(
        "update registry.version set tree_digest = %(digest)s, manifest = %(manifest)s, lock = '',"
        " lock_digest = %(lock)s, sbom = '{}', base_digest = %(digest)s, dependencies_digest ="
        " %(digest)s, source_digest = %(digest)s, image_digest = %(digest)s where id = %(id)s",
        {
            "digest": DIGEST,
            "lock": Lock("").digest,
            "manifest": Jsonb(msgspec.to_builtins(parse_manifest(MANIFEST.format(name)))),
            "id": held.version_id,
        },
    )
    go_live(connection, submission, held, at)


def _outcome(version: PublishedVersion, slot: datetime) -> Outcome:
    rows = (Forecast("BTCUSDT", 1, version.id / 1e6, quantiles={0.1: -0.01, 0.9: 0.02}),)
    result = SlotResult(slot, rows, None, "", 10.0)
    pin = SlotPin(slot=slot, cutoff=slot + timedelta(minutes=2), max_batch=1)
    return Outcome(version, pin, DIGEST, result, "embedded", "forked")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
