"""`signalbox backup` and `signalbox restore`."""

import logging
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click
import msgspec
from sqlalchemy import URL, make_url

from pipelines.operator.backup.choose import Choice, choose, reach
from pipelines.operator.backup.layout import Order, lay_out, refuse_full
from pipelines.operator.backup.manifest import Manifest
from pipelines.operator.backup.postgres import default_database, programs_of
from pipelines.operator.backup.recover import embedded_owner, recovered
from pipelines.operator.backup.report import lines, look, signer_says
from pipelines.operator.backup.secrets import copy_secrets
from pipelines.operator.backup.settings import BackupSettings
from pipelines.operator.backup.take import Source, all_backups, prune, take, verify
from pipelines.operator.command_list import HOUR, Commands, home_option, json_option
from pipelines.operator.home import Home, default_root
from sql.clock import DemoClock, system_clock
from sql.configuration import read_settings
from sql.roles import BACKUP

logger = logging.getLogger("signalbox.backup")
commands = Commands()
AGAIN_SECONDS = 600.0  # after a backup that failed
POSTGRES_UID = 64970  # of the production image

folder = click.Path(path_type=Path, file_okay=False)
wal_option = click.option(
    "--wal", type=folder, help="Archived write-ahead log; wal/ beside the backups if not given."
)


@commands.add(
    click.argument("action", type=click.Choice(["take", "verify", "list"]), default="take"),
    click.option("--into", type=folder, help="Folder of backups; backups/ of the installation."),
    wal_option,
    click.option("--secrets-to", type=folder, help="Copy the secrets, apart from the data."),
    click.option("--keep", type=click.IntRange(min=1), help="Drop all but so many newest."),
    click.option("--every-hours", type=click.FloatRange(min=0.01), help="Go on for ever."),
    json_option,
    home_option,
)
def backup(
    action: Literal["take", "verify", "list"],
    *,
    into: Path | None,
    wal: Path | None,
    secrets_to: Path | None,
    keep: int | None,
    every_hours: float | None,
    as_json: bool,
    root: Path | None,
) -> None:
    """Take a backup (take), hash every one again (verify), or show what there is (list).

    verify exits with 1 where a backup is not as it was written.
    """
    home = Home(root or default_root("main"))
    target = into or home.root / "backups"
    wal = wal or target.parent / "wal"
    if action == "list":
        _show(target, wal, as_json=as_json)
    elif action == "verify":
        _verify(target)
    else:
        source = Source(_database(home), home.root)
        if secrets_to is not None:
            copied = copy_secrets(home.root, secrets_to, target)
            click.echo(
                f"{len(copied)} secrets in {secrets_to}: keep them apart from {target}", err=True
            )
        if every_hours is None:
            _take(source, target, keep, wal, as_json=as_json)
        else:
            _repeat(source, target, keep, wal, timedelta(hours=every_hours))


def _take(
    source: Source, target: Path, keep: int | None, wal: Path, *, as_json: bool = False
) -> None:
    manifest = take(source, target, system_clock)
    if as_json:
        click.echo(msgspec.json.encode(_row(manifest)))
    else:
        click.echo(f"{target / manifest.name}  {_said(manifest)}")
    if keep is not None:
        for name in prune(target, keep, wal):
            click.echo(f"dropped {name}", err=as_json)


def _repeat(source: Source, target: Path, keep: int | None, wal: Path, every: timedelta) -> None:
    """Take one whenever the newest is older than that; outlives a fault."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        found = all_backups(target)
        due = found[-1].finished_at + every if found else system_clock()
        time.sleep(max(0.0, (due - system_clock()).total_seconds()))
        try:
            _take(source, target, keep, wal)
        except (RuntimeError, ValueError, OSError) as error:
            logger.error("no backup: %s", error)  # noqa: TRY400 - said in words
            time.sleep(AGAIN_SECONDS)


def _database(home: Home) -> URL:
    settings = read_settings(BackupSettings)
    if settings.backup_database_url:
        url = default_database(make_url(settings.backup_database_url))
        if settings.backup_database_password_file:
            secret = Path(settings.backup_database_password_file).read_text().strip()
            url = url.set(password=secret)
        return url
    admin = home.admin()
    if not (home.root / "secrets" / BACKUP).exists():
        raise RuntimeError("this installation has no role for backups yet: call signalbox migrate")
    return home.url(admin, BACKUP)


def _verify(target: Path) -> None:
    found = all_backups(target)
    if not found:
        raise ValueError(f"no backup in {target}: take one, or name the folder with --into")
    is_whole = True
    for manifest in found:
        faults = verify(target / manifest.name, manifest)
        is_whole &= not faults
        click.echo(f"{manifest.name}  {'; '.join(faults[:5]) or 'whole'}")
    if not is_whole:
        raise SystemExit(1)


def _show(target: Path, wal: Path, *, as_json: bool) -> None:
    found = reach(all_backups(target), wal)
    if as_json:
        rows = [{**_row(one), "to": datetime.fromtimestamp(end, UTC)} for one, end in found]
        click.echo(msgspec.json.encode(rows))
        return
    for one, end in found:
        until = f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M:%S}"
        click.echo(f"{one.name}  {one.consistent_at:%Y-%m-%d %H:%M:%S} to {until}  {_said(one)}")


def _row(manifest: Manifest) -> dict[str, Any]:
    return {
        "name": manifest.name, "from": manifest.consistent_at, "finished_at": manifest.finished_at,
        "log_size": manifest.log_size, "bytes": manifest.bytes, "postgres": manifest.postgres,
        "schema": manifest.schema, "platform": manifest.platform,
    }  # fmt: skip


def _said(manifest: Manifest) -> str:
    return (
        f"{manifest.bytes / 1e6:.0f} MB, {len(manifest.files)} files, {manifest.log_size} leaves,"
        f" Postgres {manifest.postgres}"
    )


@commands.add(
    click.option("--from", "backups", type=folder, required=True, help="Folder of backups."),
    wal_option,
    click.option("--to", type=HOUR, help="An instant, UTC; the newest there is if not given."),
    click.option("--secrets-from", type=folder, help="What backup --secrets-to wrote."),
    click.option("--signer", "signer_folder", type=folder,
                 help="The signer's folder that survived, to be told what it will say."),
    click.option("--timeline", default="latest", show_default=True,
                 help="Number of the history to follow, where there were restorations before."),
    click.option("--list", "only_list", is_flag=True, help="Show what can be restored, and end."),
    click.option("--prepare-only", is_flag=True,
                 help="Lay all out for a Postgres of your own, which recovers as it starts."),
    click.option("--postgres-uid", type=int, default=POSTGRES_UID, show_default=True,
                 help="With --prepare-only, as root: whose the database's files will be."),
    json_option,
    home_option,
)  # fmt: skip
def restore(
    *,
    backups: Path,
    wal: Path | None,
    to: datetime | None,
    secrets_from: Path | None,
    signer_folder: Path | None,
    timeline: str,
    only_list: bool,
    prepare_only: bool,
    postgres_uid: int,
    as_json: bool,
    root: Path | None,
) -> None:
    """Restore a backup into an empty folder, at an instant or at the newest there is.

    Checks every digest first. Exits with 1 when what was restored is not whole.
    """
    wal = wal or backups.parent / "wal"
    if only_list:
        _show(backups, wal, as_json=as_json)
        return
    if secrets_from is None:
        raise ValueError("a backup holds no secrets: name what --secrets-to wrote, --secrets-from")
    home = root or default_root("main")
    order = Order(backups, secrets_from, home, to.replace(tzinfo=UTC) if to else None, timeline)
    refuse_full(home)
    choice = _checked(order, wal)
    if prepare_only:
        lay_out(order, choice, (postgres_uid, postgres_uid) if os.geteuid() == 0 else None)
        click.echo(
            f"laid out in {home}; Postgres {choice.base.postgres_major} recovers as it starts"
        )
        return
    _restore(order, choice, signer_folder, as_json=as_json)


def _checked(order: Order, wal: Path) -> Choice:
    choice = choose(all_backups(order.backups), wal, order.to)
    for manifest in {one.name: one for one in (choice.base, choice.copies)}.values():
        if faults := verify(order.backups / manifest.name, manifest):
            raise RuntimeError(
                f"{manifest.name} is not as it was written: {faults[0]} ({len(faults)} faults)."
                " Take another copy of it, or give an instant that an older one leads to"
            )
    return choice


def _restore(order: Order, choice: Choice, signer_folder: Path | None, *, as_json: bool) -> None:
    say = partial(click.echo, err=as_json)
    programs = programs_of(choice.base.postgres_major)
    secret = order.secrets / "secrets" / "postgres"  # of an embedded server alone
    if not (programs / "postgres").exists() or not secret.exists():
        raise RuntimeError(
            f"this is a backup of a Postgres {choice.base.postgres_major} that is not the embedded"
            " one: call again with --prepare-only"
        )
    lay_out(order, choice, embedded_owner())
    say(f"laid out in {order.home}; replaying {len(choice.wal)} archived segments")
    clock = order.home / "clock"
    with recovered(order.home, programs, secret.read_text(), say) as admin:
        now = DemoClock(clock)() if clock.exists() else system_clock()
        restored = look(admin, order.home, now)
    signer = signer_says(signer_folder, restored)
    if as_json:
        found = {"base": _row(choice.base), "restored": restored, "signer": signer}
        click.echo(msgspec.json.encode(found))
    else:
        click.echo("\n".join(lines(restored, choice.base, signer)))
    if not restored.fsck.is_whole:
        raise SystemExit(1)
