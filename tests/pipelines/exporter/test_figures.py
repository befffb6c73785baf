"""What the exporter says is what stands in the rows, files and ports."""

import socket
import threading
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pytest

from pipelines.exporter.reader import Reader
from pipelines.operator.backup.manifest import LATEST, Latest, write_whole
from sql.clock import floor_hour
from sql.metrics_server import MetricsServer
from sql.metrics_token import MetricsToken
from sql.roles import DAGSTER_DATABASE, METRICS, conninfo, role_url
from tests.pipelines.exporter.conftest import documented, figures

HOUR = timedelta(hours=1)


@pytest.fixture
def slot() -> datetime:
    """The newest, when the test begins: the exporter goes by the world's clock."""
    return floor_hour(datetime.now(UTC))


def of(found, name, **labels):
    return found["signalbox_" + name, tuple(sorted(labels.items()))]


def test_slots_are_counted_by_what_became_of_them(read, make, slot):
    tide = make.signal(make.person("ada"))
    make.slot(tide, slot - 2 * HOUR)
    make.slot(tide, slot - HOUR, "missed")
    make.slot(tide, slot)
    make.connection.execute(
        "insert into registry.version_event (version_id, at, to_state, why)"
        " values (%s, %s, 'live', 'x')",
        [tide.version_id, slot - 4 * HOUR],
    )
    found = read()
    # Live for five hours, of which three are on record.
    assert of(found, "slot_records", provenance="live", window="day") == 2
    assert of(found, "slot_records", provenance="live", window="hour") == 1
    assert of(found, "slot_records", provenance="missed", window="day") == 1
    assert of(found, "slots_missed", reason="timeout") == 1
    assert of(found, "slots_owed") == 2
    assert of(found, "slot_owed_seconds") == pytest.approx(
        (datetime.now(UTC) - slot + 4 * HOUR).total_seconds(), abs=60
    )
    assert of(found, "slot_recorded_seconds", quantile="1") == 180
    assert of(found, "slot_proven_seconds", quantile="0.5") == 180
    labels = {"signal": "tide", "version": "v1.0.0", "version_id": str(tide.version_id)}
    assert of(found, "sandbox_wall_seconds", **labels) == pytest.approx(0.0075)
    assert of(found, "versions", state="live") == 1


def test_a_reason_that_a_model_chose_becomes_no_label(read, make, slot):
    tide = make.signal(make.person("ada"))
    record = make.slot(tide, slot, "missed")
    with make.connection.transaction():
        make.connection.execute("set local session_replication_role = replica")
        make.connection.execute(
            "update forecast.slot_record set reason = 'my secret label: x' where id = %s", [record]
        )
    found = read()
    assert of(found, "slots_missed", reason="other") == 1
    assert not [labels for _, labels in found if "secret" in str(labels)]


def test_a_feed_is_silent_for_the_hours_in_which_its_market_was_open(read, make, slot):
    make.signal(make.person("ada"))
    make.connection.execute("update market.instrument set calendar = '24x7'")
    make.bar(slot - 4 * HOUR, 1.2, batch=1, known=slot - 3 * HOUR)
    found = read()
    labels = {"symbol": "EURUSD", "source": "file"}
    aged = (datetime.now(UTC) - slot + 3 * HOUR).total_seconds()
    assert of(found, "feed_age_seconds", **labels) == pytest.approx(aged, abs=60)
    assert of(found, "feed_silent_hours", **labels) == pytest.approx(aged / 3600, abs=0.02)


def test_the_log_tells_what_is_signed_and_what_is_not(read, make, slot):
    tide = make.signal(make.person("ada"))
    make.slot(tide, slot - HOUR)
    covered = read()
    assert of(covered, "log_leaves", covered_by="quorum") == 1
    assert of(covered, "log_uncovered_seconds") == 0
    make.leaf(tide, slot, "live")
    bare = read()
    assert of(bare, "log_leaves", covered_by="nothing") == 2
    waited = (datetime.now(UTC) - slot).total_seconds()
    for name in ("log_uncovered_seconds", "log_unsigned_seconds"):
        assert of(bare, name) == pytest.approx(waited, abs=60)


def test_letters_that_nobody_tries_are_overdue(read, make):
    ada = make.person("ada")
    make.connection.execute(
        "select account.put_mail(%s, 'confirm_email', 's', 't', %s)",
        [ada.id, datetime.now(UTC) - HOUR],
    )
    found = read()
    assert of(found, "outbox_waiting", outbox="mail") == 1
    assert of(found, "outbox_overdue_seconds", outbox="mail") == pytest.approx(3600, abs=120)
    assert of(found, "outbox_waiting", outbox="webhooks") == 0


def test_dagster_is_counted_from_its_own_tables(read, dagster_tables):
    dagster_tables.execute(
        "insert into daemon_heartbeats (daemon_type, daemon_id, timestamp, body)"
        " values ('SENSOR', 'x', (now() - interval '90 s') at time zone 'UTC', '{}')"
    )
    for status, began, ended in (("QUEUED", None, None), ("SUCCESS", 100, 103.5)):
        dagster_tables.execute(
            "insert into runs (run_id, pipeline_name, status, run_body, start_time, end_time)"
            " values (gen_random_uuid(), 'tick', %s, '{\"config\": \"private\"}', %s, %s)",
            [status, began, ended],
        )
    found = read()
    beat = of(found, "daemon_heartbeat_age_seconds", daemon="sensor")
    assert beat == pytest.approx(90, abs=60)
    assert of(found, "runs_unfinished", dagster_job="tick", status="queued") == 1
    assert of(found, "runs_waiting") == 1
    assert of(found, "runs_ended", dagster_job="tick", status="success") == 1
    assert of(found, "run_seconds", dagster_job="tick", quantile="0.95") == 3.5


def test_a_database_that_is_away_takes_its_own_figures_with_it_and_no_others(settings, tmp_path):
    write_whole(tmp_path / LATEST, Latest(datetime.now(UTC) - 3 * HOUR, "newest"))
    away = msgspec.structs.replace(
        settings, database_url=settings.database_url.replace("/test_", "/gone_")
    )
    found = figures(Reader(away).written())
    assert of(found, "database_up") == 0
    assert of(found, "dagster_database_up") == 1
    assert of(found, "exporter_part_up", part="slots") == 0
    assert of(found, "backup_age_seconds") == pytest.approx(3 * 3600, abs=120)
    assert of(found, "disk_free_bytes", folder=str(tmp_path)) > 0
    assert of(found, "code_server_up") == 0
    assert ("signalbox_slots_owed", ()) not in found


def test_without_a_backup_its_age_has_no_end(read):
    assert of(read(), "backup_age_seconds") == float("inf")


def test_a_code_server_is_up_while_it_takes_connections(settings):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        reader = Reader(msgspec.structs.replace(settings, code_port=port))
        assert of(figures(reader.written()), "code_server_up") == 1


def test_a_crowd_that_asks_costs_one_reading(settings):
    reader = Reader(msgspec.structs.replace(settings, exporter_keep_seconds=60))
    answers: list[bytes] = []
    crowd = [threading.Thread(target=lambda: answers.append(reader.written())) for _ in range(20)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert len(answers) == 20
    assert len(set(answers)) == 1


def test_every_figure_is_documented(settings, make, slot):
    make.bar(slot - 4 * HOUR, 1.2, batch=1, known=slot - 3 * HOUR)
    make.slot(make.signal(make.person("ada")), slot)
    found = {name for name, _ in figures(Reader(settings).written())}
    ours = {name for name in found if name.startswith("signalbox_")}
    assert ours - documented() == set()


def test_who_lacks_the_token_reads_nothing(tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef")
    token = MetricsToken(str(tmp_path / "token"), "production")
    with MetricsServer("127.0.0.1", 0, token, lambda: b"x 1\n") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for shown, status in ((None, 401), ("Bearer x", 401), ("Bearer 0123456789abcdef", 200)):
            assert _status(server.server_port, shown) == status
        server.shutdown()


def _status(port, shown):
    header = f"Authorization: {shown}\r\n" if shown else ""
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(f"GET /metrics HTTP/1.0\r\n{header}\r\n".encode())
        return int(caller.makefile().readline().split()[1])


@pytest.mark.parametrize(
    "attack",
    [
        "select * from forecast.forecast",
        "select * from forecast.opening",
        "select log, reason from forecast.slot_record",
        "select * from account.user_account",
        "select * from account.mail",
        "select * from account.webhook_delivery",
        "select * from billing.subscription",
        "select * from ledger.entry",
        "select manifest from registry.version",
        "select close from market.bar",
        "select body from transparency.leaf",
        "insert into forecast.slot_record (slot) values (now())",
        "update registry.version set state = 'offline'",
        "delete from account.mail",
    ],
)
def test_the_exporter_may_not(database, attack):
    with (
        database.connect(METRICS) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(attack)


@pytest.mark.usefixtures("dagster_tables")
def test_of_dagsters_database_the_exporter_reads_no_table(postgres):
    admin, passwords = postgres
    url = role_url(admin, METRICS, passwords[METRICS], DAGSTER_DATABASE)
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        assert connection.execute("select count(*) from watch.heartbeats()").fetchone() == (0,)
        for table in ("runs", "event_logs", "daemon_heartbeats"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select * from {table}")
