"""What a push wants installed: refused by line or by name; nothing is fetched, built or run."""

import hashlib
import http.server
import io
import tarfile
import threading

import pytest

ATTACKS = {
    "an editable folder": ("-e ./evil", "options are not taken"),
    "a folder": ("./evil", "not a name with specifiers"),
    "an archive": ("evil.tar.gz @ file:///{folder}/evil.tar.gz", "URLs and paths are not taken"),
    "a URL": ("evil @ {url}/evil-1.0-py3-none-any.whl", "URLs and paths are not taken"),
    "a bare URL": ("{url}/evil-1.0-py3-none-any.whl", "not a name with specifiers"),
    "a git repository": ("git+{url}/evil.git", "not a name with specifiers"),
    "another index": ("--index-url {url}/simple", "options are not taken"),
    "one more index": ("--extra-index-url={url}/simple", "options are not taken"),
    "a folder of links": ("--find-links {url}", "options are not taken"),
    "another file": ("-r more.txt", "options are not taken"),
    "constraints": ("-c more.txt", "options are not taken"),
    "an environment variable": ("evil==${{SIGNALBOX_DATABASE_URL}}", "variables"),
    "a letter that looks like another": ("ev\u0456l", "only printable ASCII"),
    "a continued line": ("evil \\", "variables and continuations"),
}

SIX = """
import six
from signalbox import Forecast

def forecast(window):
    return [Forecast("EURUSD", 1, 0.0)]
"""


@pytest.fixture(scope="module")
def listener():
    """A server that notes who asks; nobody may."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def parse_request(self):
            asked.append(self.raw_requestline)
            return False

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def smuggler(house, ada):
    return house.work(ada, "smuggler")


def canary_of(house, name: str):
    return house.home / hashlib.sha256(name.encode()).hexdigest()


def with_setup(canary) -> dict[str, str | bytes]:
    """A project in a folder and in an archive, each of which would touch the canary when built."""
    setup = f"open({str(canary)!r}, 'w').write('run')\nfrom setuptools import setup; setup()\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("evil-1.0/setup.py")
        entry.size = len(setup)
        archive.addfile(entry, io.BytesIO(setup.encode()))
    return {
        "setup.py": setup,
        "evil/setup.py": setup,
        "evil.tar.gz": packed.getvalue(),
        "more.txt": "six\n",
        "uv.toml": '[[index]]\nurl = "http://127.0.0.1:9/simple"\n',
        "pyproject.toml": (
            '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
            '[project]\nname = "evil"\ndynamic = ["version", "dependencies"]\n'
            '[tool.uv.sources]\nsix = { path = "./evil", editable = true }\n'
        ),
    }


@pytest.mark.parametrize(("line", "reason"), ATTACKS.values(), ids=ATTACKS.keys())
def test_a_requirement_that_is_more_than_a_name_is_refused_by_its_line(
    house, smuggler, listener, line, reason
):
    url, asked = listener
    canary = canary_of(house, line)
    text = "# mine\nsix\n" + line.format(url=url, folder=smuggler.folder) + "\n"
    smuggler.commit({"requirements.txt": text, **with_setup(canary)}, tag="v1.0.0")
    pushed = smuggler.push("main", "v1.0.0")
    assert pushed.refused
    assert "requirements.txt line 3: " in pushed.text
    assert reason in pushed.text
    assert not canary.exists()
    assert asked == []
    assert house.versions(smuggler.name) == {"v1.0.0": "rejected"}


@pytest.mark.parametrize("name", ["docopt==0.6.2", "evil-that-nobody-ever-published-1234"])
def test_a_dependency_without_a_wheel_is_refused_and_never_built(house, smuggler, name):
    canary = canary_of(house, name)
    smuggler.commit({"requirements.txt": name, **with_setup(canary)}, tag="v1.0.0")
    pushed = smuggler.push("main", "v1.0.0")
    assert "requirements.txt: cannot be locked from wheels" in pushed.text
    assert not canary.exists()


def test_metadata_that_redirects_a_requirement_is_not_read(house, ada):
    """The folder's own pyproject says that six is to be built from it: nobody asks it."""
    work = house.work(ada, "redirect")
    canary = canary_of(house, work.name)
    files = {"requirements.txt": "six==1.17.0\n", "app.py": SIX, **with_setup(canary)}
    work.commit(files, tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert not pushed.refused, pushed.text
    assert not canary.exists()
    (lock,) = house.ask(
        "select v.lock from registry.version v join registry.signal s on s.id = v.signal_id"
        " where s.name = %s",
        work.name,
    )[0]
    assert "six==1.17.0 --hash=sha256:" in lock


@pytest.fixture(scope="module")
def ruled(serve):
    """A house of its own: its rules would reach into other tests."""
    with serve() as served:
        yield served


def rule(house, name, verdict, why=""):
    house.ask(
        "insert into registry.package_rule (at, name, verdict, why) values (now(), %s, %s, %s)"
        " returning id",
        name, verdict, why,
    )  # fmt: skip


def test_a_denied_package_is_refused_with_the_operators_reason_also_where_it_is_brought_along(
    ruled,
):
    rule(ruled, "six", "deny", "see ticket 12")
    work = ruled.work(ruled.person("denied"), "denied")
    for wanted in ("Six", "python-dateutil==2.9.0.post0"):
        work.commit({"requirements.txt": wanted}, tag="v1.0.0")
        pushed = work.push("main", "v1.0.0")
        assert "six is denied on this platform: see ticket 12" in pushed.text
    rule(ruled, "six", "none")
    work.commit({"requirements.txt": "six"}, tag="v1.0.0")
    assert not work.push("main", "v1.0.0").refused


def test_a_name_off_the_operators_allow_list_is_refused(ruled):
    rule(ruled, "six", "allow")
    work = ruled.work(ruled.person("off"), "off-list")
    work.commit({"requirements.txt": "six\nidna"}, tag="v1.0.0")
    pushed = work.push("main", "v1.0.0")
    assert "idna is not on this platform's list of allowed packages" in pushed.text
    assert "signalbox packages allow idna" in pushed.text
    work.commit({"requirements.txt": "six"}, tag="v1.0.0")
    assert not work.push("main", "v1.0.0").refused
    rule(ruled, "six", "none")
