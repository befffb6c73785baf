"""Strategies in the styles that people write them, through the whole platform as it is."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from assets.forecasts.slot import run_slot
from assets.forecasts.version import published_versions
from assets.installation import Installation
from assets.market_data.sample import SampleSource
from assets.market_data.store import ingest
from sandbox.runner.engine import available_engine
from sql.clock import floor_hour
from sql.roles import WORKER, conninfo, role_url

EXAMPLES = Path(__file__).parents[3] / "examples"
STYLES = (
    "indicators-pandas",
    "forest-direction",
    "ar-statsmodels",
    "lightgbm-quantiles",
    "breakout-pure",
)
SYMBOLS = ("BTCUSDT", "EURUSD")


@pytest.mark.timeout(600)
def test_five_public_styles_publish_and_forecast_a_slot_within_the_default_memory(
    serve, postgres, built_store
):
    with serve() as house:
        ada = house.person("ada")
        slot = floor_hour(datetime.now(UTC)) + timedelta(hours=1)
        url = role_url(*_worker(postgres), house.admin.database)
        installation = Installation(
            connect=lambda: psycopg.connect(conninfo(url), autocommit=True),
            engine=lambda: available_engine("embedded", path="forked"),
            images=built_store,
            clock=lambda: slot + timedelta(minutes=3),
            feed_delay=timedelta(minutes=2),
            live_deadline=timedelta(minutes=10),
            api_url="",
        )
        # What the sample source says of it.
        house.ask("update market.instrument set calendar = '24x7' returning id")
        with installation.connect() as connection:
            ingest(
                connection, SampleSource(SYMBOLS), list(SYMBOLS), slot - timedelta(days=40),
                slot, slot, is_history=True,
            )  # fmt: skip
        for name in STYLES:
            work = house.work(ada, name)
            files = {path.name: path.read_text() for path in (EXAMPLES / name).iterdir()}
            assert "memory_mb = 512" in files["signal.toml"]
            work.commit(files, tag="v1.0.0")
            pushed = work.push("main", "v1.0.0")
            assert not pushed.refused, pushed.text
            assert "answered validly twice under embedded" in pushed.text
            assert "NOT deterministic" not in pushed.text
        with installation.connect() as connection:
            versions = published_versions(connection)
        with closing(installation.engine()) as engine:
            settled = [
                one for batch in run_slot(installation, engine, versions, slot) for one in batch
            ]
    told = {version.name: (done.provenance, done.reason) for version, done in settled}
    assert told == dict.fromkeys(STYLES, ("live", None))


def _worker(postgres):
    admin, passwords = postgres
    return admin, WORKER, passwords[WORKER]
