"""Ships the harness with the contract: what the platform runs inside its sandbox.

In the checkout it lies beside this folder, `sandbox/harness`; a source distribution
carries it in its package already. An editable install uses it where it lies.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class HarnessHook(BuildHookInterface[Any]):
    """Adds `signalbox/harness`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        harness = Path(self.root).parent / "harness"
        if version == "editable" or not harness.is_dir():
            return
        package = "src/signalbox" if self.target_name == "sdist" else "signalbox"
        for file in sorted(harness.glob("*.py")):
            build_data["force_include"][str(file)] = f"{package}/harness/{file.name}"
