"""`signalbox test`: run the model as the platform will, before anyone depends on it."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from signalbox.cli.folder import SignalFolder, folder_argument, json_option, read_folder
from signalbox.cli.plot import plots, table
from signalbox.forecast import Forecast
from signalbox.testing import Examination, NoAnswerError, Past, examine, made_up_past
from signalbox.testing.bars import HOUR
from signalbox.testing.examine import PastTooShortError, history_hours, lockstep
from signalbox.testing.files import BarsError, past_of_files
from signalbox.testing.runner import Runner, RunnerUnavailableError, runner_for

SHOWN_SECONDS = 30.0
LABEL = "me/{name}@v0.0.0"


@click.command()
@folder_argument
@click.option(
    "--bars", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of <SYMBOL>.csv or .parquet; made-up bars if not given.",
)  # fmt: skip
@click.option("--hours", default=336, show_default=True, type=click.IntRange(1, 1000),
              help="How many of the last hours to forecast.")  # fmt: skip
@click.option("--rows", default=3, show_default=True, type=click.IntRange(1, 1000),
              help="How many of them to list.")  # fmt: skip
@click.option("--plain", is_flag=True, help="Without the sandbox, even where the platform is.")
@click.option("--strict", is_flag=True,
              help="Exit with 1 if it peeks, is not deterministic or carries state.")  # fmt: skip
@json_option
def test(
    folder: Path,
    bars: Path | None,
    hours: int,
    rows: int,
    *,
    plain: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Run the model of FOLDER: does it answer, twice the same, without knowing the future?

    In the platform's own sandbox where the platform is installed, else in a plain
    process, and then it says so. Then its forecasts of the last weeks.
    """
    signal = read_folder(folder)
    label = LABEL.format(name=signal.manifest.signal.name)
    try:
        past = _past(signal, bars)
        with runner_for(folder, signal.manifest, label, plain=plain) as runner:
            seen = examine(runner.launch, signal.manifest, past)
            answers = _last(runner, signal, past, hours)
    except NoAnswerError as error:
        raise click.ClickException(_no_answer(error)) from None
    except RunnerUnavailableError as error:
        raise click.ClickException(
            f"{error}\nOr, without a sandbox: signalbox test --plain"
        ) from None
    except (BarsError, PastTooShortError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(msgspec.json.encode(_document(runner, seen, answers)).decode())
    else:
        _tell(runner, signal, past, seen, answers, rows)
    if strict and not _is_well(seen):
        raise click.exceptions.Exit(1)


def _past(signal: SignalFolder, bars: Path | None) -> Past:
    symbols = signal.manifest.forecast.symbols
    return past_of_files(bars, symbols) if bars else made_up_past(symbols)


def _last(
    runner: Runner, signal: SignalFolder, past: Past, hours: int
) -> dict[datetime, tuple[Forecast, ...]]:
    """The last hours in lockstep, as far as time allows."""
    there = min(hours, history_hours(signal.manifest, past))
    wanted = [past.end - back * HOUR for back in range(there - 1, -1, -1)]
    lookback = signal.manifest.forecast.lookback_hours
    with runner.launch() as process:
        return lockstep(process, past, lookback, wanted, time.monotonic() + SHOWN_SECONDS)


def _tell(
    runner: Runner,
    signal: SignalFolder,
    past: Past,
    seen: Examination,
    answers: dict[datetime, tuple[Forecast, ...]],
    rows: int,
) -> None:
    click.echo(f"signal         {signal.manifest.signal.name}, on {past.origin}")
    click.echo(f"run in         {runner.name}")
    click.echo(
        f"answer         valid: {len(seen.rows)} forecasts for {past.end:%Y-%m-%d %H:%M} UTC"
    )
    click.echo(f"deterministic  {_deterministic(seen)}")
    click.echo(f"state          {_state(seen)}")
    first, *more = seen.leak.lines()
    click.echo(f"leak           {first}")
    for line in more:
        click.echo(f"               {line}")
    click.echo(f"\n{len(answers)} hours forecast; the last:")
    for line in table(answers, rows):
        click.echo(line)
    click.echo("\nevery point, oldest first:")
    for line in plots(answers):
        click.echo(line)


def _deterministic(seen: Examination) -> str:
    if seen.deterministic:
        return "yes: two fresh runs gave the same forecasts"
    return "NO: two fresh runs of one hour differ; draw random numbers from window.random only"


def _state(seen: Examination) -> str:
    if seen.carries_state is None:
        return "cannot be told: not deterministic, or too slow to ask for enough hours"
    if seen.carries_state:
        return "CARRIED from hour to hour: a fresh process answers otherwise; keep nothing global"
    return "none carried from hour to hour"


def _is_well(seen: Examination) -> bool:
    return seen.deterministic and not seen.carries_state and seen.leak.verdict != "differs"


def _no_answer(error: NoAnswerError) -> str:
    log = error.log.rstrip()
    told = f"app.py: no valid forecast: {error.reason}\n{log}".rstrip()
    if "ModuleNotFoundError" in error.reason:
        told += "\nIn a plain process: pip install -r requirements.txt"
    return told


def _document(
    runner: Runner, seen: Examination, answers: dict[datetime, tuple[Forecast, ...]]
) -> dict[str, Any]:
    return {
        "ok": _is_well(seen),
        "is_sandbox": runner.is_sandbox,
        "deterministic": seen.deterministic,
        "carries_state": seen.carries_state,
        "leak_report": seen.leak,
        "forecasts": [
            {"as_of": hour, **msgspec.to_builtins(row)}
            for hour in sorted(answers)
            for row in answers[hour]
        ],
    }
