"""What is pushed: manifests that lie, trees and packs that attack."""

import os
import time

import pytest

BASE = {
    "name": '"{name}"',
    "symbols": '["EURUSD"]',
    "horizons_hours": "[1]",
    "lookback_hours": "24",
    "timeout_seconds": "20",
    "memory_mb": "512",
    "price": '"29.00"',
    "trial_days": "14",
    "more": "",
}
TEMPLATE = """
{more}
[signal]
name = {name}
title = "T"
[forecast]
symbols = {symbols}
horizons_hours = {horizons_hours}
lookback_hours = {lookback_hours}
[runtime]
timeout_seconds = {timeout_seconds}
memory_mb = {memory_mb}
[offer]
price = {price}
trial_days = {trial_days}
"""
LIES = {
    "10,000 symbols": (
        {"symbols": str([f"S{number}" for number in range(10_000)])},
        "forecast.symbols",
        "500",
    ),
    "a horizon of no hours": ({"horizons_hours": "[0]"}, "forecast.horizons_hours", "1"),
    "a horizon of a year": ({"horizons_hours": "[8760]"}, "forecast.horizons_hours", "168"),
    "9 GB of memory": ({"memory_mb": "9216"}, "runtime.memory_mb", "4096"),
    "an hour of time": ({"timeout_seconds": "3600"}, "runtime.timeout_seconds", "60"),
    "a long lookback": ({"lookback_hours": "10001"}, "forecast.lookback_hours", "10000"),
    "a negative price": ({"price": '"-5.00"'}, "offer.price", "not an amount such as"),
    "a trial of 31 days": ({"trial_days": "31"}, "offer.trial_days", "30"),
    "an unknown key": ({"more": "[evil]\nx = 1"}, "evil", "unknown field"),
    "another name": ({"name": '"another"'}, "signal.name", "make them the same"),
}


@pytest.fixture(scope="module")
def liar(house, ada):
    return house.work(ada, "liar")


@pytest.mark.parametrize(("lie", "field", "bound"), LIES.values(), ids=LIES.keys())
def test_a_manifest_that_lies_is_refused_naming_field_and_bound(house, liar, lie, field, bound):
    values = BASE | {"name": f'"{liar.name}"'} | lie
    liar.commit({"signal.toml": TEMPLATE.format(**values)}, tag="v1.0.0")
    pushed = liar.push("main", "v1.0.0")
    assert pushed.refused
    (reason,) = (line for line in pushed.text.splitlines() if "remote: signal.toml: " in line)
    assert field in reason
    assert bound in reason
    assert house.versions(liar.name) == {"v1.0.0": "rejected"}


def test_an_unknown_symbol_is_refused_and_told_the_known_ones(liar):
    values = BASE | {"name": f'"{liar.name}"', "symbols": '["EURUSD", "DOGE"]'}
    liar.commit({"signal.toml": TEMPLATE.format(**values)}, tag="v1.0.0")
    pushed = liar.push("main", "v1.0.0")
    assert "forecast.symbols: DOGE is not known here; known: EURUSD, GBPUSD" in pushed.text


@pytest.mark.parametrize("entry", ["120000,{blob},link", "160000,{commit},module"])
def test_a_symbolic_link_or_submodule_is_declined_with_no_leftovers(house, ada, work, entry):
    work.commit()
    facts = entry.format(
        blob=work.git("hash-object", "-w", "--stdin", given=b"/etc/passwd"),
        commit=work.git("rev-parse", "HEAD"),
    )
    work.git("update-index", "--add", "--cacheinfo", facts)
    work.git("commit", "--quiet", "--message", "Attack")
    work.git("tag", "v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert "are not taken; commit the file" in pushed.text
    assert work.remote_refs() == {}
    assert leftovers(house.repository(ada, work.name)) == []


@pytest.mark.parametrize("name", [".git", ".GIT", "GIT~1", ".g\u200cit", ".."])
def test_an_entry_that_names_git_itself_is_declined_before_the_hook(house, ada, work, name):
    work.commit()
    inner = work.git("mktree", given=b"")
    listed = work.git("ls-tree", "HEAD").encode() + b"\n"
    tree = work.git("mktree", given=listed + f"040000 tree {inner}\t{name}\n".encode())
    commit = work.git("commit-tree", tree, "-p", "HEAD", "-m", "Attack")
    pushed = work.push(f"{commit}:refs/heads/main", f"{commit}:refs/tags/v1.0.0")
    assert pushed.refused
    assert work.remote_refs() == {}
    assert leftovers(house.repository(ada, work.name)) == []


def test_a_tree_bomb_is_declined_in_good_time(house, ada, work):
    work.commit()
    level = work.git("hash-object", "-w", "--stdin", given=b"x")
    kind = "100644 blob"
    for _ in range(10):
        lines = "".join(f"{kind} {level}\t{branch}\n" for branch in range(10))
        level, kind = work.git("mktree", given=lines.encode()), "040000 tree"
    listed = work.git("ls-tree", "HEAD") + f"\n040000 tree {level}\tbomb\n"
    commit = work.git(
        "commit-tree", work.git("mktree", given=listed.encode()), "-p", "HEAD", "-m", "Bomb"
    )
    began = time.monotonic()
    pushed = work.push(f"{commit}:refs/heads/main", f"{commit}:refs/tags/v1.0.0")
    assert "more than 500 files and folders" in pushed.text
    assert time.monotonic() - began < 20
    assert leftovers(house.repository(ada, work.name)) == []


def test_a_hundred_megabytes_of_zeros_in_a_small_pack_are_declined(house, ada, work):
    work.commit({"zeros.bin": bytes(100 * 1024 * 1024)}, tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert "the tree is over 20 MB" in pushed.text
    assert house.versions(work.name) == {"v1.0.0": "rejected"}
    assert leftovers(house.repository(ada, work.name)) == []


def test_a_pack_over_the_limit_is_declined(house, ada, work):
    work.commit({"noise.bin": os.urandom(30 * 1024 * 1024)})
    pushed = work.push("main")
    assert pushed.refused
    assert work.remote_refs() == {}
    assert leftovers(house.repository(ada, work.name)) == []
    assert house.is_serving()


def leftovers(repository) -> list[str]:
    """What a declined push may leave: no object and no quarantine."""
    return [
        str(path.relative_to(repository))
        for path in (repository / "objects").rglob("*")
        if path.is_file() or "incoming" in path.name
    ]
