"""The page about performance and the code that computes it are one."""

import re
from pathlib import Path

from assets.scores.honesty.bootstrap import BLOCKS_AT_LEAST, LEVEL, REPLICATES
from assets.scores.honesty.record import DAYS_AT_LEAST, LIVE_SLOTS_AT_LEAST
from assets.scores.performance.definitions import TRADING_DEFINITIONS
from assets.scores.performance.store import DEFINITIONS
from assets.scores.trading.parameters import DELAYS_HOURS, RuleParameters

PAGE = (Path(__file__).parents[2] / "docs" / "subscriber" / "performance.md").read_text()
WORDS = " ".join(PAGE.split())


def test_the_table_of_measures_is_that_of_their_definitions():
    for one in TRADING_DEFINITIONS:
        formula = one.formula.replace("|", "\\|")
        row = (
            f"| `{one.name}` | {formula} | {one.unit} | {one.better or '-'} | {one.over}"
            f" | {one.source} |"
        )
        assert row in PAGE
    assert len(re.findall(r"^\| `", PAGE, re.MULTILINE)) == len(TRADING_DEFINITIONS)


def test_no_measure_is_defined_twice():
    assert len({one.name for one in DEFINITIONS}) == len(DEFINITIONS)


def test_the_numbers_of_the_page_are_those_that_are_computed_with():
    rule = RuleParameters()
    *delays, last = DELAYS_HOURS
    for said in (
        f"`delay_hours` ({rule.delay_hours})",
        f"`cost_bps` ({rule.cost_bps:g}) basis points",
        f"the middle {LEVEL:.0%} of {REPLICATES:,} resamples".replace("%", " %"),
        f"fewer than {'ten' if BLOCKS_AT_LEAST == 10 else BLOCKS_AT_LEAST} blocks",
        f"{DAYS_AT_LEAST} days and has {LIVE_SLOTS_AT_LEAST} live slots",
        f"acting {', '.join(map(str, delays))} and {last} hours later",
    ):
        assert said in WORDS, said
