"""The compose file of a worker host, as Docker Compose itself understands it."""

import subprocess
from pathlib import Path

import msgspec
import pytest

CHECKOUT = Path(__file__).parents[2]
FILE = CHECKOUT / "deploy" / "compose" / "worker.yaml"
GIVEN = {
    "SIGNALBOX_VERSION": "0.1.0",
    "SIGNALBOX_API_URL": "https://signals.example.net",
    "SIGNALBOX_POSTGRES": "10.0.0.1:5432",
    "SIGNALBOX_CELERY_BROKER": "rediss://10.0.0.1:6379/0?ssl_cert_reqs=required",
    "SIGNALBOX_MARKET_SOURCE": "sample",
    "SIGNALBOX_DOCKER_GROUP": "998",
}


def compose(environment):
    return subprocess.run(
        [CHECKOUT / ".venv/bin/docker-compose", "-f", FILE, "config", "--format", "json"],
        env={"PATH": "/usr/bin", "HOME": "/nonexistent", **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def services():
    done = compose(GIVEN)
    assert done.stderr == ""
    return msgspec.json.decode(done.stdout)["services"]


@pytest.mark.parametrize("missing", GIVEN)
def test_what_a_worker_host_must_be_told_is_asked_for_by_name(missing):
    done = compose({name: value for name, value in GIVEN.items() if name != missing})
    # The packaged program exits with 0 even so.
    assert f"required variable {missing} is missing" in done.stderr
    assert done.stdout == ""


def test_nothing_of_a_worker_host_is_root_listens_or_may_become_more(services):
    assert {name: one["user"] for name, one in services.items()} == {
        "tick-worker": "64982:64982", "docker-proxy": "64985:64985"
    }  # fmt: skip
    for one in services.values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert int(one["mem_limit"]) > 0
        assert "ports" not in one
        assert "privileged" not in one


def test_dockers_own_socket_is_the_proxys_alone_and_the_proxy_has_no_network(services):
    holds = {
        name
        for name, one in services.items()
        for volume in one["volumes"]
        if volume["source"] == "/var/run/docker.sock"
    }
    assert holds == {"docker-proxy"}
    assert services["docker-proxy"]["network_mode"] == "none"


def test_passwords_come_from_files_over_encrypted_connections(services):
    told = services["tick-worker"]["environment"]
    for url in (told["SIGNALBOX_DATABASE_URL"], told["DAGSTER_POSTGRES_URL"]):
        assert "sslmode=verify-full" in url
        assert ":" not in url.partition("://")[2].partition("@")[0]
    assert told["SIGNALBOX_CELERY_PASSWORD_FILE"].startswith("/srv/signalbox/secrets/")
    (images,) = [
        volume for volume in services["tick-worker"]["volumes"]
        if volume["target"] == "/srv/signalbox/images"
    ]  # fmt: skip
    assert images["read_only"] is True
