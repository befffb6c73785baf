"""Dashboards are held to Grafana's form: it is not to be had where these tests run."""

import itertools

import pytest
import yaml

from tests.deploy.dashboards import CHECKOUT, FILES, read

UNITS = {"short", "s", "h", "bytes", "percentunit", "reqps"}


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def dashboard(request):
    return read(request.param)


def test_there_is_one_for_each_room():
    names = [file.stem for file in FILES]
    assert names == ["api", "log", "platform", "sandboxes", "ticks"]
    uids = [read(file)["uid"] for file in FILES]
    assert len(set(uids)) == len(uids)


def test_panels_have_ids_of_their_own_and_lie_beside_each_other(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_every_panel_asks_the_datasource_that_was_chosen(dashboard):
    [variable] = dashboard["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["type"] in ("timeseries", "stat")
        assert panel["datasource"] == chosen
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["targets"]
        assert all(target["datasource"] == chosen for target in panel["targets"])
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_what_is_provisioned_is_what_the_dashboards_choose_first():
    folder = CHECKOUT / "deploy" / "grafana" / "provisioning"
    [source] = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    assert source["type"] == "prometheus"
    for file in FILES:
        [variable] = read(file)["templating"]["list"]
        assert variable["current"]["value"] == source["uid"]
    [provider] = yaml.safe_load((folder / "dashboards" / "signalbox.yml").read_text())["providers"]
    assert provider["options"]["path"]
