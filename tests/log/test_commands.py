"""`signalbox verify`, as a subscriber uses it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from click.testing import CliRunner

from signalbox.cli.program import root
from signalbox.cli.verify import verify
from signalbox.log.bundle import Hints
from signalbox.log.leaves import HOUR

START = 1_700_002_800
NOW = START + 23 * HOUR + 900


@pytest.fixture
def folder(day, tmp_path):
    """A reader's folder: a policy, and a bundle that was downloaded."""
    (tmp_path / "policy").write_text(day.policy.text())
    (tmp_path / "tide.json").write_bytes(day.bundle().encode())
    return tmp_path


def run(folder, *arguments, now=NOW):
    given = ["--policy", folder / "policy", "--state", folder / "seen", "--at", now, *arguments]
    return CliRunner().invoke(verify, [str(one) for one in given])


def test_evidence_that_holds_ends_with_0_and_the_counts(folder):
    done = run(folder, folder / "tide.json")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "holds: ada/tide, whole",
        "leaves 25 of 49 in example.com/log",
        "slots  2023-11-14 23:00 UTC to 2023-11-15 22:00 UTC",
        "dated  2023-11-15 22:01 UTC",
        "trust  3 cosigners beside the log (w1, w2, m1), of whom m1 read every leaf",
        "v1.0.0  24 live",
    ]
    told = json.loads(run(folder, folder / "tide.json", "--json").output)
    assert (told["holds"], told["total"]["live"], told["versions"]["v1.0.0"]["late"]) == (
        True,
        24,
        0,
    )


def test_evidence_that_does_not_hold_ends_with_1_and_names_the_fault(folder):
    path = folder / "tide.json"
    path.write_bytes(path.read_bytes().replace(b"sha256:1111", b"sha256:2111", 1))
    done = run(folder, path)
    assert done.exit_code == 1
    assert "DOES NOT HOLD (inclusion): " in done.output
    assert json.loads(run(folder, path, "--json").output.splitlines()[0])["code"] == "inclusion"
    path.write_bytes(path.read_bytes()[:-1])
    assert "DOES NOT HOLD (malformed)" in run(folder, path).output


def test_age_and_deadline_are_the_readers_to_choose(folder):
    path, later = folder / "tide.json", NOW + 30 * 24 * HOUR
    assert "(stale)" in run(folder, path, now=later).output
    assert run(folder, path, "--max-age", "31d", now=later).exit_code == 0
    assert run(folder, path, "--max-age", "any", now=later).exit_code == 0
    assert "24 late" in run(folder, path, "--deadline", "30s").output
    assert run(folder, path, "--max-age", "soon").exit_code == 2


def test_a_rolled_back_log_is_refused_by_memory(folder, day):
    day.run(1, start=START + 24 * HOUR)
    (folder / "newer.json").write_bytes(day.bundle().encode())
    assert run(folder, folder / "newer.json", now=NOW + HOUR).exit_code == 0
    done = run(folder, folder / "tide.json")
    assert (done.exit_code, "(rollback)" in done.output) == (1, True)


def test_without_a_policy_nobody_is_believed(folder, day):
    hints = Hints(policy=day.policy.text())
    data = msgspec.structs.replace(day.bundle(), hints=hints).encode()
    (folder / "tide.json").write_bytes(data)
    (folder / "policy").unlink()
    done = run(folder, folder / "tide.json")
    assert done.exit_code == 1
    assert "compare its keys" in done.output
    assert day.policy.text() in done.output


def test_a_signal_is_fetched_with_the_proof_that_its_log_only_grew(folder, day):
    """The second time it asks for what links the log to what it saw."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            query = parse_qs(urlsplit(self.path).query)
            data = day.bundle(known=[int(one) for one in query.get("known", [])]).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        first = run(folder, "ada/tide", "--url", url)
        day.run(1, start=START + 24 * HOUR)
        second = run(folder, "ada/tide", "--url", url, now=NOW + HOUR)
        server.shutdown()
        thread.join()

    assert (first.exit_code, second.exit_code) == (0, 0), second.output
    route = "/v1/signals/ada/tide/evidence"
    assert asked == [route, route, f"{route}?known=49"]


def test_the_program_knows_the_commands_and_their_environment(folder):
    known = {"SIGNALBOX_POLICY": str(folder / "policy"), "SIGNALBOX_LOG_STATE": str(folder / "s")}
    done = CliRunner(env=known).invoke(root, ["verify", f"{folder}/tide.json", "--at", str(NOW)])
    assert (done.exit_code, done.output[:6]) == (0, "holds:")
    for group in ("witness", "monitor"):
        assert "init" in CliRunner().invoke(root, [group, "--help"]).output
