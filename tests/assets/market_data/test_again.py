"""What a source answered is kept: an import can be made again, better read."""

import hashlib
import zlib
from datetime import timedelta

import polars as pl
import pytest

from assets.market_data import (
    AnswerNotKeptError,
    FileSource,
    Patience,
    PermanentSourceError,
    SampleSource,
    TransientSourceError,
    ingest,
    ingest_again,
)

HOUR = timedelta(hours=1)


def _file(folder, bars):
    renamed = bars.rename({"ts_open": "ts"}).drop("ts_close")
    renamed.write_parquet(folder / "BTCUSDT_1h.parquet")
    return FileSource(folder)


def test_an_answer_is_kept_compressed_once_under_its_digest(worker, bars, day, tmp_path):
    source = _file(tmp_path, bars([1.0] * 500))
    now = day + 999 * HOUR
    for _ in range(2):
        ingest(worker, source, ["BTCUSDT"], day, now, now, is_history=True)
    raw = (tmp_path / "BTCUSDT_1h.parquet").read_bytes()
    ((digest, size, body),) = worker.execute("select * from market.raw_answer").fetchall()
    assert digest == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    assert (size, zlib.decompress(body)) == (len(raw), raw)
    answers = worker.execute("select answers from market.ingest_batch order by id").fetchall()
    assert [[one["digest"] for one in listed] for (listed,) in answers] == [[digest], [digest]]


def test_an_import_made_again_after_its_file_is_gone_brings_what_a_better_reader_sees(
    worker, bars, day, tmp_path
):
    source = _file(tmp_path, bars([1.0, 2.0]))
    now = day + 9 * HOUR
    ingest(worker, source, ["BTCUSDT"], day, now, now, is_history=True)
    (tmp_path / "BTCUSDT_1h.parquet").rename(tmp_path / "BTCUSDT_1h.parquet.old")
    (tmp_path / "BTCUSDT_1h.parquet").write_bytes(b"gone")
    same = ingest_again(worker, source, 1, now)
    assert (same.new, same.same, same.corrected) == (0, 2, 0)
    (tmp_path / "bars.toml").write_text('stamp = "close"')
    moved = ingest_again(worker, FileSource(tmp_path), 1, now + HOUR)
    # The file's first stamp is now the open of an hour before the period that was asked for.
    assert (moved.batch_id, moved.new, moved.corrected) == (3, 0, 1)
    newest = worker.execute(
        "select close, available_at from market.bar order by batch_id desc limit 1"
    ).fetchone()
    assert newest == (2.0, now + HOUR)


def test_answers_of_sample_data_are_not_kept_and_one_is_told_so(worker, day):
    now = day + 9 * HOUR
    ingest(worker, SampleSource(), ["EURUSD"], day, now, now, is_history=True)
    with pytest.raises(AnswerNotKeptError, match="import from the source again"):
        ingest_again(worker, SampleSource(), 1, now)
    with pytest.raises(AnswerNotKeptError, match="no batch 7"):
        ingest_again(worker, SampleSource(), 7, now)


def test_a_sample_answer_reads_as_what_was_delivered(day):
    source = SampleSource()
    for symbol in ("EURUSD", "BTCUSDT"):
        given = source.fetch(symbol, day, day + 5 * HOUR, day + 9 * HOUR)
        assert source.read(symbol, given.raw_bytes).equals(given.frame)


class Moody:
    """Fails so many times before it delivers."""

    name, is_sample, history_step = "moody", False, None

    def __init__(self, inner, failures, kind):
        self.inner, self.failures, self.kind = inner, failures, kind

    def instruments(self):
        return self.inner.instruments()

    def fetch(self, *asked):
        self.failures -= 1
        if self.failures >= 0:
            raise self.kind("X", "503", "try later")
        return self.inner.fetch(*asked)


def test_a_transient_error_is_met_by_asking_again_after_growing_pauses(worker, given, bars, day):
    pauses = []
    source = Moody(given(X=bars([1.0])), 3, TransientSourceError)
    summary = ingest(
        worker, source, ["X"], day, day + HOUR, day + HOUR, is_history=False,
        patience=Patience(tries=4, pause_seconds=0.5, sleep=pauses.append),
    )  # fmt: skip
    assert (summary.new, pauses) == (1, [0.5, 1.0, 2.0])


@pytest.mark.parametrize(
    ("kind", "failures", "waited"), [(TransientSourceError, 4, 3), (PermanentSourceError, 1, 0)]
)
def test_asking_ends_after_the_last_try_and_at_once_where_it_cannot_help(
    worker, given, bars, day, kind, failures, waited
):
    pauses = []
    source = Moody(given(X=bars([1.0])), failures, kind)
    with pytest.raises(kind, match="X: 503; try later"):
        ingest(
            worker, source, ["X"], day, day + HOUR, day + HOUR, is_history=False,
            patience=Patience(sleep=pauses.append),
        )  # fmt: skip
    assert len(pauses) == waited
    assert worker.execute("select count(*) from market.ingest_batch").fetchone() == (0,)


def test_a_source_that_declares_another_calendar_is_refused(worker, given, bars, day, tmp_path):
    now = day + 9 * HOUR
    ingest(worker, given(BTCUSDT=bars([1.0])), ["BTCUSDT"], day, now, now, is_history=True)
    source = _file(tmp_path, bars([1.0]))
    (tmp_path / "bars.toml").write_text('calendar = "XNYS"')
    assert ingest(worker, source, ["BTCUSDT"], day, now, now, is_history=True).same == 1
    with pytest.raises(PermanentSourceError, match="its calendar is 24x7, and source file"):
        ingest(worker, FileSource(tmp_path), ["BTCUSDT"], day, now, now, is_history=True)


def test_an_instrument_knows_its_currency_its_tick_and_what_a_source_calls_it(
    worker, bars, day, tmp_path
):
    frame = bars([1.0]).with_columns(symbol=pl.lit("XBT"))
    _file(tmp_path, frame)
    (tmp_path / "bars.toml").write_text(
        '[symbols.BTCUSDT]\nalias = "XBT"\ncurrency = "USDT"\ntick_size = 0.1'
    )
    now = day + 9 * HOUR
    ingest(worker, FileSource(tmp_path), ["BTCUSDT"], day, now, now, is_history=True)
    assert worker.execute(
        "select i.symbol, i.currency, i.tick_size, a.source, a.alias from market.instrument i"
        " join market.instrument_alias a on a.instrument_id = i.id"
    ).fetchall() == [("BTCUSDT", "USDT", 0.1, "file", "XBT")]
