"""What an installation came to in the end: each due slot's outcome, the log, and what is left."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import psycopg

from assets.transparency.fsck import fsck
from sandbox.runner import cgroup
from signalbox.log.policy import parse_policy
from sql.due import LIVE_SPELLS
from tests.soak.installation import Soaked
from tests.soak.strikes import end, traces

OUTCOMES = f"""
select due.version_id, due.slot, count(r.id) as outcomes, count(distinct r.leaf_index) as leaves,
       max(r.provenance) as provenance
from ({LIVE_SPELLS}) due
left join forecast.slot_record r on r.version_id = due.version_id and r.slot = due.slot
  and r.provenance in ('live', 'late', 'missed')
group by due.version_id, due.slot
"""


@dataclass
class Verdict:
    """What was found, and what of it is wrong."""

    slots: int
    outcomes: Counter[str]
    problems: list[str] = field(default_factory=list)


def judge(soaked: Soaked) -> Verdict:
    """Hold every due slot against records and leaves, and have everything checked."""
    now = soaked.clock()
    with soaked.connect() as connection:
        rows = connection.execute(
            OUTCOMES, {"first": now - timedelta(days=90), "last": now}
        ).fetchall()
        verdict = Verdict(
            slots=len({slot for _, slot, *_ in rows}),
            outcomes=Counter(provenance or "none" for *_, provenance in rows),
        )
        for version, slot, outcomes, leaves, _ in rows:
            if (outcomes, leaves) != (1, 1):
                verdict.problems.append(
                    f"version {version}, slot {slot:%Y-%m-%d %H:%M}: {outcomes} outcomes,"
                    f" {leaves} leaves"
                )
        verdict.problems += _faults(soaked, connection)
    return verdict


def _faults(soaked: Soaked, connection: psycopg.Connection) -> list[str]:
    row = connection.execute(
        "select policy from transparency.quorum order by checkpoint_id desc limit 1"
    ).fetchone()
    if row is None:
        return ["the log has no quorum at all"]
    report = fsck(
        connection, soaked.clock(), images=soaked.installation.images,
        policy=parse_policy(row[0]), live_deadline=soaked.installation.live_deadline,
    )  # fmt: skip
    found = [f"fsck: {fault}" for fault in report.shown]
    if report.faults:
        found.append(f"fsck: {report.faults} faults: {dict(report.by_check)}")
    if report.owed:
        found.append(f"fsck: {report.owed} slots are owed")
    return found


@dataclass
class Belongings:
    """The cgroups that were seen to be this installation's."""

    groups: set[str] = field(default_factory=set)

    def watch(self, pids: list[int]) -> None:
        """Remember the cgroups that these processes are in."""
        for pid in pids:
            try:
                lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
            except OSError:
                continue
            for line in lines:
                _, _, group = line.partition(f"/{cgroup.FAMILY}/")
                if group:
                    self.groups.add(group)

    def left(self) -> list[cgroup.Cgroup]:
        """Those that are still there: empty ones wait for the reaper's deadline."""
        return [one for one in cgroup.existing(cgroup.families()) if one.name in self.groups]


def leftovers(root: Path, belongings: Belongings) -> dict[str, int]:
    """What outlived the installation, counted; removed, so that the machine is as before."""
    processes = traces(root)
    groups = belongings.left()
    inhabited = [group for group in groups if group.pids()]
    end(processes)
    stubborn = 0
    for group in groups:
        try:
            group.remove()
        except OSError:
            stubborn += 1
    return {
        "processes": len(processes),
        "inhabited_cgroups": len(inhabited),
        "cgroups_that_cannot_be_removed": stubborn,
        "folders": len(list(root.glob("postgres/base/pgsql_tmp/*"))),
    }
