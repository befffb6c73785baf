"""The operator's side of the bars: importing them, and seeing what is there."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
import psycopg

from assets.market_data.batch import AnswerNotKeptError, IngestSummary, answered
from assets.market_data.inventory import inventory
from assets.market_data.quality import Findings, examine, failed
from assets.market_data.retention import forget
from assets.market_data.source import Source, SourceError, declaration_of
from assets.market_data.store import ingest as store_bars
from assets.market_data.store import ingest_again
from assets.market_data.window import UnknownSymbolError
from pipelines.operator.command_list import (
    HOUR,
    Commands,
    home_option,
    installation_at,
    json_option,
)
from pipelines.operator.data_keys import key_pairs_at
from pipelines.operator.home import Home, default_root
from pipelines.resources import stored_key_of
from pipelines.settings import source_of
from sql.clock import floor_hour
from sql.roles import conninfo

SHOWN_HOURS = 5
ALWAYS = datetime(1990, 1, 1, tzinfo=UTC)

commands = Commands()


class Imported(msgspec.Struct):
    """What one symbol's import brought, in rows; `error`: why it ended early."""

    new: int = 0
    same: int = 0
    corrected: int = 0
    rejected: int = 0
    requests: int = 0
    skipped: int = 0
    error: str | None = None

    def add(self, summary: IngestSummary) -> None:
        """Count a batch."""
        self.requests += 1
        for name in ("new", "same", "corrected", "rejected"):
            setattr(self, name, getattr(self, name) + getattr(summary, name))


@commands.add(
    click.argument("source"),
    click.option("--symbol", "symbols", multiple=True, help="All that the source offers, if none."),
    click.option("--from", "start", type=HOUR, help="UTC, inclusive; 1990 if not given."),
    click.option("--to", "end", type=HOUR, help="UTC, exclusive; now if not given."),
    click.option("--afresh", is_flag=True, help="Ask again for periods that were answered."),
    click.option("--again", "batch", type=int, help="Read the kept answers of this batch anew."),
    home_option,
    json_option,
)
def ingest(
    source: str,
    symbols: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    batch: int | None,
    root: Path | None,
    *,
    afresh: bool,
    as_json: bool,
) -> None:
    """Import history from SOURCE: sample, file:DIR, ccxt:EXCHANGE:MARKET,..., and so on.

    Long imports go step by step and can be stopped: the next call goes on where
    this one ended. A symbol that fails does not keep the others from landing.
    """
    installation = installation_at(root)
    stored_key = stored_key_of(installation, str(key_pairs_at(root)))
    chosen, now = source_of(source, stored_key), installation.clock()
    first = start.replace(tzinfo=UTC) if start else ALWAYS
    last = end.replace(tzinfo=UTC) if end else floor_hour(now)
    wanted = list(symbols) or [declared.symbol for declared in chosen.instruments()]
    done: dict[str, Imported] = {}
    with installation.connect() as connection:
        if batch is not None:
            done[f"batch {batch}"] = Imported()
            try:
                summary = ingest_again(connection, chosen, batch, now, installation.feed_delay)
            except AnswerNotKeptError as error:
                raise click.ClickException(str(error)) from error
            done[f"batch {batch}"].add(summary)
            findings: Findings = {}
        else:
            for symbol in wanted:
                done[symbol] = Imported()
                _import(
                    connection, chosen, symbol, first, last, now, installation.feed_delay,
                    done[symbol], afresh=afresh,
                )  # fmt: skip
                click.echo(_line(symbol, done[symbol]), err=True)
            stored = [symbol for symbol in wanted if done[symbol].requests]
            findings = failed(examine(connection, stored, first, last))
            # An import is of the past: that it ends before now is no news.
            findings.pop("feed_is_fresh", None)
    _report(done, findings, as_json=as_json)
    if any(one.error for one in done.values()):
        raise SystemExit(1)


def _import(
    connection: psycopg.Connection,
    source: Source,
    symbol: str,
    start: datetime,
    end: datetime,
    now: datetime,
    feed_delay: timedelta,
    done: Imported,
    *,
    afresh: bool,
) -> None:
    try:
        declaration_of(source, symbol)
        steps = list(_steps(source.history_step, start, end))
        resumes = source.history_step is not None and not afresh
        known = answered(connection, source, symbol) if resumes else []
        with click.progressbar(steps, label=symbol, file=sys.stderr) as shown:
            for first, last in shown:
                if any(begin <= first and last <= until for begin, until in known):
                    done.skipped += 1
                    continue
                summary = store_bars(
                    connection, source, [symbol], first, last, now,
                    is_history=True, feed_delay=feed_delay,
                )  # fmt: skip
                done.add(summary)
    except SourceError as error:
        done.error = str(error)


def _steps(
    step: timedelta | None, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Periods that make up `[start, end)`, on one grid whenever they are asked for."""
    if step is None:
        yield start, end
        return
    first = ALWAYS + (start - ALWAYS) // step * step
    while first < end:
        yield max(first, start), min(first + step, end)
        first += step


@commands.add(click.argument("symbol"), home_option, json_option)
def bars(symbol: str, root: Path | None, *, as_json: bool) -> None:
    """What is stored of SYMBOL: span, corrections, rejects, gaps and other findings."""
    installation = installation_at(root)
    now = installation.clock()
    with installation.connect() as connection:
        try:
            found = inventory(connection, symbol)
        except UnknownSymbolError as error:
            raise click.ClickException(str(error)) from error
        findings = failed(examine(connection, [symbol], ALWAYS, now))
    if as_json:
        document = {**msgspec.to_builtins(found), "checks": msgspec.to_builtins(findings)}
        click.echo(msgspec.json.encode(document))
        return
    for name, value in msgspec.to_builtins(found).items():
        click.echo(f"{name:12} {_plain(value)}")
    _tell(findings)


@commands.add(
    click.option("--before", type=click.DateTime(["%Y-%m"]), required=True, help="YYYY-MM."),
    home_option,
)
def forget_bars(before: datetime, root: Path | None) -> None:
    """Delete bars of the months before one, and the answers they came from, for good.

    Refused where a recorded slot was given them.
    """
    home = Home(root or default_root("main"))
    now = installation_at(root).clock()
    with psycopg.connect(conninfo(home.owner_url(home.admin())), autocommit=True) as connection:
        gone = forget(connection, before.replace(tzinfo=UTC), now)
    click.echo(f"{gone.bars} bars and {gone.answers} answers are gone")


def _report(done: dict[str, Imported], findings: Findings, *, as_json: bool) -> None:
    total = Imported()
    for one in done.values():
        for name in ("new", "same", "corrected", "rejected", "requests", "skipped"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
    if as_json:
        document = {"symbols": done, "total": total, "checks": findings}
        click.echo(msgspec.json.encode(document))
        return
    click.echo(_line("total", total))
    _tell(findings)


def _line(label: str, one: Imported) -> str:
    text = (
        f"{label:20} {one.new} new, {one.same} same, {one.corrected} corrected,"
        f" {one.rejected} rejected"
    )
    text += f", {one.skipped} steps imported before" if one.skipped else ""
    return text + (f"; FAILED: {one.error}" if one.error else "")


def _tell(findings: Findings) -> None:
    for name, results in findings.items():
        for symbol, result in results.items():
            told = [f"{key} {_plain(value)}" for key, value in result.metadata.items()]
            click.echo(f"{name:32} {symbol:16} {'; '.join(told)}")


def _plain(value: object) -> str:
    if isinstance(value, list):
        more = f", and {len(value) - SHOWN_HOURS} more" if len(value) > SHOWN_HOURS else ""
        return ", ".join(map(str, value[:SHOWN_HOURS])) + more
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items()) or "none"
    return "none" if value is None else str(value)
