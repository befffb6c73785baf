"""The database: reachable, new enough, migrated, and nobody with more rights than they need."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg

from pipelines.operator.doctor.finding import Finding, miss, ok, warn
from sql.clock import Clock, system_clock
from sql.roles import ALL_ROLES, DAGSTER, MODEL, PROCESS_ROLES
from sql.schema import newest_migration

OLDEST_VERSION = 150_000
CLOCK_OFF_AT_MOST = timedelta(seconds=1)
# Of the API, the publisher, git and its hooks, Dagster's processes, and four runs at once.
CONNECTIONS_WANTED = 100
LAST_ARCHIVED_AT_MOST = timedelta(hours=1)
# What no role of a running process may have.
TOO_MUCH = """
select rolname, concat_ws(', ', case when rolsuper then 'superuser' end,
  case when rolcreatedb then 'createdb' end, case when rolcreaterole then 'createrole' end,
  case when rolbypassrls then 'bypassrls' end, case when replicates then 'replication' end)
from (select *, rolreplication and rolname <> 'signalbox_backup' as replicates from pg_roles) r
where rolname = any(%s) and (rolsuper or rolcreatedb or rolcreaterole or rolbypassrls or replicates)
order by rolname
"""
# Facts are insert-only: no process may change or remove them.
CHANGES_FACTS = """
select grantee, table_schema || '.' || table_name, lower(privilege_type)
from information_schema.role_table_grants
where grantee = any(%s) and privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE')
  and (table_schema, table_name) in (('market', 'bar'), ('forecast', 'slot_record'),
    ('forecast', 'forecast'), ('forecast', 'opening'), ('transparency', 'leaf'),
    ('transparency', 'checkpoint'), ('score', 'score'), ('audit', 'event'))
order by 1, 2, 3
"""
MEMBERS = """
select m.rolname, g.rolname from pg_auth_members a
join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member
where m.rolname = any(%s) order by 1, 2
"""


def examine_database(info: str, clock: Clock = system_clock) -> Iterator[Finding]:
    """Look at it as a role of a process; what that may not see is said.

    Args:
        info: libpq connection string.
        clock: of this machine.
    """
    try:
        connection = psycopg.connect(info, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        yield miss(
            "database", f"does not answer: {' '.join(str(error).split())[:200]}",
            "start Postgres, and check SIGNALBOX_DATABASE_URL and the role's password",
        )  # fmt: skip
        return
    with connection:
        yield _version(connection)
        yield _schema(connection)
        yield from _roles(connection)
        yield _connections(connection)
        yield _archive(connection, clock())
        yield _clock(connection, clock)
        yield _settings(connection)


def _one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> tuple[object, ...]:
    row = connection.execute(query.encode()).fetchone()
    return row if row is not None else ()


def _setting(connection: psycopg.Connection[tuple[object, ...]], name: str) -> str:
    row = connection.execute("select current_setting(%s, true)", [name]).fetchone()
    return str(row[0]) if row and row[0] is not None else ""


def _version(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    number, text = connection.info.server_version, _setting(connection, "server_version")
    if number >= OLDEST_VERSION:
        return ok("postgres", text)
    return miss("postgres", text, "use PostgreSQL 15 or newer (pg_upgrade)")


def _schema(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    newest = newest_migration()
    try:
        (there,) = _one(connection, "select version_num from public.alembic_version") or (None,)
    except psycopg.errors.InsufficientPrivilege:
        return warn("schema", "this role may not see its revision", "look as the owner")
    except psycopg.errors.UndefinedTable:
        there = None
    if there == newest:
        return ok("schema", f"at its head, {newest}")
    return miss(
        "schema", f"at {there or 'nothing'}, the code wants {newest}",
        "signalbox migrate --home DIR; then start the processes of this version",
    )  # fmt: skip


def _roles(connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[Finding]:
    roles = [*ALL_ROLES, MODEL]
    there = {
        name for (name,) in connection.execute(
            "select rolname from pg_roles where rolname = any(%s)", [roles]
        )
    }  # fmt: skip
    if missing := sorted(set(roles) - there):
        yield miss("roles", f"missing: {', '.join(missing)}", "signalbox migrate creates them")
    found = [f"{who} has {what}" for who, what in connection.execute(TOO_MUCH, [roles])]
    found += [
        f"{who} may {what} {table}"
        for who, table, what in connection.execute(CHANGES_FACTS, [[*PROCESS_ROLES, MODEL]])
    ]
    found += [
        f"{who} is a member of {group}"
        for who, group in connection.execute(MEMBERS, [[*PROCESS_ROLES, MODEL, DAGSTER]])
        if group != MODEL
    ]
    if found:
        yield miss(
            "rights", "; ".join(found),
            "revoke it as the superuser; signalbox migrate applies the grants of sql/grants anew",
        )  # fmt: skip
    elif not missing:
        yield ok("rights", f"{len(roles)} roles, none with more than its grants")


def _connections(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    most = int(_setting(connection, "max_connections"))
    (used,) = _one(connection, "select count(*) from pg_stat_activity")
    said = f"{used} of {most} are open"
    if most >= CONNECTIONS_WANTED:
        return ok("connections", said)
    return warn(
        "connections", f"{said}; the processes may open {CONNECTIONS_WANTED}",
        f"alter system set max_connections = {CONNECTIONS_WANTED}, and restart; or use PgBouncer",
    )  # fmt: skip


def _archive(connection: psycopg.Connection[tuple[object, ...]], now: datetime) -> Finding:
    mode = _setting(connection, "archive_mode")
    if mode not in ("on", "always"):
        return warn(
            "archive", f"archive_mode is {mode}: a restore goes back to the last base backup",
            "set archive_mode = on and an archive_command; see docs/operations",
        )  # fmt: skip
    last, failed = _one(
        connection, "select last_archived_time, last_failed_time from pg_stat_archiver"
    )
    if isinstance(failed, datetime) and (not isinstance(last, datetime) or failed > last):
        return miss(
            "archive", f"archiving fails since {failed:%Y-%m-%d %H:%M} UTC",
            "see the server's log for what archive_command says; WAL piles up until then",
        )  # fmt: skip
    if not isinstance(last, datetime):
        return warn("archive", "on, nothing archived yet", "select pg_switch_wal() tries it")
    age = now - last
    if age > LAST_ARCHIVED_AT_MOST:
        return warn(
            "archive", f"the last WAL was archived {age.total_seconds() / 3600:.1f} hours ago",
            "set archive_timeout, so that a quiet hour is archived too",
        )  # fmt: skip
    return ok("archive", f"the last WAL was archived {age.total_seconds():.0f} s ago")


def _clock(connection: psycopg.Connection[tuple[object, ...]], clock: Clock) -> Finding:
    before = clock()
    (theirs,) = _one(connection, "select clock_timestamp()")
    after = clock()
    assert isinstance(theirs, datetime)  # noqa: S101 - what a timestamp is read as
    off = max(before - theirs, theirs - after, timedelta(0))
    said = f"{off.total_seconds():.3f} s off this machine's"
    if off <= CLOCK_OFF_AT_MOST:
        return ok("database clock", said)
    return miss("database clock", said, "synchronise both clocks with one source (chrony)")


def _settings(connection: psycopg.Connection[tuple[object, ...]]) -> Finding:
    unsafe = [name for name in ("fsync", "full_page_writes") if _setting(connection, name) == "off"]
    if unsafe:
        return miss(
            "durability", f"{', '.join(unsafe)} off: a power cut loses or breaks what is stored",
            f"alter system set {unsafe[0]} = on, and reload",
        )  # fmt: skip
    if _setting(connection, "synchronous_commit") == "off":
        return warn("durability", "synchronous_commit is off: the last forecasts may be lost",
                    "alter system set synchronous_commit = on")  # fmt: skip
    return ok("durability", "what is committed is on disk")
