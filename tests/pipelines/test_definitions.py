"""What Dagster knows of an installation."""

import dagster as dg
import pytest

from pipelines.definitions import definitions_of, grid
from pipelines.resources import installation_of
from pipelines.settings import WorkerSettings, source_of
from sql.configuration import ConfigurationError, read_settings
from sql.roles import WORKER

PUBLISH = """
insert into account.user_account values (gen_random_uuid(), 'ada', 'a@example.org', 'x', 'member',
  now());
insert into registry.signal (provider_id, name, title, description, visibility, created_at)
  select id, 'tide', 'Tide', '', 'public', now() from account.user_account;
insert into registry.version (signal_id, version, state, reserved_at, published_at, pushed_by,
    commit_sha, tree_digest, lock_digest, image_digest, manifest, deterministic, leak_report)
  select s.id, v, 'live', now(), now(), s.provider_id, 'c', 't', 'l', 'sha256:i',
    '{"signal": {"name": "tide", "title": "Tide"}, "runtime": {}, "offer": {"price": "1.00"},
      "forecast": {"symbols": ["BTCUSDT"], "horizons_hours": [1], "lookback_hours": 10}}'::jsonb,
    v = 'v1.1.0', case v when 'v1.1.0' then '{"verdict": "differs"}'::jsonb end
  from registry.signal s, unnest(array['v1.0.0', 'v1.1.0']) v;
insert into registry.version_event (version_id, at, to_state, why)
  select id, now(), 'live', 'published' from registry.version;
"""


@pytest.fixture
def definitions(database, tmp_path):
    with database.superuser() as connection:
        connection.execute(PUBLISH)
    url = database.url(WORKER).render_as_string(hide_password=False)
    settings = WorkerSettings(database_url=url, image_store=str(tmp_path))
    return definitions_of(
        installation_of(settings), source_of("sample"), grid(settings), settings.schedule_cron
    )


def test_the_asset_graph_is_bars_versions_log_its_nightly_sample_scores_and_usage(definitions):
    graph = definitions.resolve_asset_graph()
    edges = {
        key.to_user_string(): sorted(k.to_user_string() for k in graph.get(key).parent_keys)
        for key in graph.get_all_asset_keys()
    }
    versions = ["signals/ada/tide/v1.0.0", "signals/ada/tide/v1.1.0"]
    assert edges == {
        "market_data/bars": [],
        "signals/ada/tide/v1.0.0": ["market_data/bars"],
        "signals/ada/tide/v1.1.0": ["market_data/bars"],
        "transparency/log": versions,
        "transparency/reproduced": ["transparency/log"],
        "scores": ["market_data/bars", *versions],
        "performance": ["scores"],
        "usage/credits": ["transparency/log"],
        "usage/business": ["usage/credits"],
        "usage/reconciliation": [],
    }


def test_every_asset_but_the_nightly_ones_is_hourly_and_all_have_owner_and_description(definitions):
    graph = definitions.resolve_asset_graph()
    of_a_day = (["transparency", "reproduced"], ["usage", "credits"], ["usage", "business"])
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert node.owners
        if key == dg.AssetKey(["usage", "reconciliation"]):
            continue  # it compares what there is, whenever it runs
        nightly = list(key.path) in of_a_day
        kind = dg.DailyPartitionsDefinition if nightly else dg.HourlyPartitionsDefinition
        assert isinstance(node.partitions_def, kind)


def test_a_versions_code_version_is_its_image_digest(definitions):
    node = definitions.resolve_asset_graph().get(dg.AssetKey(["signals", "ada", "tide", "v1.0.0"]))
    assert node.code_version == "sha256:i"


def test_an_examined_version_shows_its_leak_report_and_another_none(definitions):
    graph = definitions.resolve_asset_graph()
    first, second = (
        graph.get(dg.AssetKey(["signals", "ada", "tide", name])).metadata
        for name in ("v1.0.0", "v1.1.0")
    )
    assert "leak_verdict" not in first
    assert (second["deterministic"], second["leak_verdict"]) == ("true", "differs")
    assert second["leak_report"].value == {"verdict": "differs"}


def test_the_hourly_schedule_is_on_without_anyone_turning_it_on(definitions):
    schedule = definitions.resolve_schedule_def("hourly")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.cron_schedule == "1 * * * *"


def test_what_a_day_came_to_is_asked_for_each_night_in_one_job(definitions):
    schedule = definitions.resolve_schedule_def("daily_usage")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    job = definitions.resolve_job_def(schedule.job_name)
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == {
        "usage/credits",
        "usage/business",
    }


@pytest.mark.parametrize("text", ["", "sample:x", "files:/x", "recorded:/x"])
def test_an_unknown_market_source_is_refused_with_the_known_ones(text):
    with pytest.raises(ConfigurationError, match=r"SIGNALBOX_MARKET_SOURCE.*sample, file:DIR"):
        source_of(text)


def test_a_missing_setting_is_named():
    with pytest.raises(ConfigurationError, match="SIGNALBOX_DATABASE_URL is not set"):
        read_settings(WorkerSettings, {})


def test_a_wrong_setting_is_named_with_its_bound():
    given = {
        "SIGNALBOX_DATABASE_URL": "x",
        "SIGNALBOX_IMAGE_STORE": "y",
        "SIGNALBOX_FEED_DELAY_MINUTES": "75",
    }
    with pytest.raises(ConfigurationError, match=r"SIGNALBOX_FEED_DELAY_MINUTES.*<= 59"):
        read_settings(WorkerSettings, given)


def test_an_approved_lock_is_named_by_its_whole_digest(tmp_path):
    lock = f"sha256:{'0' * 64}"
    given = {"SIGNALBOX_DATABASE_URL": "x", "SIGNALBOX_IMAGE_STORE": str(tmp_path)}
    several = read_settings(WorkerSettings, given | {"SIGNALBOX_APPROVED_LOCKS": f"{lock}, {lock}"})
    assert several.locks_approved == (lock, lock)
    wrong = read_settings(WorkerSettings, given | {"SIGNALBOX_APPROVED_LOCKS": "numpy"})
    with pytest.raises(ConfigurationError, match="SIGNALBOX_APPROVED_LOCKS: 'numpy'"):
        installation_of(wrong)
