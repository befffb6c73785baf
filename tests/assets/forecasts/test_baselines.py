"""The platform's baselines over real bars, published, replayed and scored as any signal is.

Against what plain numpy makes of the raw files: no function of the platform is used for it.
"""

import math
import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import psycopg
import pytest

from assets.forecasts.replay import replay_version
from assets.forecasts.version import published_versions
from assets.installation import Installation
from assets.market_data.file import FileSource
from assets.market_data.store import ingest
from assets.scores.forecast_measures import forecast_measures
from assets.scores.score import score_resolved
from assets.scores.skill import skill
from sandbox.registry.publish import build, go_live
from sandbox.registry.reservation import Submission, reserve
from sandbox.runner.engine import available_engine
from sql.roles import DATABASE, GIT, WORKER, conninfo
from tests.conftest import copied, head

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("baseline-naive", "baseline-seasonal-naive", "baseline-drift")
# One market that never closes, and one that does: the slots hold two weekends.
SYMBOLS = ("BTCUSD.GEMINI", "EURUSD")
HORIZONS = (1, 4, 24)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = datetime(2018, 8, 3, tzinfo=UTC)
SLOTS = [FIRST + n * HOUR for n in range(11 * 24)]
# Wheels are locked as of then.
NOW = datetime(2026, 11, 20, 7, 34, tzinfo=UTC)
SCORED = """
select r.slot, i.symbol, f.horizon_hours, f.point, s.outcome, s.reference, s.error,
       s.absolute_error, s.squared_error, s.symmetric_error, s.hit, s.scale, s.squared_scale,
       s.seasonal_naive, s.naive2, 'return' as target
from score.score s
join forecast.forecast f using (slot_record_id, instrument_id, horizon_hours)
join forecast.slot_record r on r.id = s.slot_record_id
join registry.version v on v.id = r.version_id
join registry.signal g on g.id = v.signal_id
join market.instrument i on i.id = s.instrument_id
where g.name = %s order by r.slot, i.symbol, f.horizon_hours
"""


@pytest.fixture(scope="module")
def replayed(postgres, image_store, engine, engine_choice, shared_bars, tmp_path_factory):
    """Scored forecasts of each baseline, by name, as the platform has them."""
    folder = tmp_path_factory.mktemp("baselines")
    with copied(postgres, "test_baselines", DATABASE) as database:
        installation = Installation(
            connect=lambda: psycopg.connect(conninfo(database.url(WORKER)), autocommit=True),
            engine=lambda: available_engine(**engine_choice),
            images=image_store,
            clock=lambda: NOW,
            feed_delay=timedelta(minutes=2),
            live_deadline=timedelta(minutes=10),
            api_url="http://127.0.0.1:8700",
        )
        with installation.connect() as connection:
            ingest(connection, FileSource(shared_bars), list(SYMBOLS), FIRST - 50 * DAY,
                   SLOTS[-1] + 2 * DAY, NOW, is_history=True)  # fmt: skip
        with database.superuser() as connection:
            connection.execute(
                "insert into account.user_account values (%s, 'signalbox', 's@example.org', 'x',"
                " 'member', %s)",
                [(account := uuid.uuid4()), NOW],
            )
        for name in NAMES:
            repository = committed(folder / name, name)
            submission = Submission(
                provider_id=account, provider="signalbox", name=name, version="v1.0.0",
                commit=head(repository), repository=repository,
            )  # fmt: skip
            with psycopg.connect(conninfo(database.url(GIT)), autocommit=True) as connection:
                held = reserve(connection, submission, NOW)
                build(connection, image_store, engine, submission, held, NOW, lambda _: None)
                go_live(connection, submission, held, NOW)
        with installation.connect() as connection:
            for version in published_versions(connection):
                answered = list(replay_version(installation, version, SLOTS))
                assert all(one.reason is None for one in answered)
            written = score_resolved(connection, NOW)
            frames = {
                name: pl.DataFrame(
                    (cursor := connection.execute(SCORED, [name])).fetchall(),
                    schema=[column.name for column in cursor.description],
                    orient="row",
                    infer_schema_length=None,
                )
                for name in NAMES
            }
        assert written == sum(map(len, frames.values()))
        yield frames


def committed(folder, name):
    """A repository of the example, over the symbols of these tests."""
    folder.mkdir()
    for file in (EXAMPLES / name).iterdir():
        if file.is_file():
            text = file.read_text()
            symbols = '["BTCUSDT", "ETHUSDT", "EURUSD"]'
            assert (symbols in text) is (file.name == "signal.toml")
            (folder / file.name).write_text(
                text.replace(symbols, "[" + ", ".join(f'"{one}"' for one in SYMBOLS) + "]")
            )
    for arguments in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


class Raw:
    """One symbol's closes from its file, by the hour since 1970 at which they were made."""

    def __init__(self, folder, symbol):
        table = pl.read_parquet(folder / f"{symbol}_1h.parquet", columns=["ts", "close"])
        opened = table["ts"].dt.epoch("s").to_numpy() // 3600
        self.first = int(opened.min())
        self.close = np.full(int(opened.max()) - self.first + 2, np.nan)
        self.close[opened - self.first + 1] = table["close"].to_numpy()

    def at(self, hour):
        return self.close[hour - self.first]

    def returned(self, start, end):
        return math.log(self.at(end) / self.at(start))

    def point(self, name, slot, horizon):
        if name == "baseline-naive":
            return 0.0
        if name == "baseline-seasonal-naive":
            earlier = self.returned(slot - 24, slot - 24 + horizon)
            return 0.0 if math.isnan(earlier) else earlier
        # Bars that opened within the look-back: they closed an hour later.
        known = [hour for hour in range(slot - 671, slot + 1) if not math.isnan(self.at(hour))]
        return horizon * self.returned(known[0], known[-1]) / (known[-1] - known[0])

    def scales(self, slot, horizon):
        """Mean absolute and squared seasonal difference over 28 days."""
        hours = np.arange(slot - 28 * 24 + 1, slot + 1) - self.first

        def outcome(at):
            return np.log(self.close[at]) - np.log(self.close[at - horizon])

        differences = outcome(hours) - outcome(hours - 24)
        return np.nanmean(np.abs(differences)), np.nanmean(differences**2)

    def seasons(self, slot):
        """Index of each hour of day over 28 days: closes over their centred moving average."""
        closes = self.close[slot - self.first - 671 : slot - self.first + 1]
        around = np.convolve(closes, [0.5, *([1] * 23), 0.5], mode="valid") / 24
        ratios = closes[12:-12] / around
        hours = np.arange(slot - 671 + 12, slot - 12 + 1) % 24
        by_hour = [ratios[(hours == hour) & ~np.isnan(ratios)] for hour in range(24)]
        return [one.mean() if len(one) else math.nan for one in by_hour]


def expected(folder):
    """What the raw files say of every forecast that has an outcome, of each baseline."""
    rows = []
    for symbol in SYMBOLS:
        raw = Raw(folder, symbol)
        for slot in SLOTS:
            hour = int(slot.timestamp()) // 3600
            seasons = raw.seasons(hour)
            for horizon in HORIZONS:
                outcome = raw.returned(hour, hour + horizon)
                if math.isnan(outcome):
                    continue
                # As the platform takes every answer: to six significant digits.
                points = [float(f"{raw.point(name, hour, horizon):.6g}") for name in NAMES]
                ratio = seasons[(hour + horizon) % 24] / seasons[hour % 24]
                naive2 = 0.0 if np.isnan(seasons).any() else math.log(ratio)
                rows.append(
                    (slot, symbol, horizon, outcome, *raw.scales(hour, horizon), naive2, *points)
                )
    columns = ["slot", "symbol", "horizon_hours", "outcome", "scale", "squared_scale", "naive2"]
    return pl.DataFrame(rows, schema=[*columns, *NAMES], orient="row").sort(columns[:3])


@pytest.fixture(scope="module")
def by_hand(shared_bars):
    table = expected(shared_bars)
    return {name: table.with_columns(point=name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_platforms_scores_are_those_of_the_raw_files(replayed, by_hand, name):
    ours, theirs = replayed[name], by_hand[name]
    keys = ["slot", "symbol", "horizon_hours"]
    assert ours.select(keys).rows() == theirs.select(keys).rows()
    assert len(ours) > 2 * len(SLOTS) * len(HORIZONS) * 0.7
    assert theirs["symbol"].value_counts()["count"].n_unique() == 2  # one has weekends
    x, y = theirs["point"].to_numpy(), theirs["outcome"].to_numpy()
    for column, values in (
        ("point", x),
        ("outcome", y),
        ("error", x - y),
        ("absolute_error", np.abs(x - y)),
        ("squared_error", (x - y) ** 2),
        ("symmetric_error", 2 * np.abs(np.exp(x) - np.exp(y)) / (np.exp(x) + np.exp(y))),
        ("scale", theirs["scale"]),
        ("squared_scale", theirs["squared_scale"]),
        ("naive2", theirs["naive2"]),
    ):
        np.testing.assert_allclose(ours[column], values, rtol=1e-9, atol=1e-12, err_msg=column)


@pytest.mark.parametrize("name", NAMES)
def test_the_platforms_measures_are_those_of_the_raw_files(replayed, by_hand, name):
    table = by_hand[name]
    x, y, scale, squared, naive2 = (
        table[column].to_numpy()
        for column in ("point", "outcome", "scale", "squared_scale", "naive2")
    )

    def smape(said):
        return np.mean(2 * np.abs(np.exp(said) - np.exp(y)) / (np.exp(said) + np.exp(y)))

    def mase(said):
        return np.mean(np.abs(said - y) / scale)

    measured = forecast_measures(replayed[name])
    directed = (x != 0) & (y != 0)
    for measure, value in (
        ("mean_error", np.mean(x - y)),
        ("mean_absolute_error", np.mean(np.abs(x - y))),
        ("root_mean_squared_error", np.sqrt(np.mean((x - y) ** 2))),
        ("smape", smape(x)),
        ("mase", mase(x)),
        ("rmsse", np.sqrt(np.mean((x - y) ** 2 / squared))),
        ("owa", (smape(x) / smape(naive2) + mase(x) / mase(naive2)) / 2),
        ("theils_u", np.sqrt(np.sum((x - y) ** 2) / np.sum(y**2))),
        ("abstentions", np.sum(x == 0)),
    ):
        assert math.isclose(measured[measure].value, value, rel_tol=1e-9, abs_tol=1e-12), measure
    if directed.any():
        hits = np.mean(np.sign(x[directed]) == np.sign(y[directed]))
        assert math.isclose(measured["hit_rate"].value, hits)
    else:
        assert (name, measured["hit_rate"].value) == ("baseline-naive", None)


def test_skill_against_naive_is_that_of_the_raw_files(replayed, by_hand):
    naive = np.abs(by_hand["baseline-naive"]["outcome"].to_numpy()).mean()
    for name in NAMES:
        table = by_hand[name]
        loss = np.abs(table["point"].to_numpy() - table["outcome"].to_numpy()).mean()
        measured = skill(replayed[name], replayed["baseline-naive"])
        assert math.isclose(measured.value, 1 - loss / naive, rel_tol=1e-9, abs_tol=1e-12)
        assert measured.count == len(table)


def test_seasonal_naive_is_what_each_score_holds_as_its_rival(replayed):
    """Where its hours had bars: elsewhere the signal says no change, and the rival nothing."""
    for name in NAMES:
        both = replayed[name].join(
            replayed["baseline-seasonal-naive"], on=["slot", "symbol", "horizon_hours"]
        )
        known = both.drop_nulls("seasonal_naive")
        np.testing.assert_allclose(known["seasonal_naive"], known["point_right"], rtol=1e-5)
        assert set(both.filter(pl.col("seasonal_naive").is_null())["point_right"]) == {0.0}
