"""Which slots a version owes, as SQL: from when it went live, until it stopped."""

from datetime import timedelta
from typing import LiteralString

# What the schedule still works off; slots further back stay open.
CATCH_UP = timedelta(hours=48)

# Every slot from when a version went live until it stopped. Who takes a version offline at a
# minute past the hour owes that hour: it is run all the same.
LIVE_SPELLS: LiteralString = """
select distinct spell.version_id, slot
from (
  select e.version_id, e.to_state, greatest(e.at, v.published_at) as began,
         lead(e.at) over (partition by e.version_id order by e.id) as ended
  from registry.version_event e join registry.version v on v.id = e.version_id
  where e.to_state in ('live', 'offline', 'retired')) spell
cross join lateral generate_series(
  greatest(date_trunc('hour', spell.began + interval '1 hour - 1 microsecond'),
           date_trunc('hour', %(first)s)),
  least(%(last)s, coalesce(spell.ended - interval '1 microsecond', %(last)s)),
  interval '1 hour') slot
where spell.to_state = 'live'
"""

# Takes `first` and `last`, both inclusive.
DUE: LiteralString = f"""
select s.version_id, s.slot
from ({LIVE_SPELLS}) s
join registry.version v on v.id = s.version_id and v.state in ('live', 'offline')
where not exists (select 1 from forecast.slot_record r
                  where r.version_id = s.version_id and r.slot = s.slot
                    and r.provenance in ('live', 'late', 'missed'))
order by s.slot, s.version_id
"""  # noqa: S608 - our own text
