"""What is published to be soaked: the examples under many names, and some that fail at times."""

import itertools
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.operator.home import CHECKOUT

PROVIDERS = ("ada", "bob", "cleo", "dora")
# What every seventh model does at the top of its forecast, but not before it is published: that
# is tried over made-up bars of the past.
LATE = "(window.as_of.strftime('%Y-%m') > '2026-10')"
FAILINGS = (
    f"    if {LATE} and window.as_of.hour % 3 == 0: raise ValueError('at three')\n",
    "    import time; time.sleep(0.3)\n",
    f"    if {LATE} and window.as_of.hour % 4 == 0: raise SystemExit(3)\n",
)
EVERY = 7
HEAD = "def forecast(window):\n"


@dataclass(frozen=True)
class Source:
    """A signal's repository, to be."""

    provider: str
    name: str
    kind: str
    failing: str

    def commit(self, folder: Path) -> str:
        """Make the repository in `folder`; returns its only commit."""
        folder.mkdir(parents=True)
        example = CHECKOUT / "examples" / self.kind
        for file in ("signal.toml", "requirements.txt", "app.py"):
            text = (example / file).read_text()
            if file == "signal.toml":
                text = text.replace(f'"{self.kind}"', f'"{self.name}"')
            if file == "app.py":
                text = text.replace(HEAD, HEAD + self.failing) + f"\n# {self.name}\n"
            (folder / file).write_text(text)
        for arguments in (
            ["init", "--quiet"],
            ["add", "--all"],
            ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "x"],
        ):
            subprocess.run(["git", *arguments], cwd=folder, check=True)
        return subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
        ).stdout.strip()


def sources(count: int, kinds: Sequence[str]) -> Iterator[Source]:
    """So many, of providers and kinds in turn; a kind is an example's name."""
    turns = itertools.cycle(itertools.product(PROVIDERS, kinds))
    failings = itertools.cycle(FAILINGS)
    for number, (provider, kind) in enumerate(itertools.islice(turns, count)):
        failing = next(failings) if number % EVERY == EVERY - 1 else ""
        yield Source(provider, f"{kind}-{number:03d}", kind, failing)
