"""`python -m tests.soak`: a table, then one line of JSON; exit code 1 when anything is wrong."""

import argparse
import sys
import time
from datetime import UTC, datetime
from statistics import median

import click
import msgspec

from tests.soak.soak import Outcome, Plan, soak
from tests.soak.strikes import SERVICES

SHOWN = 40


def main() -> int:
    """Soak as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--versions", type=int, default=50)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--engine", choices=["embedded", "docker"], default="embedded")
    parser.add_argument("--hour-seconds", type=float, default=75.0, help="between two hours")
    options = parser.parse_args()
    plan = Plan(
        options.minutes, options.versions, options.seed, options.engine, options.hour_seconds
    )
    click.echo(f"seed {options.seed}")
    outcome = soak(plan, say)
    click.echo("\n".join(table(outcome)))
    click.echo(
        msgspec.json.encode({"ok": not outcome.problems, **msgspec.to_builtins(outcome)}).decode()
    )
    return int(bool(outcome.problems))


def say(line: str) -> None:
    """With the time, UTC."""
    click.echo(f"{datetime.now(UTC):%H:%M:%S} {line}")
    sys.stdout.flush()


def table(outcome: Outcome) -> list[str]:
    """What people want to know of a soak."""
    lines = [f"{'service':20} {'kills':>5} {'back after, median':>20} {'longest':>9}"]
    for service in SERVICES:
        seconds = outcome.recoveries.get(service, [])
        middle, longest = (f"{median(seconds):.1f} s", f"{max(seconds):.1f} s") if seconds else "--"
        lines.append(f"{service:20} {outcome.kills[service]:5} {middle:>20} {longest:>9}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(outcome.outcomes.items()))
    left = ", ".join(f"{count} {what}" for what, count in outcome.leftovers.items())
    hours = f"hours      {outcome.hours}, of {outcome.versions} versions"
    clients = f"clients    {outcome.requests} requests, {outcome.events} events"
    return [
        *lines,
        f"{hours} and {outcome.pushed} that were pushed meanwhile",
        f"outcomes   {sum(outcome.outcomes.values())}: {kinds}",
        f"settled    {outcome.settled_seconds} s after the last kill",
        f"{clients}; {outcome.excused} failures inside a kill's window",
        f"left over  {left}",
        f"seed       {outcome.seed}, {outcome.seconds:.0f} s in all",
        *(f"WRONG      {problem}" for problem in outcome.problems[:SHOWN]),
    ]


if __name__ == "__main__":
    sys.exit(main())
