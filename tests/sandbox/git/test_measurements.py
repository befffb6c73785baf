"""GET /metrics of the git process counts pushes by what became of them."""

import re
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

PAGE = Path(__file__).parents[3] / "docs" / "operations" / "metrics.md"


def read(house):
    answer = httpx.get(f"{house.url}/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_pushes_are_counted_by_how_they_ended_and_their_steps_timed(serve):
    with serve() as house:
        ada = house.person("ada")
        work = house.work(ada, "tide")
        work.commit(tag="v1.0.0")
        assert not work.push("main", "v1.0.0").refused
        work.commit({"x.txt": "x"})
        assert not work.push("main").refused
        work.commit({"signal.toml": "nonsense"}, tag="v2.0.0")
        assert work.push("v2.0.0").refused
        found = read(house)
        refused = httpx.post(f"{house.url}/git/ada/tide.git/git-receive-pack")
        assert refused.status_code == 401
        after = read(house)
    pushes = {name: found["signalbox_git_pushes_total", (name,)] for name in (
        "published", "taken", "declined", "failed", "refused", "cut_off")}  # fmt: skip
    assert (pushes["published"], pushes["taken"], pushes["declined"]) == (1, 1, 1)
    assert (pushes["failed"], pushes["cut_off"]) == (0, 0)
    assert after["signalbox_git_pushes_total", ("refused",)] == pushes["refused"] + 1
    for step in ("wait", "tree", "lock", "image", "sandbox", "publish"):
        assert found["signalbox_git_push_step_seconds_count", (step,)] >= 1
    assert found["signalbox_git_push_step_seconds_sum", ("sandbox",)] > 0
    for name in ("pushes_running", "builds_running", "builds_waiting"):
        assert found[f"signalbox_git_{name}", ()] == 0
    named = set(re.findall(r"`(signalbox_git_\w+)`", PAGE.read_text()))
    given = {re.sub("_(bucket|count|sum)$", "", name) for name, _ in found}
    assert {
        n for n in given if n.startswith("signalbox_git_") and not n.endswith("_created")
    } == named


def test_who_lacks_the_token_reads_nothing(serve, tmp_path):
    (tmp_path / "token").write_text("0123456789abcdef")
    with serve(metrics_token_file=tmp_path / "token") as house:
        assert httpx.get(f"{house.url}/metrics").status_code == 401
        shown = {"Authorization": "Bearer 0123456789abcdef"}
        assert httpx.get(f"{house.url}/metrics", headers=shown).status_code == 200
