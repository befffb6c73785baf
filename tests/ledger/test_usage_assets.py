"""The nightly assets as Dagster runs them."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest

from assets.installation import Installation
from assets.usage.asset import business_asset
from assets.usage.credits import credits_asset
from sql.roles import WORKER, conninfo

JANUARY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
ENDED = JANUARY + timedelta(days=31)
DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01", end_date="2026-06-01")


@pytest.fixture
def run(database):
    def runs(asset, day, now):
        installation = Installation(
            connect=lambda: psycopg.connect(conninfo(database.url(WORKER)), autocommit=True),
            engine=lambda: pytest.fail("money needs no sandbox"),
            images=None,
            clock=lambda: now,
            feed_delay=timedelta(minutes=2),
            live_deadline=timedelta(minutes=10),
            api_url="http://127.0.0.1:8700",
        )
        return dg.materialize(
            [asset(DAYS)],
            partition_key=f"{day:%Y-%m-%d}",
            resources={"installation": installation},
            raise_on_error=False,
        )

    return runs


def told(result):
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    return {name: value.value for name, value in metadata.items() if not name.startswith("dagster")}


def test_credits_are_given_by_the_night_after_the_period_and_told(books, run, bob, subscription):
    books.pay(subscription)
    night = ENDED + timedelta(hours=16)
    given = told(run(credits_asset, ENDED, night))
    assert given == {"credits": 1, "missed_hours": 744, "invoices": "2026-000001"}
    assert told(run(credits_asset, ENDED, night))["credits"] == 0
    assert books.balance("credits", bob) == -2900


def test_the_figures_of_a_day_are_stored_when_it_is_over_and_not_before(books, run, subscription):
    books.pay(subscription)
    during = run(business_asset, JANUARY, JANUARY)
    assert not during.success
    assert books.rows("select count(*) from ledger.metric_day") == [(0,)]
    after = told(run(business_asset, JANUARY, JANUARY + timedelta(days=1)))
    assert after == {"figures": 6, "not_defined": 3}
    assert books.rows("select day::text, value from ledger.metric_day where metric = 'mrr'") == [
        ("2026-01-05", 2900.0)
    ]
