"""Images that somebody changes: what runs is what was published, and the operator hears of it."""

import base64

import docker
import docker.errors
import msgspec
import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from sandbox.registry.docker_image import ensure_loaded, tag_of
from sandbox.registry.image import ImageStore
from sandbox.registry.integrity import AlteredError, check_images, to_database
from sandbox.registry.smoke import made_up_feed
from sandbox.runner.engine import available_engine
from sandbox.runner.run import run_cold
from signalbox import parse_manifest
from sql.clock import system_clock
from sql.roles import WORKER, conninfo, role_url

FACTS = (
    "select v.version, v.state, v.image_digest, v.base_digest, v.dependencies_digest,"
    " v.source_digest, v.provenance, v.sbom from registry.version v"
    " join registry.signal s on s.id = v.signal_id where s.name = %s order by v.id"
)


@pytest.fixture(scope="module")
def shaken(serve):
    """A house of its own, whose images are altered."""
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def ann(shaken):
    return shaken.person("ann")


@pytest.fixture
def connect(postgres, shaken):
    admin, passwords = postgres
    url = role_url(admin, WORKER, passwords[WORKER], shaken.admin.database)
    return lambda: psycopg.connect(conninfo(url), autocommit=True)


@pytest.fixture
def store(built_store, connect):
    """The store as a worker that has just started opens it."""
    return ImageStore(built_store.root, to_database(connect, system_clock))


MODEL = """
from signalbox import Forecast

POINT = {point}

def forecast(window):
    return [Forecast("EURUSD", 1, POINT)]
"""


def published(house, person, name, point=0.0):
    work = house.work(person, name)
    work.commit({"app.py": MODEL.format(point=point)}, tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert not pushed.refused, pushed.text
    return work, house.ask(FACTS, name)[0]


def test_the_same_source_as_another_version_and_signal_has_the_same_layers(shaken, ann):
    work, first = published(shaken, ann, "twin-a")
    work.commit({"app.py": MODEL.format(point=0.0)}, tag="v1.0.1")
    assert not work.push("main", "v1.0.1").refused
    versions = shaken.ask(FACTS, "twin-a")
    assert len({row[2:6] for row in versions}) == 1
    assert [row[1] for row in versions] == ["live", "live"]
    assert first[2:6] == versions[1][2:6]


def test_a_source_layer_altered_on_disk_is_refused_and_its_version_quarantined(
    shaken, ann, store, connect
):
    _, (_, _, image, _, _, source, *_) = published(shaken, ann, "altered", 0.25)
    other = published(shaken, ann, "untouched", 0.5)[1]
    app = store.layers.folder(source) / "srv/signal/app.py"
    honest = app.read_bytes()
    app.write_bytes(honest.replace(b"0.25", b"0.75"))
    with pytest.raises(AlteredError, match=rf"{source} was altered .*signalbox image check"):
        store.open(image)
    assert shaken.versions("altered") == {"v1.0.0": "offline"}
    assert shaken.versions("untouched") == {"v1.0.0": "live"}
    store.open(other[2])
    event = shaken.ask(
        "select e.to_state, e.actor_id, e.why from registry.version_event e"
        " join registry.version v on v.id = e.version_id where v.image_digest = %s"
        " order by e.id desc limit 1",
        image,
    )[0]
    assert event[:2] == ("offline", None)
    assert event[2].startswith("quarantined: its folder in ")
    alarm = shaken.ask("select action, subject from audit.event where action like 'image.%%'")
    assert alarm == [("image.altered", source)]

    app.write_bytes(honest)
    with connect() as connection:
        checked = check_images(store, connection)
    assert [finding.subject for finding in checked.mended] == [source]
    assert checked.altered == ()
    assert shaken.versions("altered") == {"v1.0.0": "live"}
    store.open(image)


@pytest.fixture(scope="module")
def victim(shaken, ann):
    return published(shaken, ann, "victim", 0.0625)[1]


@pytest.mark.parametrize("part", ["folder", "tar", "added file", "configuration"])
def test_the_check_finds_what_was_altered_wherever_it_lies(shaken, victim, store, connect, part):
    image, source = victim[2], victim[5]
    place = {
        "folder": store.layers.folder(source) / "srv/signal/app.py",
        "tar": store.layers.tar(source),
        "added file": store.layers.folder(source) / "srv/signal/numpy.py",
        "configuration": store.root / "images" / f"{image.removeprefix('sha256:')}.json",
    }[part]
    before = place.read_bytes() if place.exists() else None
    place.write_bytes(b"{}")
    with connect() as connection:
        altered = check_images(store, connection).altered
        assert [one.subject for one in altered] == [image if part == "configuration" else source]
        assert shaken.versions("victim") == {"v1.0.0": "offline"}
        if before is None:
            place.unlink()
        else:
            place.write_bytes(before)
        assert check_images(store, connection).altered == ()
    assert shaken.versions("victim") == {"v1.0.0": "live"}


def test_an_altered_lock_layer_refuses_the_next_push_that_would_stand_on_it(
    shaken, ann, store, connect
):
    _, facts = published(shaken, ann, "before")
    module = store.layers.folder(facts[4]) / "opt/dependencies/msgspec/__init__.py"
    honest = module.read_bytes()
    module.write_bytes(honest + b"\n# more\n")
    try:
        work = shaken.work(ann, "after")
        work.commit(tag="v1.0.0")
        pushed = work.push("main", "v1.0.0")
        assert pushed.refused
        assert "the platform failed, not your push" in pushed.text
        assert f"{facts[4]} was altered" in pushed.text
        assert shaken.versions("after") == {"v1.0.0": "rejected"}
    finally:
        module.write_bytes(honest)
    with connect() as connection:
        check_images(store, connection)
    assert not work.push("main", "v1.0.0").refused


def test_provenance_of_a_real_push_verifies_and_names_the_wheels_that_are_installed(
    shaken, ann, store
):
    _, facts = published(shaken, ann, "signed")
    provenance, sbom = facts[6], msgspec.json.decode(facts[7])
    ((key_id, pem),) = shaken.ask("select key_id, public_key from registry.signing_key")
    envelope = Envelope.from_dict(msgspec.json.decode(provenance))
    key = SSlibKey.from_crypto(load_pem_public_key(pem.encode()), key_id)
    assert set(envelope.verify([key], 1)) == {key_id}
    said = msgspec.json.decode(base64.b64decode(msgspec.json.decode(provenance)["payload"]))
    assert said["subject"][0]["digest"]["sha256"] == facts[2].removeprefix("sha256:")
    uris = {
        one["uri"]: one["digest"]["sha256"]
        for one in said["predicate"]["buildDefinition"]["resolvedDependencies"]
        if one.get("uri", "").startswith("pkg:pypi/")
    }
    assert uris == {c["purl"]: c["hashes"][0]["content"] for c in sbom["components"]}
    installed = store.layers.folder(facts[4]) / "opt/dependencies"
    for component in sbom["components"]:
        stem = f"{component['name'].replace('-', '_')}-{component['version']}.dist-info"
        assert (installed / stem).is_dir()
        assert len(component["hashes"]) == 1


@pytest.fixture
def daemon():
    try:
        client = docker.APIClient(version="auto", timeout=60)
    except docker.errors.DockerException as error:
        pytest.skip(f"no Docker: {error}")
    yield client
    client.close()


def test_a_tag_re_pointed_in_docker_changes_nothing_of_what_runs_and_raises_an_alarm(
    shaken, ann, store, daemon
):
    work, honest = published(shaken, ann, "tagged", 0.125)
    _, evil = published(shaken, ann, "pretender", 0.875)
    manifest = parse_manifest((work.folder / "signal.toml").read_text())
    tag = tag_of(honest[2])
    try:
        for digest in (honest[2], evil[2]):
            ensure_loaded(store, digest)
        assert daemon.inspect_image(tag)["Id"] == honest[2]
        repository, _, name = tag.partition(":")
        daemon.tag(evil[2], repository, name, force=True)
        assert daemon.inspect_image(tag)["Id"] == evil[2]

        ensure_loaded(store, honest[2])
        engine = available_engine("docker")
        result = run_cold(
            engine, store.open(honest[2]), manifest, "ann/tagged@v1.0.0", made_up_feed(manifest)
        )
        engine.close()
        assert [row.point for row in result.rows] == [0.125]
        assert daemon.inspect_image(tag)["Id"] == honest[2]
    finally:
        for digest in (honest[2], evil[2]):
            daemon.remove_image(digest, force=True)
    alarms = shaken.ask(
        "select subject, detail->>'detail' from audit.event where action = 'image.tag_moved'"
    )
    assert [subject for subject, _ in alarms] == [tag]
    assert evil[2] in alarms[0][1]
    assert shaken.versions("tagged") == {"v1.0.0": "live"}
