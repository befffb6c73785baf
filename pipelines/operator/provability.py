"""Commands that hold the log to what it says: `reproduce` and `fsck`."""

from pathlib import Path

import click
import msgspec

from assets.transparency.fsck import fsck as look_at_all
from assets.transparency.reproduce import reproduce as compute_again
from pipelines.operator.command_list import Commands, home_option, installation_at, json_option
from signalbox.log.policy import parse_policy

commands = Commands()


@commands.add(click.argument("leaf", type=click.IntRange(min=0)), json_option, home_option)
def reproduce(leaf: int, *, as_json: bool, root: Path | None) -> None:
    """Compute the forecast of LEAF (an index of the log) again, and name what differs.

    Exits with 1 unless the same bytes came out.
    """
    verdict = compute_again(installation_at(root), leaf)
    if as_json:
        click.echo(msgspec.json.encode(verdict))
    else:
        slot = f"{verdict.slot:%Y-%m-%d %H:%M} UTC"
        click.echo(f"{verdict.signal}@{verdict.version} {slot}: {verdict.result}")
        for difference in verdict.differences:
            click.echo(f"  {difference}")
    if verdict.result != "reproduced":
        raise SystemExit(1)


@commands.add(
    json_option,
    click.option("--policy", "policy_file", type=click.Path(exists=True, path_type=Path),
                 help="Policy file with the log's keys, kept elsewhere than in the database."),
    click.option("--no-images", is_flag=True, help="Do not hash the images' layers."),
    home_option,
)  # fmt: skip
def fsck(*, as_json: bool, policy_file: Path | None, no_images: bool, root: Path | None) -> None:
    """Hold log, tree, records, openings, registry and images against each other.

    Names the first fault and counts all; exits with 1 when there is one.
    """
    installation = installation_at(root)
    with installation.connect() as connection:
        report = look_at_all(
            connection,
            installation.clock(),
            images=None if no_images else installation.images,
            policy=parse_policy(policy_file.read_text()) if policy_file else None,
            live_deadline=installation.live_deadline,
        )
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        layers = "not looked at" if report.layers is None else f"{report.layers} layers"
        click.echo(
            f"{report.leaves} leaves, tree of {report.tree_size or 0}, {report.versions} versions,"
            f" images {layers}, {report.owed} slots owed"
        )
        for fault in report.shown:
            click.echo(f"  {fault.check}: {fault}")
        counts = ", ".join(f"{count} {check}" for check, count in report.by_check.items())
        click.echo(f"{report.faults} faults ({counts})" if report.faults else "whole")
    if not report.is_whole:
        raise SystemExit(1)
