"""What the checklist names is there, and each line says how it stands."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
ASVS = CHECKOUT / "docs" / "operations" / "asvs.md"
HARDENING = CHECKOUT / "docs" / "operations" / "hardening.md"
DOCTOR = CHECKOUT / "docs" / "operations" / "doctor.md"
ITEM = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (\S+) \| (.+) \|$", re.MULTILINE)
ITEMS = ITEM.findall(ASVS.read_text())
FURTHER = {"escapes under ..."}


def test_each_chapter_is_there_and_no_item_stands_twice():
    numbers = [number for number, *_ in ITEMS]
    assert {number.split(".")[0] for number in numbers} == {str(n) for n in range(1, 15)}
    assert len(numbers) == len(set(numbers))
    assert len(numbers) > 230
    by_number = [tuple(map(int, number.split("."))) for number in numbers]
    assert by_number == sorted(by_number)


@pytest.mark.parametrize(("number", "about", "state", "shown"), ITEMS, ids=lambda one: one[:12])
def test_an_item_says_how_it_stands_and_names_what_exists(number, about, state, shown):
    assert state in {"yes", "part", "no", "n/a", "by"}
    assert about
    for path in re.findall(r"`((?:tests|api|docs|deploy)/[\w./-]+)`", shown):
        assert (CHECKOUT / path).exists() or path == "deploy/compose", f"{number}: no {path}"


def test_a_hardening_step_names_findings_that_the_doctor_has():
    known = set(re.findall(r"[\w ]+", ",".join(
        line.split("|")[1] for line in DOCTOR.read_text().splitlines() if line.startswith("| ")
    ))) | FURTHER  # fmt: skip
    known = {name.strip() for name in known}
    for line in HARDENING.read_text().splitlines():
        for told in re.findall(r"doctor(?: without `--quick`)?: (`[^|;]+)", line):
            for name in re.findall(r"`([^`]+)`", re.sub(r"\(.*?\)", "", told)):
                assert name in known, f"{line}: the doctor has no finding {name}"
