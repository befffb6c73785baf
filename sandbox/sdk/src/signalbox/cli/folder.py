"""The folder a command is called in: a signal's, checked as the platform will."""

import ast
from dataclasses import dataclass
from pathlib import Path

import click

from signalbox.manifest import Manifest, ManifestError, parse_manifest
from signalbox.requirements import RequirementsError, parse_requirements

folder_argument = click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default="."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document.")


@dataclass(frozen=True)
class SignalFolder:
    """A folder whose three files hold what they must."""

    path: Path
    manifest: Manifest
    requirements: tuple[str, ...]
    has_history: bool


def read_folder(path: Path) -> SignalFolder:
    """Read and check signal.toml, requirements.txt and app.py, without running anything.

    Raises:
        click.ClickException: naming file, line or field, and what to do.
    """
    for name in ("signal.toml", "app.py"):
        if not (path / name).is_file():
            raise click.ClickException(
                f"{path / name} is missing: a signal has both files; `signalbox init NAME` writes"
                " them"
            )
    requirements = path / "requirements.txt"
    try:
        manifest = parse_manifest((path / "signal.toml").read_text())
        wanted = parse_requirements(requirements.read_text() if requirements.is_file() else "")
        functions = _functions(path / "app.py")
    except (ManifestError, RequirementsError) as error:
        raise click.ClickException(str(error)) from None
    except UnicodeDecodeError as error:
        raise click.ClickException(f"not UTF-8 text: {error}; save the files as UTF-8") from None
    if "forecast" not in functions:
        raise click.ClickException("app.py defines no forecast(window); add it")
    return SignalFolder(
        path, manifest, tuple(map(str, wanted)), has_history="forecast_history" in functions
    )


def _functions(app: Path) -> set[str]:
    """Every name at the top of the file: functions, and what is imported or assigned."""
    try:
        tree = ast.parse(app.read_text(), str(app))
    except SyntaxError as error:
        raise click.ClickException(f"app.py line {error.lineno}: {error.msg}; mend it") from None
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names
