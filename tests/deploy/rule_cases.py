"""A healthy house, as series, and what of it must change for each alert to fire."""

from dataclasses import dataclass, field

MINUTES = 180

HEALTHY = {
    'up{job="signalbox-api"}': "1",
    'up{job="signalbox-git"}': "1",
    'up{job="signalbox-log"}': "1",
    'up{job="signalbox-exporter"}': "1",
    'signalbox_exporter_part_up{part="slots"}': "1",
    "signalbox_code_server_up": "1",
    'signalbox_daemon_heartbeat_age_seconds{daemon="scheduler"}': "12",
    'signalbox_daemon_heartbeat_age_seconds{daemon="backfill"}': "9999999",
    "signalbox_database_up": "1",
    "signalbox_dagster_database_up": "1",
    'signalbox_database_connections{database="signalbox"}': "30",
    'signalbox_database_connections{database="dagster"}': "20",
    "signalbox_database_connections_at_most": "100",
    'alertmanager_notifications_failed_total{integration="email"}': "3",
    'signalbox_api_answers_total{status="200"}': "0+600",
    'signalbox_api_answers_total{status="500"}': "0+6",
    'signalbox_api_answer_seconds_bucket{le="0.5"}': "0+600",
    'signalbox_api_answer_seconds_bucket{le="5"}': "0+606",
    'signalbox_api_answer_seconds_bucket{le="+Inf"}': "0+606",
    "signalbox_api_listens": "1",
    "signalbox_api_pool_waiting_requests": "0",
    'signalbox_outbox_overdue_seconds{outbox="mail"}': "20",
    "signalbox_slot_owed_seconds": "300",
    'signalbox_slot_records{provenance="live",window="hour"}': "95",
    'signalbox_slot_records{provenance="late",window="hour"}': "2",
    'signalbox_slot_records{provenance="missed",window="hour"}': "3",
    'signalbox_slot_records{provenance="live",window="day"}': "2300",
    'signalbox_slot_records{provenance="missed",window="day"}': "100",
    'signalbox_slots_missed{reason="timeout"}': "60",
    'signalbox_slots_missed{reason="error"}': "40",
    'signalbox_feed_silent_hours{symbol="EURUSD",source="file"}': "1.9",
    "signalbox_run_waiting_seconds": "30",
    "signalbox_runs_waiting": "2",
    'signalbox_runs_ended{dagster_job="tick",status="success"}': "23",
    'signalbox_runs_ended{dagster_job="tick",status="failure"}': "1",
    "signalbox_log_uncovered_seconds": "3",
    "signalbox_log_checkpoint_age_seconds": "590",
    'signalbox_log_fault{fault="refused"}': "0",
    'signalbox_log_fault{fault="restored"}': "0",
    'signalbox_log_fault{fault="signer"}': "0",
    'signalbox_git_pushes_total{outcome="published"}': "0+1",
    'signalbox_git_pushes_total{outcome="declined"}': "0+1",
    'signalbox_git_pushes_total{outcome="failed"}': "0",
    "signalbox_build_waiting_seconds": "200",
    "signalbox_git_builds_waiting": "2",
    'signalbox_disk_free_bytes{folder="/srv"}': "50",
    'signalbox_disk_size_bytes{folder="/srv"}': "100",
    "signalbox_backup_age_seconds": "86400",
    'signalbox_certificate_expires_seconds{name="example.org"}': "2592000",
    "signalbox_clock_offset_seconds": "-0.01",
    "signalbox_clock_is_set": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What is changed, and which alert fires of it, and of nothing else.

    Attributes:
        changed: series and their values; None: the series is gone.
        minutes: that it takes: the rule's `for`, and a little.
    """

    alert: str
    changed: dict[str, str | None] = field(default_factory=dict)
    minutes: int = 20


UP = 'up{{job="signalbox-{}"}}'
CASES = [
    Case("ApiDown", {UP.format("api"): "0"}, 4),
    Case("ApiDown", {UP.format("api"): None}, 4),
    Case("GitDown", {UP.format("git"): "0"}, 7),
    Case("LogPublisherDown", {UP.format("log"): "0"}, 7),
    Case("ExporterDown", {UP.format("exporter"): "0"}, 5),
    Case("ExporterBlind", {'signalbox_exporter_part_up{part="slots"}': "0"}, 12),
    Case("CodeServerDown", {"signalbox_code_server_up": "0"}, 5),
    Case("DaemonSilent", {'signalbox_daemon_heartbeat_age_seconds{daemon="scheduler"}': "181"}, 4),
    Case(
        "DaemonSilent",
        {
            'signalbox_daemon_heartbeat_age_seconds{daemon="scheduler"}': None,
            'signalbox_daemon_heartbeat_age_seconds{daemon="backfill"}': None,
        },
        4,
    ),
    Case("DatabaseDown", {"signalbox_database_up": "0"}, 3),
    Case("DatabaseDown", {"signalbox_dagster_database_up": "0"}, 3),
    Case("DatabaseConnectionsScarce", {'signalbox_database_connections{database="dagster"}': "60"}),
    Case(
        "AlertsNotDelivered",
        {'alertmanager_notifications_failed_total{integration="email"}': "3+1"},
    ),
    Case("ApiErrors", {'signalbox_api_answers_total{status="500"}': "0+40"}, 12),
    Case(
        "ApiSlow",
        {
            'signalbox_api_answer_seconds_bucket{le="5"}': "0+700",
            'signalbox_api_answer_seconds_bucket{le="+Inf"}': "0+700",
        },
    ),
    Case("ApiDeaf", {"signalbox_api_listens": "0"}, 7),
    Case("ApiPoolExhausted", {"signalbox_api_pool_waiting_requests": "1"}, 7),
    Case("OutboxStuck", {'signalbox_outbox_overdue_seconds{outbox="mail"}': "901"}, 7),
    Case("SlotLate", {"signalbox_slot_owed_seconds": "901"}, 4),
    Case("SlotsMissed", {'signalbox_slot_records{provenance="missed",window="hour"}': "30"}, 7),
    Case("ForecastsLate", {'signalbox_slot_records{provenance="late",window="hour"}': "15"}, 7),
    Case("SandboxFailuresHigh", {'signalbox_slots_missed{reason="timeout"}': "260"}),
    Case("FeedStale", {'signalbox_feed_silent_hours{symbol="EURUSD",source="file"}': "2.3"}, 12),
    Case("QueueDeep", {"signalbox_run_waiting_seconds": "601"}, 7),
    Case("QueueDeep", {"signalbox_runs_waiting": "21"}, 7),
    Case("RunsFail", {'signalbox_runs_ended{dagster_job="tick",status="failure"}': "9"}),
    Case("LogNotCovered", {"signalbox_log_uncovered_seconds": "121"}, 4),
    Case("CheckpointOld", {"signalbox_log_checkpoint_age_seconds": "1801"}, 7),
    Case("SignerRefuses", {'signalbox_log_fault{fault="refused"}': "1"}, 3),
    Case("SignerRefuses", {'signalbox_log_fault{fault="restored"}': "1"}, 3),
    Case("SignerDown", {'signalbox_log_fault{fault="signer"}': "1"}, 4),
    Case("PushesFail", {'signalbox_git_pushes_total{outcome="failed"}': "0+1"}, 30),
    Case("BuildsWait", {"signalbox_build_waiting_seconds": "3601"}),
    Case("BuildsWait", {"signalbox_git_builds_waiting": "21"}),
    Case("DiskNearlyFull", {'signalbox_disk_free_bytes{folder="/srv"}': "9"}, 12),
    Case("BackupOld", {"signalbox_backup_age_seconds": "93601"}, 17),
    Case(
        "CertificateEnds", {'signalbox_certificate_expires_seconds{name="example.org"}': "-1"}, 32
    ),
    Case("ClockOff", {"signalbox_clock_offset_seconds": "-1.5"}, 7),
    Case("ClockNotKept", {"signalbox_clock_is_set": "0"}, 62),
]
