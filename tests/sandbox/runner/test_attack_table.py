"""The document's table of attacks is what the suite sees, whole."""

import pytest

from sandbox.runner import probes

ENOUGH = 60


def test_every_path_of_the_table_has_faced_every_attack(attack_table) -> None:
    if attack_table.is_written:
        pytest.skip("the table is being written")
    assert attack_table.rows, "no table: run make sandbox-table"
    for path in attack_table.paths:
        missing = [attack for attack, cells in attack_table.rows.items() if cells[path] == "-"]
        assert missing == [], path
        faced = len(attack_table.rows) - len(probes.PROBES)
        assert faced >= ENOUGH


def test_no_row_of_the_table_is_of_an_attack_that_is_gone(attack_table, request) -> None:
    if attack_table.is_written:
        pytest.skip("the table is being written")
    folder = request.path.parent
    items = [item for item in request.session.items if item.path.parent == folder]
    if {item.path for item in items} != set(folder.glob("test_*.py")):
        pytest.skip("only a part of this folder's tests was asked for")
    params = [item.callspec.params for item in items if hasattr(item, "callspec")]
    attacks = {given["attack"] for given in params if "attack" in given}
    assert set(attack_table.rows) - attacks == set()
