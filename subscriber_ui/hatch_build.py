"""Puts the built web interface into the wheel and the source distribution."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("subscriber_ui/dist", "subscriber_ui/verify")


class WebInterface(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # served from the checkout; make setup builds it there
        root = Path(self.root)
        runpy.run_path(str(root / "subscriber_ui" / "build.py"))["build"]()
        for folder in SHIPPED:
            build_data["force_include"][str(root / folder)] = folder
