"""`signalbox check`: is this folder a signal?"""

from pathlib import Path

import click
import msgspec

from signalbox.manifest import ManifestError, parse_manifest


@click.command()
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default="."
)
@click.option("--json", "as_json", is_flag=True, help="Print the parsed manifest as JSON.")
def check(folder: Path, *, as_json: bool) -> None:
    """Check signal.toml and app.py of FOLDER as the platform will."""
    for name in ("signal.toml", "app.py"):
        if not (folder / name).is_file():
            raise click.ClickException(f"{folder / name} is missing: a signal has both files")
    try:
        manifest = parse_manifest((folder / "signal.toml").read_text())
    except ManifestError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(msgspec.json.encode(manifest).decode())
        return
    forecast = manifest.forecast
    click.echo(
        f"{manifest.signal.name}: {len(forecast.symbols)} symbols, "
        f"horizons {', '.join(map(str, forecast.horizons_hours))} h, target {forecast.target}"
    )
