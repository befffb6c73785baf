"""Which signals are computed anew, and how far back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, LiteralString

import psycopg
from psycopg.rows import class_row

from assets.scores.score import LONGEST_OPEN

LONGEST = timedelta(days=90)
HOUR = timedelta(hours=1)
SIGNALS_AT_ONCE = 10
# Some 300 bytes each while they are measured.
FORECASTS_AT_ONCE = 500_000
Work = Literal["nothing", "recent", "whole"]

STATES: LiteralString = """
select g.id as signal_id, ends.first, ends.last, p.recent_as_of, p.whole_as_of, ends.owed,
       coalesce(p.is_complete, true) as is_complete
from registry.signal g
cross join lateral (
  select min(r.slot) as first, max(r.slot) as last,
         max(jsonb_array_length(v.manifest->'forecast'->'symbols')
             * jsonb_array_length(v.manifest->'forecast'->'horizons_hours')) as owed
  from registry.version v
  cross join lateral (
    (select x.slot from forecast.slot_record x where x.version_id = v.id order by x.slot limit 1)
    union all
    (select x.slot from forecast.slot_record x where x.version_id = v.id
     order by x.slot desc limit 1)) r
  where v.signal_id = g.id) ends
cross join lateral (
  select min(p.as_of) filter (where p.period = '30d') as recent_as_of,
         min(p.as_of) filter (where p.period = 'all') as whole_as_of,
         bool_and(p.measures ? 'curve') as is_complete
  from score.performance p where p.signal_id = g.id and p.version_id is null) p
where ends.first < %(as_of)s
  and (%(signals)s::bigint[] is null or g.id = any (%(signals)s::bigint[]))
order by g.id
"""


@dataclass(frozen=True)
class State:
    """A signal, and up to when it is computed.

    Attributes:
        first: first slot on record, of any provenance, UTC.
        last: last one.
        recent_as_of: of its row of 30 days; None: there is none.
        whole_as_of: of its row of all time.
        owed: forecasts a slot, of the version that owes most; None: not known.
        is_complete: its documents have all that this code puts into them.
    """

    signal_id: int
    first: datetime
    last: datetime
    recent_as_of: datetime | None
    whole_as_of: datetime | None
    owed: int | None = None
    is_complete: bool = True

    def forecasts(self, since: datetime | None, as_of: datetime) -> int:
        """About how many are read from `since` on."""
        first = self.first if since is None else max(self.first, since)
        return max(1, (as_of - first) // HOUR) * max(1, self.owed or 1)


def groups(chosen: Sequence[State], since: datetime | None, as_of: datetime) -> Iterator[list[int]]:
    """Signals that are read together: a few, and of not too many forecasts."""
    group: list[int] = []
    size = 0
    for state in chosen:
        more = state.forecasts(since, as_of)
        if group and (len(group) == SIGNALS_AT_ONCE or size + more > FORECASTS_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(state.signal_id)
        size += more
    if group:
        yield group


def states(
    connection: psycopg.Connection[Any], as_of: datetime, signal_ids: Sequence[int] | None
) -> list[State]:
    """Signals with a slot before `as_of`, by id."""
    values = {"as_of": as_of, "signals": None if signal_ids is None else list(signal_ids)}
    with connection.cursor(row_factory=class_row(State)) as cursor:
        return cursor.execute(STATES, values).fetchall()


def work_of(state: State, as_of: datetime) -> Work:
    """What is to be computed of a signal: nothing, the last ninety days, or everything.

    The periods 30d and 90d are computed each hour for signals that had a slot in the last nine
    days (the longest horizon, and two days for late bars), and once a day for others while a
    slot of theirs falls into ninety days. The period `all` costs what a record is long: it is
    computed with them while the record fits into ninety days, and else once a day. Documents
    that an older release wrote without a part that there is now are computed anew, once.
    """
    if state.recent_as_of is None or state.whole_as_of is None or not state.is_complete:
        return "whole"
    day = as_of.replace(hour=0)
    is_new_day = state.recent_as_of < day
    runs = state.last >= as_of - LONGEST_OPEN
    was_in_periods = state.last >= state.recent_as_of - LONGEST
    if state.recent_as_of >= as_of or not (runs or (is_new_day and was_in_periods)):
        return "nothing"
    fits = state.first >= as_of - LONGEST
    return "whole" if fits or state.whole_as_of < day else "recent"
