"""The web interface as the API serves it; `make setup` built it."""

import re
from pathlib import Path

from api.ui.routes import PAGES

SOURCES = Path(__file__).parents[2] / "subscriber_ui" / "src"
TOP_LEVEL = re.compile(r'getParentRoute: \(\) => rootRoute,\s+path: "([^"]+)"')
PARAMETER = re.compile(r"/\$\w+")


def test_every_address_of_the_interface_is_its_page(client):
    served = {page.replace("/{rest:path}", "") or "/" for page in PAGES}
    routes = [
        path for file in SOURCES.rglob("*.ts*") for path in TOP_LEVEL.findall(file.read_text())
    ]
    assert len(routes) > 10
    assert {PARAMETER.sub("", path) for path in routes} == served
    examples = [PARAMETER.sub("/some", path) for path in routes]
    for path in (*examples, "/signals/ada/momentum/playback", "/operator/slots"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_page_runs_our_scripts_only_and_each_answer_has_its_own_nonce(client):
    nonces = set()
    for _ in range(2):
        answer = client.get("/")
        policy = answer.headers["content-security-policy"]
        found = re.search(r"style-src 'self' 'nonce-([\w-]{22})'", policy)
        assert found is not None
        assert f'content="{found[1]}"' in answer.text
        nonces.add(found[1])
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=|https?://", answer.text)
    assert len(nonces) == 2


def test_what_the_page_loads_is_there_kept_for_ever_and_packed(client):
    named = re.findall(r'(?:src|href)="(/assets/[^"]+)"', client.get("/").text)
    assert any(name.endswith(".js") for name in named)
    for name in named:
        packed = client.get(name, headers={"Accept-Encoding": "gzip"})
        plain = client.get(name, headers={"Accept-Encoding": "identity"})
        assert packed.status_code == plain.status_code == 200
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content  # the client unpacked it
        if name != "/assets/signalbox.svg":
            assert "immutable" in plain.headers["cache-control"]


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(client):
    page = client.get("/nothing", headers={"Accept": "text/html,*/*"})
    assert page.status_code == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path in ("/v1/nothing", "/log/nothing", "/assets/nothing.js"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
    assert client.get("/nothing").json()["code"] == "not_found"
    for path in ("/assets/%2e%2e/index.html", "/assets/..%2f.stamp", "/assets/.stamp"):
        assert client.get(path).status_code == 404
