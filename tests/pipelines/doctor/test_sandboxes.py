"""The operator's own check: every escape tried on every engine, leaks named."""

import os
from contextlib import closing
from datetime import UTC, datetime

import docker
import pytest
from click.testing import CliRunner

from pipelines.operator import commands, doctor
from pipelines.operator.doctor import sandboxes
from sandbox.registry.errors import BuildError
from sandbox.registry.image import ImageStore
from sandbox.runner import probes
from sandbox.runner.probes.probe import REFUSED, Probe

LEAKY = Probe("read own code", "read('/srv/signal/app.py')", REFUSED)


@pytest.fixture
def probed(image_store):
    """`probed()`: what came of it, by engine."""

    def run():
        try:
            found = list(doctor.probe_all(image_store, datetime.now(UTC)))
        except BuildError as error:
            if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
                pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {error}")
            pytest.skip(str(error))
        return {each.engine: each for each in found}

    return run


def test_every_escape_is_held_on_every_engine_or_known_not_to_be(probed):
    found = probed()
    assert set(found) == {f"{name} {path}" for name, path in sandboxes.WAYS}
    for each in found.values():
        if each.not_run is None:
            assert each.leaked == ()
            assert len(each.held) + len(each.known) == len(probes.PROBES)
            assert "read the clock" in each.known


def test_the_image_of_the_probes_does_not_stay_with_docker(probed, image_store):
    if probed()["docker cold"].not_run is not None:
        pytest.skip("Docker does not answer")
    client = docker.APIClient(version="auto")
    with closing(client), pytest.raises(docker.errors.ImageNotFound):
        client.inspect_image(sandboxes._image(image_store, datetime.now(UTC)))


def test_an_escape_that_gets_through_is_named(probed, monkeypatch):
    monkeypatch.setattr(probes, "PROBES", (LEAKY,))
    monkeypatch.setattr(probes.app_source, "__defaults__", ((LEAKY,),))
    monkeypatch.setattr(probes.judged, "__defaults__", ((), (LEAKY,)))
    monkeypatch.setattr(probes.leaks, "__defaults__", ((), (LEAKY,)))
    ran = [each for each in probed().values() if each.not_run is None]
    assert ran
    for each in ran:
        assert len(each.leaked) == 1
        assert each.leaked[0].startswith("read own code: read b'")


def test_a_leak_is_reported_and_ends_the_command_with_one(monkeypatch, tmp_path):
    leaked = doctor.Probed("embedded", held=("fork",), leaked=("mount: allowed (0)",))
    monkeypatch.setattr(doctor, "probe_all", lambda *_: iter([leaked]))
    (command,) = (each for each in commands.commands if each.name == "doctor")
    said = CliRunner().invoke(command, ["--home", str(tmp_path)])
    assert said.exit_code == 1
    assert "LEAK escapes under embedded: 1 held" in said.output
    assert "leaked: mount: allowed (0)" in said.output


def test_a_machine_that_can_build_no_image_is_told_how_to_get_one(tmp_path, monkeypatch):
    def absent(*_, **__):
        raise BuildError("apt-get is not here")

    monkeypatch.setattr(sandboxes, "lock", absent)
    with pytest.raises(BuildError, match=r"signalbox image base --home DIR.*--quick"):
        list(doctor.probe_all(ImageStore(tmp_path), datetime.now(UTC)))
