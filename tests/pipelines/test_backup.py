"""Backups of a real cluster, repository and image store: whole, apart from secrets, prunable."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest
from click.testing import CliRunner

from pipelines.operator.backup.choose import choose
from pipelines.operator.backup.commands import restore
from pipelines.operator.backup.copies import copy_repositories
from pipelines.operator.backup.manifest import digests_of, read_manifest
from pipelines.operator.backup.secrets import copy_secrets
from pipelines.operator.backup.take import Source, all_backups, prune, take, verify
from sql.archive import archive_command, restore_command, segments
from sql.clock import system_clock
from sql.roles import BACKUP, DATABASE, OWNER, conninfo, role_url
from tests.conftest import commit, head

MIGRATIONS = Path(__file__).parents[2] / "sql" / "migrations" / "versions"
NEWEST_MIGRATION = max(path.name for path in MIGRATIONS.glob("0*.py"))[:4]


def a_second_later() -> datetime:
    """Backups are named by the second."""
    return system_clock() + timedelta(seconds=1)


@pytest.fixture
def place():
    """A short path on a disk: Postgres' programs write there."""
    root = Path(tempfile.mkdtemp(prefix="signalbox-backup-", dir="/var/tmp"))
    yield root
    shutil.rmtree(root)


@pytest.fixture
def source(postgres, place):
    admin, passwords = postgres
    folder = place / "home"
    git = folder / "git" / "ada"
    git.mkdir(parents=True)
    work = commit(place / "work", "tide", "def forecast(window): ...\n")
    subprocess.run(["git", "clone", "--quiet", "--bare", work, git / "tide.git"], check=True)
    layer = folder / "images" / "layers"
    (layer / "ab").mkdir(parents=True)
    (layer / "ab.tar").write_bytes(os.urandom(100_000))
    (layer / "ab" / "python3").symlink_to("python3.11")
    (folder / "images" / "wheels").mkdir()
    (folder / "images" / "wheels" / "cache.whl").write_text("fetched again when it is missing")
    (folder / "log-origin").write_text("signalbox.invalid/12345678")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "api.key").write_text("opens tokens")
    (folder / "signer").mkdir()
    (folder / "signer" / "1.skey").write_text("signs")
    (folder / "signer" / "state").write_text("what was signed last")
    return Source(role_url(admin, BACKUP, passwords[BACKUP], DATABASE), folder)


def test_a_backup_is_whole_names_every_file_and_holds_no_secret(source, place):
    target = place / "backups"
    first = take(source, target, system_clock)
    folder = target / first.name
    assert verify(folder, first) == []
    assert json.loads((target / "latest.json").read_text()) == {
        "finished_at": first.finished_at.isoformat().replace("+00:00", "Z"),
        "name": first.name,
    }
    assert read_manifest(folder) == first
    assert first.started_at <= first.consistent_at <= first.finished_at
    assert (first.schema, first.log_size, first.checkpoint) == (NEWEST_MIGRATION, 0, None)
    names = set(first.files)
    assert {"log-origin", "images/layers/ab.tar", "images/layers/ab/python3"} <= names
    assert "postgres/backup_label" in names
    assert not [name for name in names if name.startswith(("secrets", "signer", "images/wheels"))]
    copied = folder / "git" / "ada" / "tide.git"
    assert head(copied) == head(place / "work")

    second = take(source, target, a_second_later)
    one, other = (target / m.name / "images" / "layers" / "ab.tar" for m in (first, second))
    assert one.samefile(other)
    assert verify(target / second.name, second) == []

    (folder / "log-origin").unlink()
    (folder / "images" / "layers" / "ab" / "python3").unlink()
    (folder / "images" / "layers" / "ab" / "python3").symlink_to("python2")
    (folder / "added").touch()
    block = next(name for name in sorted(first.files) if name.startswith("postgres/base/"))
    with (folder / block).open("r+b") as file:
        file.write(b"?")
    assert verify(folder, first) == [
        "log-origin is missing",
        "added is in no manifest",
        "images/layers/ab/python3 was altered",
        f"{block} was altered",
    ]


def test_a_base_backup_that_is_not_what_the_server_sent_is_not_called_whole(source, place):
    manifest = take(source, place / "backups", system_clock)
    folder = place / "backups" / manifest.name
    base, listed = folder / "postgres", folder / "postgres" / "backup_manifest"
    segment, kept = base / "pg_wal" / manifest.first_wal, listed.read_text()
    listed.write_text(kept.replace('"Path": "PG_VERSION"', '"Path": "PG_VERSIOM"'))
    segment.write_bytes(bytes(segment.stat().st_size))
    rehashed = msgspec.structs.replace(manifest, files=digests_of(folder))
    assert verify(folder, rehashed)[:2] == [
        "postgres/backup_manifest was altered",
        "postgres/PG_VERSIOM is not what the server sent",
    ]
    assert "the write-ahead log from" in verify(folder, rehashed)[2]


def test_dropping_old_backups_drops_the_log_that_only_they_needed(place, source, postgres):
    target, wal = place / "backups", place / "wal"
    wal.mkdir()
    first = take(source, target, system_clock)
    with psycopg.connect(conninfo(postgres[0]), autocommit=True) as connection:
        connection.execute("select pg_switch_wal()")
    second = take(source, target, a_second_later)
    assert second.first_wal > first.first_wal
    for name in (first.first_wal, second.first_wal, "00000002.history"):
        (wal / f"{name}.gz").touch()
    assert prune(target, 2, wal) == []
    assert prune(target, 1, wal) == [first.name]
    assert [one.name for one in all_backups(target)] == [second.name]
    assert [p.name for p in segments(wal)] == [f"{second.first_wal}.gz", "00000002.history.gz"]
    assert verify(target / second.name, second) == []


def test_a_backup_onto_a_full_disk_leaves_the_older_ones_and_nothing_by_halves(place, source):
    if os.geteuid() != 0:
        pytest.skip("a small disk of this test's own needs root to mount it")
    small = place / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "none", small], check=True)
    try:
        with pytest.raises(RuntimeError, match=r"No space left on device"):
            take(source, small, system_clock)
        assert [path.name for path in small.iterdir()] == [".lock"]
        subprocess.run(["mount", "-o", "remount,size=900m", small], check=True)
        assert verify(small / (taken := take(source, small, system_clock)).name, taken) == []
    finally:
        subprocess.run(["umount", "--lazy", small], check=True)


def test_the_role_of_backups_reads_no_row_but_how_far_the_log_had_come(source):
    refused = ("account.user_account", "forecast.opening", "billing.subscription", "market.bar")
    with psycopg.connect(conninfo(source.database), autocommit=True) as connection:
        for table in refused:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select * from {table}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select body from transparency.leaf")
        assert connection.execute("select leaves from transparency.coverage").fetchone() == (0,)


def test_replication_is_refused_to_every_other_role(postgres):
    admin, passwords = postgres
    url = role_url(admin, OWNER, passwords[OWNER])
    with pytest.raises(psycopg.OperationalError, match="Only roles with the REPLICATION attribute"):
        psycopg.connect(conninfo(url), replication="database")


def test_secrets_beside_the_data_are_refused_and_the_signers_state_is_never_copied(source, place):
    for beside in (place / "backups" / "secrets", source.folder / "kept"):
        with pytest.raises(ValueError, match="secrets must not lie with what they open"):
            copy_secrets(source.folder, beside, place / "backups")
    apart = place / "apart"
    assert copy_secrets(source.folder, apart, place / "backups") == [
        "secrets/api.key",
        "signer/1.skey",
    ]
    assert {path.stat().st_mode & 0o077 for path in apart.rglob("*")} == {0}
    assert not (apart / "signer" / "state").exists()


def test_a_repository_that_is_pushed_to_and_packed_meanwhile_is_copied_whole(source, place):
    repository = source.folder / "git" / "ada" / "tide.git"
    stopped = threading.Event()

    def push_and_pack():
        count = 0
        while not stopped.is_set():
            count += 1
            blob = _git(repository, "hash-object", "-w", "--stdin", input=str(count))
            tree = _git(repository, "mktree", input=f"100644 blob {blob}\tfile\n")
            person = {f"GIT_{who}_{what}": "t" for who in ("AUTHOR", "COMMITTER")
                      for what in ("NAME", "EMAIL")}  # fmt: skip
            made = _git(repository, "commit-tree", tree, "-m", "x", **person)
            _git(repository, "update-ref", f"refs/heads/b{count}", made)
            if count % 5 == 0:
                _git(repository, "gc", "--quiet", "--prune=now")

    pusher = threading.Thread(target=push_and_pack)
    pusher.start()
    try:
        for number in range(5):
            copy_repositories(source.folder / "git", place / f"copy{number}", None)
    finally:
        stopped.set()
        pusher.join()


def test_an_archived_segment_is_never_written_over_by_another(place):
    wal = place / "it's 100% wal"
    wal.mkdir()
    segment, read = place / "segment", place / "read"
    segment.write_bytes(os.urandom(10_000))
    name = "000000010000000000000001"

    def call(command, path):
        filled = command.replace("%%", "\0").replace("%p", str(path)).replace("%f", name)
        shell = ["sh", "-c", filled.replace("\0", "%")]
        return subprocess.run(shell, capture_output=True, check=False).returncode

    assert call(restore_command(wal), read) != 0
    assert call(archive_command(wal), segment) == 0
    assert call(archive_command(wal), segment) == 0  # Postgres asks again after a crash
    assert [path.name for path in wal.iterdir()] == [f"{name}.gz"]
    before = segment.read_bytes()
    segment.write_bytes(os.urandom(10_000))
    assert call(archive_command(wal), segment) != 0
    assert call(restore_command(wal), read) == 0
    assert read.read_bytes() == before


def test_a_damaged_backup_or_a_folder_in_use_is_refused_before_anything_is_written(source, place):
    target, apart, home = place / "backups", place / "apart", place / "new"
    manifest = take(source, target, system_clock)
    copy_secrets(source.folder, apart, target)

    def said(*options: str | Path) -> str:
        arguments = [str(one) for one in ("--from", target, *options)]
        done = CliRunner().invoke(restore, arguments)
        assert done.exit_code == 1
        return done.output

    assert "a backup holds no secrets" in said("--home", home)
    asked = ("--secrets-from", apart, "--home")
    assert "is not empty: move it aside" in said(*asked, source.folder)
    assert "call again with --prepare-only" in said(*asked, home)  # no password of an embedded one
    (target / manifest.name / "log-origin").write_text("another.invalid/log")
    assert "is not as it was written: log-origin was altered" in said(*asked, home)
    assert not home.exists()


def test_the_archive_command_of_the_guide_is_ours():
    guide = (MIGRATIONS.parents[2] / "docs" / "operations" / "backup.md").read_text()
    command = archive_command(Path("/srv/signalbox/wal"))
    assert f"archive_command = '{command}'" in guide


def test_an_instant_before_the_oldest_backup_is_refused_with_what_can_be_had(source, place):
    manifest = take(source, place / "backups", system_clock)
    with pytest.raises(ValueError, match="the oldest backup can be restored to"):
        choose([manifest], None, datetime(2026, 1, 1, tzinfo=UTC))


def _git(repository, *arguments, input=None, **environment):  # noqa: A002 - subprocess' word
    done = subprocess.run(
        ["git", *arguments], cwd=repository, input=input, check=True, capture_output=True,
        text=True, env={**os.environ, **environment},
    )  # fmt: skip
    return done.stdout.strip()
