"""How signals' hourly rule returns go together, over the hours that all of them have.

Net simple returns of the declared trading rules, `score.rule_return`, live slots only. The
portfolio of K signals holds each with weight 1/K, set anew each hour.

    SR = mean(r) / s(r) * sqrt(H)          s with n - 1; H hours in a year; no interest
    change = SR((K p + r) / (K + 1)) - SR(p)

W. F. Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21(1), 1994, 49-58. Adding a
small position raises it where SR(r) > corr(r, p) SR(p): K. Dowd, Adjusting for Risk: An
Improved Sharpe Ratio, International Review of Economics and Finance 9, 2000, 209-222.
"""

from typing import LiteralString

import msgspec
import psycopg

from api.rows import fetch_all, fetch_one

# A week: below it one lucky day decides.
COMMON_HOURS_AT_LEAST = 168
HOURS_PER_YEAR = 8760.0
# Returns that differ by no more are the same: what is left is rounding.
STILL_WITHIN = 1e-12
TOO_FEW = "{hours} hours in common; at least {least} are needed"
STILL = "a return did not vary in the hours in common"


class PairHours(msgspec.Struct, frozen=True):
    a: int
    b: int
    hours: int
    correlation: float | None


class Addition(msgspec.Struct, frozen=True):
    """A portfolio without a signal and with it; null where a return does not vary."""

    hours: int
    correlation: float | None
    sharpe_held: float | None
    sharpe_with: float | None


class _PerYear(msgspec.Struct, frozen=True):
    hours: float | None


PAIRS: LiteralString = """
select a.id as a, b.id as b, count(*) filter (where y.hour is not null) as hours,
       case when max(x.net) filter (where y.hour is not null)
                 - min(x.net) filter (where y.hour is not null) > %(still)s
             and max(y.net) - min(y.net) > %(still)s
            then least(1, greatest(-1, corr(x.net, y.net))) end as correlation
from unnest(%(ids)s::bigint[]) with ordinality as a(id, place)
join unnest(%(ids)s::bigint[]) with ordinality as b(id, place) on a.place < b.place
left join score.rule_return x on x.signal_id = a.id
left join score.rule_return y on y.signal_id = b.id and y.hour = x.hour
group by a.id, a.place, b.id, b.place order by a.place, b.place
"""

ADDITION: LiteralString = """
with hourly as (
  select sum(r.net) filter (where r.signal_id <> %(added)s) / %(count)s as held,
         max(r.net) filter (where r.signal_id = %(added)s) as added
  from score.rule_return r
  where r.signal_id = %(added)s or r.signal_id = any (%(held)s)
  group by r.hour having count(*) = %(count)s + 1),
side as (
  select held, added, (held * %(count)s + added) / (%(count)s + 1) as together from hourly)
select count(*) as hours,
       case when max(held) - min(held) > %(still)s and max(added) - min(added) > %(still)s
            then least(1, greatest(-1, corr(held, added))) end as correlation,
       case when max(held) - min(held) > %(still)s
            then avg(held) / stddev_samp(held) * sqrt(%(per_year)s::float8) end as sharpe_held,
       case when max(together) - min(together) > %(still)s
            then avg(together) / stddev_samp(together) * sqrt(%(per_year)s::float8)
            end as sharpe_with
from side
"""

# Said by whoever computed the signal's own measures, who knows its calendar.
PER_YEAR: LiteralString = """
select coalesce((measures->'hours_per_year'->>'value')::float8,
                (measures->'sharpe'->>'hours_per_year')::float8) as hours
from score.performance where signal_id = %s and version_id is null and period = 'all'
"""


async def correlations(
    connection: psycopg.AsyncConnection, signal_ids: list[int]
) -> list[PairHours]:
    """Of every pair, in the order of the ids."""
    return await fetch_all(connection, PairHours, PAIRS, {"ids": signal_ids, "still": STILL_WITHIN})


async def hours_per_year(connection: psycopg.AsyncConnection, signal_id: int) -> float:
    """Hours in a year that the signal's calendar is open; 8,760 where nobody said otherwise."""
    found = await fetch_one(connection, _PerYear, PER_YEAR, [signal_id])
    return found.hours if found and found.hours else HOURS_PER_YEAR


async def addition(
    connection: psycopg.AsyncConnection, added: int, held: list[int], per_year: float
) -> Addition:
    """The equal-weight portfolio of `held`, one or more, with `added` and without."""
    values = {
        "added": added, "held": held, "count": len(held), "per_year": per_year,
        "still": STILL_WITHIN,
    }  # fmt: skip
    found = await fetch_one(connection, Addition, ADDITION, values)
    assert found is not None  # noqa: S101 - an aggregate has a row
    return found


def why_unknown(hours: int, *values: float | None) -> str | None:
    """Why a number over common hours is null; None: it is not."""
    if hours < COMMON_HOURS_AT_LEAST:
        return TOO_FEW.format(hours=hours, least=COMMON_HOURS_AT_LEAST)
    return STILL if None in values else None
