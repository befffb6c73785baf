"""Lines for machines, without what is secret."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sql.logs import Json, Text, bound, masked
from sql.roles import DAGSTER, role_url

CHECKOUT = Path(__file__).parents[2]
SECRETS = [
    "sk_test_0123456789abcdef_" + "x" * 43,
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "rk_live_51HxYZabcdefgh",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----",
]
PLACES = [
    ("postgresql://signalbox_api:{}@db:5432/signalbox", "hunter2-hunter2"),
    ("postgresql+psycopg://signalbox_api:{}@/x?host=/run", "hunter2-hunter2"),
    ("smtp://user:{}@mail.example.org", "hunter2-hunter2"),
    ("Authorization: Bearer {}", "0123456789abcdef"),
    ("authorization: Basic {}", "dXNlcjpwYXNzd29yZA=="),
    ('{{"password": "{}", "email": "a@example.org"}}', "hunter2"),
    ("GET /v1/auth/confirm?token={}&x=1", "AbCdEf012345"),
    ("password={} host=db", "hunter2"),
    ("api_key: {}", "0123456789"),
]


def record(message, *arguments, **more):
    made = logging.LogRecord("signalbox.x", logging.ERROR, "f", 1, message, arguments, None)
    made.__dict__.update(more)
    return made


def failed(text):
    try:
        raise ValueError(text)  # noqa: TRY301 - to have a traceback
    except ValueError:
        return record("it failed", exc_info=sys.exc_info())


@pytest.mark.parametrize("form", [Json("api"), Text("%(levelname)s %(name)s %(message)s")])
@pytest.mark.parametrize(
    ("text", "secret"), [*((f"given {one} here", one) for one in SECRETS),
                         *((place.format(one), one) for place, one in PLACES)],
)  # fmt: skip
def test_a_secret_is_masked_in_messages_values_and_exceptions(form, text, secret):
    for made in (record(text), record("said %s", text), failed(text)):
        line = form.format(made)
        for part in secret.splitlines():
            assert part not in line
        assert "***" in line


@pytest.mark.parametrize(
    "text",
    [
        "checkpoint 12, no quorum",
        "http://127.0.0.1:8700/v1/signals",
        "sha256:0123456789abcdef",
        "2026-11-22T05:00:00Z ada/tide@v1.0.0 token",
        "ada@example.org was told",
    ],
)
def test_what_is_no_secret_stands(text):
    assert masked(text) == text


def test_a_line_is_one_object_with_what_it_belongs_to():
    form = Json("worker")
    with bound(run_id="r", slot="2026-11-22T05:00Z"), bound(signal="ada/tide", version="v1.0.0"):
        line = form.format(record("two\nlines of %d", 2, created=1.5))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:01.500Z",
        "level": "error",
        "logger": "signalbox.x",
        "message": "two\nlines of 2",
        "process": "worker",
        "run_id": "r",
        "slot": "2026-11-22T05:00Z",
        "signal": "ada/tide",
        "version": "v1.0.0",
    }
    assert "run_id" not in json.loads(form.format(record("later")))


def test_an_exception_is_part_of_its_line():
    line = json.loads(Json("api").format(failed("why")))
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: why")


DAGSTER_AT_WORK = """
import logging
import dagster as dg
from dagster._utils.log import configure_loggers

configure_loggers()  # as its commands do, before anything of ours is known

@dg.asset
def bars(context):
    context.log.info("fetched with sk_test_0123456789abcdef_%s", "x" * 43)
    raise RuntimeError("the source is gone")

with dg.DagsterInstance.get() as instance:
    configure_loggers()  # as the daemon does, when it knows its instance
    logging.getLogger("dagster.daemon").warning("it beats")
    logging.getLogger("signalbox.x").info("ours")
    dg.materialize([bars], instance=instance, raise_on_error=False)
"""


# What is captured comes back by a `tail` beside the process, which may end before it has all.
UNCAPTURED = """
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def test_dagsters_own_lines_are_objects_too(postgres, tmp_path):
    admin, passwords = postgres
    url = role_url(admin, DAGSTER, passwords[DAGSTER])
    shared = (CHECKOUT / "deploy" / "dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(shared + UNCAPTURED)
    done = subprocess.run(
        [sys.executable, "-c", DAGSTER_AT_WORK], cwd=CHECKOUT, capture_output=True, text=True,
        check=True,
        env={
            "PATH": os.environ["PATH"],
            "DAGSTER_HOME": str(tmp_path),
            "DAGSTER_POSTGRES_URL": url.render_as_string(hide_password=False),
            "SIGNALBOX_LOG_FORMAT": "json",
        },
    )  # fmt: skip
    lines = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    said = [line["message"] for line in lines]
    assert [said.count("it beats"), said.count("ours")] == [1, 1]
    [fetched] = [line for line in lines if "fetched with" in line["message"]]
    assert fetched["message"].endswith("***")
    assert len(fetched["run_id"]) == 36
    assert fetched["step"] == "bars"
    assert [
        line for line in lines if line["level"] == "error" and "the source is gone" in str(line)
    ]
