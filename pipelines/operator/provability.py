"""Commands that hold the log to what it says: `reproduce` and `fsck`."""

from pathlib import Path

import click
import msgspec

from assets.transparency.reproduce import reproduce as compute_again
from pipelines.operator.command_list import Commands, home_option, installation_at, json_option

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
