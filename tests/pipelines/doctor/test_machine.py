"""The doctor before machines and environments that are wrong, and before one that is right."""

import http.server
import shutil
import ssl
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.operator.backup.manifest import LATEST, Latest, write_whole
from pipelines.operator.doctor.certificates import examine_certificates
from pipelines.operator.doctor.finding import lines, miss, ok
from pipelines.operator.doctor.folders import examine_backups, examine_disks, examine_modes
from pipelines.operator.doctor.host import examine_host
from pipelines.operator.doctor.kernel import examine_kernel
from pipelines.operator.doctor.settings import examine_settings, known_settings
from pipelines.operator.doctor.transparency import examine_signer
from pipelines.operator.doctor.versions import examine_versions
from pipelines.operator.home import Home

TABLE = Path(__file__).parents[3] / "docs" / "operations" / "configuration.md"


def by_subject(findings):
    return {one.subject: one for one in findings}


def test_a_finding_stands_in_one_line_with_its_remedy_below():
    said = list(lines([ok("git", "/usr/bin/git"), miss("modes", "x is open", "chmod 600 x")]))
    assert said == ["ok   git: /usr/bin/git", "MISS modes: x is open", "     mend: chmod 600 x"]


@pytest.fixture
def kernel(tmp_path):
    """A kernel's files, as of one that has everything."""
    for file, text in {
        "proc/sys/user/max_user_namespaces": "1000",
        "proc/sys/kernel/seccomp/actions_avail": "kill_process kill_thread errno allow",
        "proc/filesystems": "nodev\tsysfs\nnodev\toverlay\n",
        "sys/fs/cgroup/cgroup.controllers": "cpu memory pids io",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return tmp_path


def test_this_machine_s_own_kernel_holds_sandboxes():
    assert [one for one in examine_kernel() if one.state == "miss"] == []


@pytest.mark.parametrize(
    ("file", "text", "subject", "state"),
    [
        ("proc/sys/user/max_user_namespaces", "0", "user namespaces", "miss"),
        ("proc/sys/kernel/unprivileged_userns_clone", "0", "user namespaces", "warn"),
        ("proc/sys/kernel/seccomp/actions_avail", "", "seccomp", "miss"),
        ("sys/fs/cgroup/cgroup.controllers", "cpu io", "cgroups", "miss"),
        ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "apparmor", "warn"),
        ("proc/filesystems", "nodev\tsysfs\n", "overlay", "warn"),
    ],
)
def test_a_kernel_without_a_feature_is_told_which(kernel, file, text, subject, state):
    assert {one.state for one in examine_kernel(kernel)} == {"ok"}
    (kernel / file).write_text(text)
    found = by_subject(examine_kernel(kernel))
    assert {name for name, one in found.items() if one.state != "ok"} == {subject}
    assert found[subject].state == state
    assert found[subject].mend


def test_swap_and_little_memory_are_named(tmp_path):
    (tmp_path / "meminfo").write_text(
        "MemTotal: 1048576 kB\nMemAvailable: 524288 kB\nSwapTotal: 2097152 kB\n"
    )
    found = by_subject(examine_host(None, tmp_path))
    assert (found["memory"].state, found["swap"].state) == ("warn", "warn")
    assert "encrypt" in found["swap"].mend


def test_secrets_that_others_may_read_are_named_with_their_modes(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    assert by_subject(examine_modes(home, {}))["modes"].state == "ok"
    (home.root / "secrets" / "api.key").chmod(0o644)
    token = tmp_path / "token"
    token.write_text("x")
    token.chmod(0o640)
    found = by_subject(examine_modes(home, {"SIGNALBOX_METRICS_TOKEN_FILE": str(token)}))["modes"]
    assert found.state == "miss"
    assert f"{home.root / 'secrets' / 'api.key'} has mode 0644" in found.said
    assert f"{token} has mode 0640" in found.said


def test_a_secret_that_is_not_where_its_setting_says_is_named(tmp_path):
    gone = tmp_path / "gone"
    found = list(examine_modes(Home(tmp_path), {"SIGNALBOX_SMTP_PASSWORD_FILE": str(gone)}))
    assert [one.said for one in found] == [f"{gone} is not there"]


def test_the_newest_backup_is_told_by_its_age(tmp_path):
    now = datetime.now(UTC)
    assert examine_backups(tmp_path / "backups", now).said == f"none in {tmp_path / 'backups'}"
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / ".lock").touch()  # of one that failed
    assert examine_backups(folder, now).state == "warn"
    write_whole(folder / LATEST, Latest(now, "first"))
    assert examine_backups(folder, now).state == "ok"
    found = examine_backups(tmp_path / "backups", now + timedelta(hours=30))
    assert (found.state, "is 30 hours old" in found.said) == ("warn", True)


def test_a_disk_without_room_is_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9**11, 9**11, 9**8)
    )
    (found, *_) = examine_disks(Home(tmp_path))
    assert (found.subject, found.state) == ("disk", "miss")


def test_a_mistyped_setting_is_met_with_the_one_that_was_meant():
    (found,) = examine_settings({"SIGNALBOX_ENVIROMENT": "demo"})
    assert (found.state, found.mend) == ("warn", "did you mean SIGNALBOX_ENVIRONMENT?")


def test_every_setting_of_the_table_is_known_and_no_other():
    told = {
        line.split("`")[1] for line in TABLE.read_text().splitlines()
        if line.startswith("| `SIGNALBOX_")
    }  # fmt: skip
    assert told <= known_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNALBOX_ALLOW_MANUAL_PAYMENTS", "true"),
        ("SIGNALBOX_WEBHOOK_TARGETS", "private"),
        ("SIGNALBOX_RATE_LIMITS", "off"),
        ("SIGNALBOX_OPERATORS_NEED_TOTP", "false"),
        ("SIGNALBOX_MARKET_SOURCE", "sample"),
    ],
)
def test_what_production_should_not_have_is_named_there_and_only_there(name, value):
    (found, _) = examine_settings({name: value})
    assert (found.state, name in found.said) == ("warn", True)
    elsewhere = examine_settings({name: value, "SIGNALBOX_ENVIRONMENT": "test"})
    assert not any(name in one.said for one in elsewhere)


def test_a_library_that_is_not_the_locked_one_is_named(tmp_path):
    lock = tmp_path / "uv.lock"
    lock.write_text('[[package]]\nname = "litestar"\nversion = "1.0.0"\n')
    (found,) = examine_versions(lock)
    assert found.state == "warn"
    assert "(locked: 1.0.0)" in found.said
    assert [one.state for one in examine_versions()] == ["ok"]


def test_a_signer_that_is_not_there_is_missed(tmp_path):
    (found,) = examine_signer(tmp_path / "socket")
    assert found.state == "miss"


@pytest.fixture
def certificate(tmp_path):
    """`certificate(days)`: PEM files of one that is valid so long, made by OpenSSL."""

    def make(days):
        key, file = tmp_path / f"{days}.key", tmp_path / f"{days}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", str(days),
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", key, "-out", file],
            check=True, capture_output=True,
        )  # fmt: skip
        return file, key

    return make


def test_certificates_are_told_by_the_days_they_have_left(certificate):
    (long, _), (short, _) = certificate(90), certificate(5)
    now = datetime.now(UTC)
    found = list(examine_certificates((), (long, short), now))
    assert [one.state for one in found] == ["ok", "warn"]
    (late,) = examine_certificates((), (short,), now + timedelta(days=9))
    assert (late.state, late.said) == ("miss", "expired 5 days ago")


def test_a_certificate_that_nobody_vouches_for_is_missed_until_somebody_does(
    certificate, monkeypatch
):
    file, key = certificate(90)
    with serving(file, key) as url:
        (found,) = examine_certificates((url,), (), datetime.now(UTC))
        assert found.state == "miss"
        assert "self-signed" in found.said
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        (found,) = examine_certificates((url,), (), datetime.now(UTC))
        assert found.state == "ok"


def test_a_clock_that_is_hours_off_another_s_is_missed():
    class Yesterday(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response_only(200)
            self.send_header("Date", "Sat, 21 Nov 2020 05:00:00 GMT")
            self.end_headers()

        def log_message(self, *_):
            pass

    with serving(None, None, Yesterday) as url:
        found = by_subject(examine_host(url))["clock"]
    assert found.state == "miss"
    assert "chronyc" in found.mend


@contextmanager
def serving(certificate, key, handler=http.server.BaseHTTPRequestHandler):
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        scheme = "https" if certificate else "http"
        try:
            yield f"{scheme}://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
