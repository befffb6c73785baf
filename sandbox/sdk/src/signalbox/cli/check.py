"""`signalbox check`: is this folder a signal?"""

from pathlib import Path

import click
import msgspec

from signalbox.cli.folder import folder_argument, json_option, read_folder


@click.command()
@folder_argument
@json_option
def check(folder: Path, *, as_json: bool) -> None:
    """Check signal.toml, requirements.txt and app.py of FOLDER as the platform will.

    Nothing is run. With --json: the parsed manifest.
    """
    signal = read_folder(folder)
    if as_json:
        click.echo(msgspec.json.encode(signal.manifest).decode())
        return
    forecast = signal.manifest.forecast
    click.echo(
        f"{signal.manifest.signal.name}: {len(forecast.symbols)} symbols, "
        f"horizons {', '.join(map(str, forecast.horizons_hours))} h, target {forecast.target}"
    )
    click.echo(f"requirements: {', '.join(signal.requirements) or 'none'}")
    function = "forecast and forecast_history" if signal.has_history else "forecast"
    click.echo(f"app.py: {function}")
