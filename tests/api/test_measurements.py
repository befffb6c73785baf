"""GET /metrics counts what left the process, and shows it to whom it may."""

import re
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from sql.configuration import ConfigurationError

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "metrics.md"
TOKEN = "0123456789abcdef0123456789abcdef"


def read(client, **headers):
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def answers(found, method, status):
    labels = (("method", method), ("status", str(status)))
    return found.get(("signalbox_api_answers_total", labels), 0)


def test_answers_of_routes_and_hot_reads_are_counted_apart(client, make, ada):
    tide = make.signal(ada)
    make.slot(tide)
    before = read(client)
    for path in ("/v1/signals", "/nowhere", "/nowhere"):
        client.get(path)
    while not client.app.state.installation.listener.is_up:
        pass
    client.get(f"{tide.path}/performance")
    client.get(f"{tide.path}/performance")
    after = read(client)
    hot = ("signalbox_api_hot_answers_total", ())
    assert answers(after, "GET", 404) - answers(before, "GET", 404) == 2
    # The catalogue, and the reading before this one.
    assert answers(after, "GET", 200) - answers(before, "GET", 200) == 2
    assert after[hot] - before[hot] == 2
    assert after["signalbox_api_listens", ()] == 1
    assert after["signalbox_api_pool_connections", ()] >= 1


def test_who_lacks_the_token_reads_nothing(settings, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    closed = msgspec.structs.replace(settings, metrics_token_file=str(tmp_path / "token"))
    with TestClient(create_app(closed)) as client:
        for shown in ({}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}):
            refused = client.get("/metrics", headers=shown)
            assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
        assert read(client, Authorization=f"Bearer {TOKEN}")


def test_without_a_token_it_is_closed_in_production(settings):
    production = msgspec.structs.replace(settings, environment="production")
    with TestClient(create_app(production)) as client:
        assert client.get("/metrics").status_code == 401


def test_a_short_token_is_refused_at_the_start(settings, tmp_path):
    (tmp_path / "token").write_text("short")
    wrong = msgspec.structs.replace(settings, metrics_token_file=str(tmp_path / "token"))
    with pytest.raises(ConfigurationError, match="16 bytes"):
        create_app(wrong)


def test_every_number_of_ours_is_named_in_the_documents(client):
    client.get("/v1/signals")
    named = set(re.findall(r"`(signalbox_\w+)`", PAGE.read_text()))
    found = {re.sub("_(bucket|count|sum)$", "", name) for name, _ in read(client)}
    ours = {n for n in found if n.startswith("signalbox_") and not n.endswith("_created")}
    assert ours == {name for name in named if name.startswith("signalbox_api_")}
