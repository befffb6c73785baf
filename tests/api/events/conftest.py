"""One house for all modules: its people and signals are each test's own."""

import pytest

from tests.api.house import housing


@pytest.fixture(scope="session")
def house(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    with housing(
        postgres, folder, "test_house_of_events", SIGNALBOX_STREAMS_PER_PERSON="60"
    ) as house:
        yield house
