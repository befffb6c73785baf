"""Every command of the provider's pages prints what the page says. WRITE_DOCS=1 writes it anew."""

import os
import re
from pathlib import Path

import pytest

from signalbox.cli.program import OWN

PAGES = Path(__file__).parents[2] / "docs" / "provider"


@pytest.mark.parametrize("page", ["quickstart", "testing", "publishing", "errors"])
def test_a_page_says_what_its_commands_print(terminal, page):
    path = PAGES / f"{page}.md"
    written = path.read_text()
    now = terminal.rewritten(written)
    if os.environ.get("WRITE_DOCS") == "1":
        path.write_text(now)
    else:
        assert written.split("\n") == now.split("\n")


def test_every_command_and_option_of_the_kit_is_on_its_page():
    text = (PAGES / "commands.md").read_text()
    for command in OWN:
        if command.hidden:
            continue
        (section,) = re.findall(
            rf"^## {command.name}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
        )
        for parameter in command.params:
            name = parameter.opts[-1]
            shown = name if name.startswith("--") else name.upper()
            assert shown in section, (command.name, shown)


def test_from_nothing_to_live_takes_one_command_each_and_shows_the_key_to_nobody(
    terminal, tmp_path
):
    terminal.run("signalbox login http://127.0.0.1:8700 --email ada@example.org --stdin < password")
    terminal.run("signalbox init first-light")
    terminal.run("cd first-light")
    said = terminal.run("GIT_TRACE=1 git push platform v0.1.0")
    assert "live        ada/first-light@v0.1.0" in said, said
    assert "leak        24 hours compared, none differs" in said
    listed = terminal.run("signalbox versions --json")
    assert '"deterministic":true' in listed
    assert '"verdict":"same"' in listed
    kept = ".config/signalbox/credentials.json"
    (key,) = re.findall(r'"key": "(sk_[^"]+)"', (tmp_path / kept).read_text())
    # What git was started with, and started itself, is in its trace.
    assert key not in said
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    holders = [path for path in files if key in path.read_text(errors="replace")]
    assert [str(path.relative_to(tmp_path)) for path in holders] == [kept]
