"""A push of a tag publishes a version, and runs nothing of the provider's on the host."""

import hashlib
import time

import msgspec
import pytest

SLOW = "import time\ntime.sleep({seconds})\n"


@pytest.mark.parametrize("engine", ["docker", "embedded"])
def test_a_pushed_tag_goes_live_with_its_first_leaf_and_its_image(serve, engine):
    with serve(engine=engine) as house:
        work = house.work(house.person("ada"), "tide")
        commit = work.commit(tag="v1.0.0")
        pushed = work.push("main", "v1.0.0")
        assert not pushed.refused, pushed.text
        row = house.ask(
            "select v.state, v.image_digest, v.commit_sha, l.index, l.body from registry.version v"
            " join transparency.leaf l on l.signal_id = v.signal_id"
        )
        assert len(row) == 1
        state, digest, commit_sha, leaf_index, body = row[0]
        assert (state, commit_sha, leaf_index) == ("live", commit, 0)
        leaf = msgspec.json.decode(body)
        assert (leaf["sig"], leaf["ver"]) == ("ada/tide", "v1.0.0")
        assert (leaf["commit"], leaf["img"]) == (commit, digest)
        for step in (
            "reserved    ada/tide@v1.0.0",
            "tree        2 files, sha256:",
            "manifest    1 symbols, horizons 1 h",
            "lock        ",
            f"image       {digest}",
            f"sandbox     answered validly twice under {engine}",
            "leak        not comparable: no forecast_history",
            "live        ada/tide@v1.0.0",
            "leaf        0",
            "see         http://127.0.0.1:8700/v1/signals/ada/tide/versions/v1.0.0",
        ):
            assert f"remote: {step}" in pushed.text


PEEKING = """
from datetime import timedelta
from signalbox import Forecast

def forecast(window):
    return [Forecast("EURUSD", horizon_hours=1, point=0.0)]

def forecast_history(window):
    frame = window.bars("EURUSD")
    ahead = frame["close"].log().diff().shift(-1)
    for opened, point in zip(frame["ts_open"], ahead.fill_null(0.0)):
        yield opened + timedelta(hours=1), Forecast("EURUSD", horizon_hours=1, point=point)
"""


def test_a_peeking_history_is_published_and_the_pusher_told_where_it_differs(house, work):
    work.commit({"app.py": PEEKING}, tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert not pushed.refused, pushed.text
    assert "remote: leak        23 of 24 hours differ, 23 rows (made-up bars)" in pushed.text
    assert "remote:             first: 2025-11-24 20:00 UTC EURUSD 1 h point: " in pushed.text
    assert "likely cause: forecast_history looks 1 h ahead, as shift(-1) or" in pushed.text
    (row,) = house.ask(
        "select v.deterministic, v.leak_report from registry.version v"
        " join registry.signal s on s.id = v.signal_id where s.name = %s",
        work.name,
    )
    assert row[0] is True
    assert (row[1]["verdict"], row[1]["hours_ahead"]) == ("differs", 1)
    assert len(row[1]["differences"]) == 20


def test_a_push_of_main_alone_publishes_nothing(house, work):
    work.commit()
    assert not work.push("main").refused
    assert house.versions(work.name) == {}


def test_the_pusher_sees_every_step_while_the_push_still_runs(house, work):
    work.commit({"app.py": SLOW.format(seconds=2) + "def forecast(window): ..."}, tag="v1.0.0")
    seen = {}
    with work.start_push("main", "v1.0.0") as push:
        for line in push.stdout:
            seen[line.removeprefix("remote: ").split(" ")[0].strip()] = time.monotonic()
            if "image " in line:
                assert push.poll() is None
                assert house.versions(work.name) == {"v1.0.0": "building"}
    ended = time.monotonic()
    assert ended - seen["image"] > 1.5
    assert seen["reserved"] < seen["manifest"] < seen["image"]


def test_an_annotated_tag_is_published_under_its_commit(house, work):
    commit = work.commit()
    work.git("tag", "--annotate", "--message", "First", "v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert not pushed.refused, pushed.text
    leaf = house.ask(
        "select l.body from transparency.leaf l join registry.signal s on s.id = l.signal_id"
        " where s.name = %s",
        work.name,
    )
    assert msgspec.json.decode(leaf[0][0])["commit"] == commit


def test_the_same_source_as_another_version_has_the_same_image(house, work):
    work.commit(tag="v1.0.0")
    assert not work.push("main", "v1.0.0").refused
    work.commit(tag="v1.0.1")
    assert not work.push("main", "v1.0.1").refused
    digests = house.ask(
        "select distinct image_digest, source_digest, tree_digest from registry.version v"
        " join registry.signal s on s.id = v.signal_id where s.name = %s",
        work.name,
    )
    assert len(digests) == 1
    sequence = house.ask(
        "select l.seq from transparency.leaf l join registry.signal s on s.id = l.signal_id"
        " where s.name = %s order by l.seq",
        work.name,
    )
    assert sequence == [(0,), (1,)]


def test_setup_build_backend_and_start_files_are_never_executed(house, work):
    canary = house.home / hashlib.sha256(work.name.encode()).hexdigest()
    touch = f"open({str(canary)!r}, 'w').write('run')\n"
    backend = (
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        f'[project]\nname = "{work.name}"\ndynamic = ["version", "dependencies"]\n'
    )
    files = dict.fromkeys(("setup.py", "backend.py", "sitecustomize.py", "conftest.py"), touch)
    house.home.chmod(0o777)
    pushed_files = {
        **files,
        "usercustomize.py": touch,
        "x.pth": "import backend\n",
        "pyproject.toml": backend,
        "uv.toml": 'index-url = "http://127.0.0.1:9/"\n',
        ".gitattributes": "* filter=run diff=run merge=run export-subst\n",
        "requirements.txt": "six==1.17.0\n",
        "sandbox/git/hook.py": touch,
        "sandbox/__init__.py": touch,
    }
    work.commit(pushed_files, tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    house.home.chmod(0o755)
    assert not pushed.refused, pushed.text
    assert not canary.exists()


REFUSED_MODELS = {
    "a socket at import": ("import socket\nsocket.socket()\ndef forecast(w): ...\n", "socket"),
    "an error": ("def forecast(window):\n    raise ValueError('no idea')\n", "ValueError: no idea"),
    "no answer": ("def forecast(window):\n    return []\n", "no valid forecast"),
    "no function": ("x = 1\n", "forecast"),
    "no Python": ("def forecast(:\n", "SyntaxError"),
    "a process": ("import os\nos.fork()\ndef forecast(w): ...\n", "fork"),
}


@pytest.mark.parametrize(("app", "reason"), REFUSED_MODELS.values(), ids=REFUSED_MODELS.keys())
def test_a_model_that_does_not_answer_is_refused_with_the_reason(house, work, app, reason):
    work.commit({"app.py": app}, tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert pushed.refused
    assert "NOT PUBLISHED. The one thing to mend:" in pushed.text
    assert "app.py: no valid forecast in the sandbox:" in pushed.text
    assert reason in pushed.text
    assert house.versions(work.name) == {"v1.0.0": "rejected"}
    assert work.remote_refs() == {}


def test_a_refused_tag_can_be_pushed_again_once_mended(house, work):
    work.commit({"requirements.txt": "-e .\n"}, tag="v1.0.0")
    refused = work.push("main", "v1.0.0")
    assert "requirements.txt line 1: options are not taken" in refused.text
    work.commit({"requirements.txt": "six==1.17.0\n"}, tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert not pushed.refused, pushed.text
    assert house.versions(work.name) == {"v1.0.0": "live"}
