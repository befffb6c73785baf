"""One house for each module."""

import pytest

from tests.api.house import housing


@pytest.fixture(scope="module")
def house(postgres, tmp_path_factory, request):
    name = f"test_events_{abs(hash(request.node.nodeid)):x}"
    folder = tmp_path_factory.mktemp("house")
    with housing(postgres, folder, name, SIGNALBOX_STREAMS_PER_PERSON="60") as house:
        yield house
