"""What a walk along the log cannot meet, because it is not there or is there twice."""

from datetime import datetime
from typing import Any

import psycopg

from assets.transparency.fsck_faults import Faults
from sql.clock import floor_hour
from sql.due import CATCH_UP, LIVE_SPELLS

# Each finds a subject and its problem. Openings and numbers whose leaf was walked are not met
# here: these are the ones that no leaf leads to.
QUERIES = {
    "leaf": """
select 'slot record ' || r.id, 'is due but has no leaf'
from forecast.slot_record r
where r.provenance in ('live', 'late', 'missed') and r.leaf_index is null
union all
select 'slot record ' || r.id, 'names leaf ' || r.leaf_index || ', which is not there'
from forecast.slot_record r left join transparency.leaf l on l.index = r.leaf_index
where r.leaf_index is not null and l.index is null
union all
select 'slot record ' || r.id, 'is ' || r.provenance || ' but claims leaf ' || r.leaf_index
from forecast.slot_record r
where r.leaf_index is not null and r.provenance not in ('live', 'late', 'missed')
union all
select 'leaf ' || r.leaf_index, 'is claimed by ' || count(*) || ' records'
from forecast.slot_record r where r.leaf_index is not null
group by r.leaf_index having count(*) > 1""",
    "once": """
select 'slot ' || to_char(r.slot at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' of version '
       || r.version_id, 'has ' || count(*) || ' outcomes'
from forecast.slot_record r where r.provenance in ('live', 'late', 'missed')
group by r.version_id, r.slot having count(*) > 1""",
    "orphan": """
select 'opening ' || o.slot_record_id, 'opens no logged forecast'
from forecast.opening o left join forecast.slot_record r on r.id = o.slot_record_id
where r.id is null or r.leaf_index is null or r.provenance = 'missed'
union all
select 'forecast of slot record ' || f.slot_record_id, 'belongs to no answered slot'
from forecast.forecast f left join forecast.slot_record r on r.id = f.slot_record_id
where r.id is null or r.provenance = 'missed'""",
    "audit": """
select 'reproduction ' || t.id, 'has no audit/v1 leaf'
from transparency.reproduction t left join transparency.leaf l on l.index = t.audit_leaf
where l.index is null or l.kind <> 'audit/v1'
union all
select 'leaf ' || t.audit_leaf, 'is claimed by ' || count(*) || ' reproductions'
from transparency.reproduction t group by t.audit_leaf having count(*) > 1""",
}
# Nothing is logged of a version after its retirement: hours after its last outcome are not owed.
MISSING = f"""
select s.version_id, min(s.slot), count(*) from ({LIVE_SPELLS}) s
join registry.version v on v.id = s.version_id
where not exists (select from forecast.slot_record r
                  where r.version_id = s.version_id and r.slot = s.slot
                    and r.provenance in ('live', 'late', 'missed'))
  and (v.state <> 'retired' or s.slot < (
         select max(r.slot) from forecast.slot_record r
         where r.version_id = s.version_id and r.provenance in ('live', 'late', 'missed')))
group by s.version_id order by s.version_id
"""  # noqa: S608 - our own text


def check_records(
    connection: psycopg.Connection[Any], faults: Faults, now: datetime | None, first: int = 0
) -> None:
    """Records without leaves, outcomes that are there twice, due slots that nobody answered for.

    Args:
        connection: in the transaction of the walk.
        faults: to add to.
        now: UTC; slots too old to be caught up are faults. None: due slots are not asked for.
        first: not 0: only what is due is asked for, over two catch-ups; the rest reads everything.
    """
    if first == 0:
        for check, query in QUERIES.items():
            with connection.cursor(name=check) as cursor:
                for subject, problem in cursor.execute(query):
                    faults.add(check, subject, problem)
    if now is None:
        return
    last = floor_hour(now) - CATCH_UP
    since = last - CATCH_UP if first else datetime.min.replace(year=1970, tzinfo=now.tzinfo)
    for version_id, oldest, count in connection.execute(MISSING, {"first": since, "last": last}):
        faults.add("due", f"version {version_id}", f"has {count} due slots without an outcome, the"
                   f" first {oldest:%Y-%m-%d %H:%M} UTC")  # fmt: skip


def owed_slots(connection: psycopg.Connection[Any], now: datetime) -> int:
    """Due slots without an outcome that are young enough to be caught up."""
    last = floor_hour(now)
    values = {"first": last - CATCH_UP, "last": last}
    return sum(count for _, _, count in connection.execute(MISSING, values))
