"""An installation in use, hour after hour, while everything it consists of is killed.

The clock of the processes jumps to the next full hour again and again; Dagster's schedule, which
looks every minute of the world's, works off what is owed. Meanwhile clients read, follow the
stream and push, and one service after the other, drawn by a seed, gets SIGKILL. Then everything
is left alone until nothing is owed any more, and held against what must be true.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from assets.forecasts.version import due_slots
from tests.chaos.test_kills import descendants
from tests.soak.clients import NEEDED, Clients, Trouble
from tests.soak.installation import Soaked, soaked
from tests.soak.strikes import SERVICES, Strikes, ours
from tests.soak.verdict import Belongings, judge, leftovers

Say = Callable[[str], None]
COVERED = "select leaves = quorum_size from transparency.coverage"


@dataclass(frozen=True)
class Plan:
    """How long and how hard.

    Attributes:
        minutes: of kills.
        hour_seconds: between two jumps of the clock, of the world's.
        pauses: shortest and longest, between two kills, in seconds.
        settle_seconds: for everything to be made good, afterwards.
        kills_of_each: end as soon as each service died so often; None: after `minutes`.
    """

    minutes: float
    versions: int
    seed: int
    engine: str = "embedded"
    hour_seconds: float = 75.0
    pauses: tuple[float, float] = (4.0, 22.0)
    settle_seconds: float = 900.0
    kills_of_each: int | None = None
    pushes: bool = True

    @property
    def hours(self) -> int:
        """How often the clock will jump at most."""
        return int(self.minutes * 60 / self.hour_seconds) + 1


@dataclass
class Outcome:
    """What a soak came to; `problems` is empty when all is well."""

    seed: int
    versions: int
    seconds: float
    hours: int
    slots: int
    outcomes: Counter[str]
    kills: Counter[str]
    recoveries: dict[str, list[float]]
    settled_seconds: float
    requests: int
    excused: int
    events: int
    pushed: int
    leftovers: dict[str, int]
    problems: list[str]


def soak(plan: Plan, say: Say) -> Outcome:
    """Run it; the installation is gone afterwards."""
    began = time.monotonic()
    belongings = Belongings()
    with soaked(plan.engine, plan.hours + 2, say) as town:
        root = town.root
        town.populate(plan.versions)
        say(f"{plan.versions} versions are live after {time.monotonic() - began:.0f} s")
        strikes = Strikes(town, random.Random(plan.seed))  # noqa: S311 - no secret
        with Clients(town, plan.seed, pushes=plan.pushes) as clients:
            hours = _harass(plan, town, strikes, belongings, say)
            settled, problems = _settle(plan, town, strikes, belongings, say)
        verdict = judge(town)
    left = leftovers(root, belongings)
    problems += verdict.problems
    problems += [f"{count} {what} left over" for what, count in left.items() if count]
    unexcused = [one for one in clients.troubles if not _is_excused(one, strikes)]
    problems += [f"{one.who}: {one.what}" for one in unexcused]
    return Outcome(
        seed=plan.seed, versions=plan.versions, seconds=round(time.monotonic() - began, 1),
        hours=hours, slots=verdict.slots, outcomes=verdict.outcomes, kills=strikes.counts(),
        recoveries=strikes.recoveries(), settled_seconds=round(settled, 1),
        requests=clients.requests, excused=len(clients.troubles) - len(unexcused),
        events=clients.events, pushed=clients.pushed, leftovers=left, problems=problems,
    )  # fmt: skip


def _harass(plan: Plan, town: Soaked, strikes: Strikes, belongings: Belongings, say: Say) -> int:
    """Jump and kill until the time is up; returns how many hours passed."""
    now = time.monotonic()
    ends, jump_at, strike_at, hours = now + plan.minutes * 60, now, now + 5, 0
    while (now := time.monotonic()) < ends and not _had_enough(plan, strikes):
        if now >= jump_at:
            say(f"the clock stands at {town.next_hour():%Y-%m-%d %H:%M}")
            jump_at, hours = now + plan.hour_seconds, hours + 1
        if now >= strike_at:
            if strike := strikes.next():
                say(f"killed {strike.service}")
                strike_at = now + strikes.dice.uniform(*plan.pauses)
            else:
                strike_at = now + 0.3
        _tend(town, strikes, belongings)
    return hours


def _tend(town: Soaked, strikes: Strikes, belongings: Belongings) -> None:
    town.house.watch()
    strikes.look()
    belongings.watch([pid for one in ours(town.root) for pid in descendants(one)])
    time.sleep(0.2)


def _had_enough(plan: Plan, strikes: Strikes) -> bool:
    if plan.kills_of_each is None:
        return False
    counts = strikes.counts()
    return all(counts[service] >= plan.kills_of_each for service in SERVICES)


def _settle(
    plan: Plan, town: Soaked, strikes: Strikes, belongings: Belongings, say: Say
) -> tuple[float, list[str]]:
    """Wait until nothing is owed and the log is covered: seconds, and what did not come about."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < plan.settle_seconds:
        _tend(town, strikes, belongings)
        owed, is_covered = _open_matters(town)
        if not owed and is_covered and all(one.back_at for one in strikes.done):
            say(f"settled after {waited:.0f} s")
            return waited, []
        time.sleep(1)
    covered = "" if is_covered else " not"
    what = f"{owed} slots are owed, and the log is{covered} covered"
    return waited, [f"after {plan.settle_seconds:.0f} s {what}"]


def _open_matters(town: Soaked) -> tuple[int, bool]:
    try:
        with town.connect() as connection:
            owed = sum(len(ids) for ids in due_slots(connection, town.clock()).values())
            row = connection.execute(COVERED).fetchone()
    except psycopg.OperationalError:
        return -1, False
    return owed, bool(row and row[0])


def _is_excused(trouble: Trouble, strikes: Strikes) -> bool:
    return trouble.can_be_excused and strikes.excuses(
        trouble.began, trouble.ended, NEEDED[trouble.who]
    )
