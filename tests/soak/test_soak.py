"""The soak in short: every service of a whole installation dies once while it is in use."""

import os
import time

import pytest

from sandbox.runner.engine import available_engine
from sandbox.runner.errors import SandboxUnavailableError
from tests.soak.soak import Plan, soak
from tests.soak.strikes import SERVICES

SEED = int(os.environ.get("SIGNALBOX_SOAK_SEED", time.time_ns() % 1_000_000))


@pytest.fixture
def _embedded():
    try:
        available_engine("embedded").close()
    except SandboxUnavailableError as error:
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but: {error}")
        pytest.skip(str(error))


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("_embedded")
def test_an_installation_whose_every_service_is_killed_in_use_owes_nothing_and_loses_nothing(
    record_property,
):
    record_property("SIGNALBOX_SOAK_SEED", SEED)
    plan = Plan(
        minutes=4, versions=4, seed=SEED, hour_seconds=20, pauses=(0.3, 1.5), kills_of_each=1,
        pushes=False,
    )  # fmt: skip
    outcome = soak(plan, print)
    assert outcome.problems == []
    assert set(outcome.kills) == set(SERVICES)
    assert outcome.slots >= 1
    assert outcome.outcomes["live"] + outcome.outcomes["late"] > 0
    assert outcome.requests > outcome.excused
