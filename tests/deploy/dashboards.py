"""The dashboards' files, and what they ask."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / "deploy" / "grafana" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))
FIGURE = re.compile(r"\b(?:signalbox|process|python|alertmanager|up|ALERTS)\w*\b")


def read(file: Path) -> dict:
    return json.loads(file.read_text())


def queries() -> Iterator[tuple[str, str]]:
    """Where a query stands, and the query."""
    for file in FILES:
        for panel in read(file)["panels"]:
            for target in panel["targets"]:
                yield f"{file.stem}: {panel['title']} {target['refId']}", target["expr"]


def named(query: str) -> set[str]:
    """Figures that a query names; what stands in braces and quotes is none."""
    bare = re.sub(r"\{[^}]*\}|\bby \([^)]*\)|\"[^\"]*\"", "", query)
    return set(FIGURE.findall(bare))
