"""Old months can be given up, on record, and only where no forecast was made of them."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from assets.market_data import FileSource, ingest
from assets.market_data.retention import StillNeededError, forget
from sql.roles import OWNER

HOUR = timedelta(hours=1)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def two_months(worker, bars, tmp_path, day):
    """Bars of January and February, imported a month at a time from two files."""
    now = day + 60 * 24 * HOUR
    for month, hours in ((1, range(24)), (2, range(28 * 24, 29 * 24))):
        frame = bars([1.0] * 24, day + hours[0] * HOUR)
        frame.rename({"ts_open": "ts"}).drop("ts_close").write_parquet(
            tmp_path / "BTCUSDT_1h.parquet"
        )
        end = FEBRUARY if month == 1 else now
        ingest(worker, FileSource(tmp_path), ["BTCUSDT"], day, end, now, is_history=True)
    return now


def test_a_month_goes_with_its_answers_and_the_guard_stands_again(database, worker, two_months):
    with database.connect(OWNER) as owner:
        gone = forget(owner, FEBRUARY, two_months)
        assert (gone.bars, gone.answers) == (24, 1)
        assert worker.execute("select min(ts_open) >= %s from market.bar", [FEBRUARY]).fetchone()[0]
        assert worker.execute("select count(*) from market.raw_answer").fetchone() == (1,)
        told = owner.execute("select action, detail ->> 'bars' from audit.event").fetchone()
        assert told == ("bars.forget", "24")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="insert-only"):
            owner.execute("delete from market.bar")


def test_bars_that_a_recorded_slot_was_given_stay(database, worker, two_months):
    with database.superuser() as connection:
        connection.execute(
            "insert into account.user_account values (gen_random_uuid(), 'ada', 'ada@example.org',"
            " 'x', 'member', now())"
        )
        connection.execute(
            "insert into registry.signal (provider_id, name, title, description, visibility,"
            " created_at) select id, 'tide', 'T', '', 'public', now() from account.user_account"
        )
        connection.execute(
            "insert into registry.version (signal_id, version, state, reserved_at, published_at,"
            " pushed_by, commit_sha, tree_digest, lock_digest, image_digest, manifest)"
            " select s.id, 'v1.0.0', 'live', now(), now(), s.provider_id, 'c', 't', 'l', 'i',"
            ' \'{"forecast": {"lookback_hours": 48}}\' from registry.signal s'
        )
        connection.execute(
            "insert into forecast.slot_record (version_id, slot, provenance, reason, cutoff,"
            " max_batch, image_digest, engine, path, recorded_at, wall_ms, log)"
            " select id, '2026-02-02 12:00Z', 'live', null, now(), 1, 'i', 'docker', 'cold', now(),"
            " 1, '' from registry.version"
        )
    with database.connect(OWNER) as owner:
        with pytest.raises(StillNeededError, match=r"from 2026-01-31T12:00:00\+00:00 on"):
            forget(owner, FEBRUARY, two_months)
        assert forget(owner, datetime(2026, 1, 1, tzinfo=UTC), two_months).bars == 0
    assert worker.execute("select count(*) from market.bar").fetchone() == (48,)


def test_a_worker_cannot_forget_and_half_a_month_is_refused(database, worker, two_months):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        forget(worker, FEBRUARY, two_months)
    with database.connect(OWNER) as owner, pytest.raises(ValueError, match="whole months"):
        forget(owner, FEBRUARY + HOUR, two_months)
