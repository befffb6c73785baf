"""A monitor reads every leaf, and refuses to cosign a log that breaks a rule."""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from signalbox.leaf import canonical
from signalbox.log import monitor as monitoring
from signalbox.log.errors import StateError
from signalbox.log.leaves import HOUR
from signalbox.log.merkle import consistency_proof
from signalbox.log.monitor import Monitor
from signalbox.log.policy import Party, Policy
from signalbox.log.serving import fetch_entries
from signalbox.log.tiles import WIDTH, encode_bundle, parse_path
from signalbox.log.witness import init_folder

START = 1_700_002_800


class Served:
    """A log's entries over HTTP; what it shows can be changed."""

    def __init__(self, log):
        self.log, self.bodies, self.is_down = log, log.bodies, False
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                tile = parse_path(self.path.removeprefix("/log/"))
                first = tile.index * WIDTH
                bodies = served.bodies[first : first + tile.width]
                self.send_response(503 if served.is_down else 200)
                self.end_headers()
                self.wfile.write(encode_bundle(bodies))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/log"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def served(make_log):
    log = make_log(cosigners=())
    log.publish()
    for slot in range(START, START + 200 * HOUR, HOUR):
        log.forecast(slot, 0)
    served = Served(log)
    yield served
    served.close()


@pytest.fixture
def folder(served, tmp_path):
    logs = (Party(served.log.log_key.verifier, served.url),)
    init_folder(tmp_path / "m", "witness.example/monitor", Policy(logs))
    return tmp_path / "m"


@pytest.fixture
def monitor(folder):
    monitor = Monitor(folder, fetch_entries)
    yield monitor
    monitor.close()


def ask(monitor, log, new=None):
    """Have the newest checkpoint cosigned."""
    old = monitor.status().logs[log.origin]
    new = len(log.bodies) if new is None else new
    hashes = consistency_proof(old, new, log.read)
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in hashes)
    note = log.sign(START, head=log.head(new))
    return monitor.add_checkpoint(f"old {old}\n{lines}\n".encode() + note, START)


def test_a_log_that_keeps_the_rules_is_cosigned_as_it_grows(served, monitor):
    log = served.log
    assert ask(monitor, log, 150).status == 200
    log.missed(START + 200 * HOUR)
    log.append("offline/v1", ver="v1.0.0")
    log.publish("v1.1.0")
    log.append("live/v1", ver="v1.0.0")
    log.forecast(START + 300 * HOUR, 0)
    log.append("price/v1", amount_minor=2900, currency="EUR", trial_days=14, reveal_after_hours=168)
    log.append("audit/v1", leaf=5, reproduced=True, why="")
    log.append("retired/v1", ver="v1.0.0")
    assert ask(monitor, log).status == 200
    assert monitor.evidence.names() == []


def refused(monitor, log) -> str:
    answer = ask(monitor, log)
    assert answer.status == 422
    return answer.body.split(":")[0].removeprefix("rule ")


NEXT = START + 200 * HOUR
BROKEN = {
    "a second forecast of a slot, the better to be shown": (
        lambda log: log.forecast(START + 7 * HOUR, 0, c="0" * 64),
        "twice",
    ),
    "a miss beside a forecast": (lambda log: log.missed(START + 7 * HOUR), "twice"),
    "another image under the version": (
        lambda log: log.forecast(NEXT, 0, img="sha256:" + "2" * 64),
        "image",
    ),
    "another version's leaf": (lambda log: log.forecast(NEXT, 3), "image"),
    "a forecast before its version": (lambda log: log.forecast(NEXT, 0, "v2.0.0"), "version"),
    "a version published twice": (lambda log: log.publish(), "version"),
    "a leaf of a kind nobody knows": (lambda log: log.append("forecast/v2"), "leaf"),
    "a leaf that is no JSON": (lambda log: log.append_body(b"leaf"), "leaf"),
    "a leaf with white space": (
        lambda log: log.append_body(canonical({"kind": "price/v1"}) + b" "),
        "leaf",
    ),
    "a live version made live": (lambda log: log.append("live/v1", ver="v1.0.0"), "state"),
    "an audit of what is not there": (
        lambda log: log.append("audit/v1", leaf=999, reproduced=True, why=""),
        "version",
    ),
}


@pytest.mark.parametrize("attack", BROKEN)
def test_a_broken_rule_is_refused_and_kept(served, monitor, attack):
    breaks, code = BROKEN[attack]
    assert ask(monitor, served.log).status == 200
    size = len(served.log.bodies)
    breaks(served.log)

    assert refused(monitor, served.log) == code

    (case,) = monitor.evidence.names()
    kept = monitor.evidence.read(case)
    assert kept["why"].startswith(f"{code}: ")
    assert kept["shown.note"].split("\n")[1] == str(size + 1)
    assert kept["leaves"].split("\n")[-2] == f"{size} {served.log.bodies[-1].decode()}"
    assert refused(monitor, served.log) == code
    assert monitor.status().logs[served.log.origin] == size


def test_the_leaves_of_a_case_are_those_of_the_signal(served, monitor):
    served.log.publish(sig="bob/other")
    served.log.forecast(START + 7 * HOUR, 0, c="0" * 64)
    assert refused(monitor, served.log) == "twice"
    (case,) = monitor.evidence.names()
    lines = monitor.evidence.read(case)["leaves"].splitlines()
    assert len(lines) == 202
    assert sum(f'"slot":{START + 7 * HOUR},' in line for line in lines) == 2


def test_a_broken_chain_is_refused(served, monitor):
    seq, prev = served.log.last["ada/tide"]
    for last in ((seq + 1, prev), (seq, "0" * 64), (seq - 1, prev)):
        served.log.last["ada/tide"] = last
        size = len(served.log.bodies)
        served.log.forecast(NEXT, 0)
        assert refused(monitor, served.log) == "chain"
        del served.log.bodies[size:]
        served.log.levels = [[]]
        bodies = list(served.log.bodies)
        served.log.bodies.clear()
        for body in bodies:
            served.log.append_body(body)


def test_a_leaf_after_retirement_is_refused(served, monitor):
    served.log.append("retired/v1", ver="v1.0.0")
    assert ask(monitor, served.log).status == 200
    served.log.forecast(NEXT, 0)
    assert refused(monitor, served.log) == "state"


def test_a_skipped_hour_is_refused_until_a_late_leaf_fills_it(served, monitor):
    log = served.log
    for slot in range(NEXT + HOUR, NEXT + 49 * HOUR, HOUR):
        log.forecast(slot, 0)
    assert ask(monitor, log).status == 200
    log.forecast(NEXT + 49 * HOUR, 0)
    assert refused(monitor, log) == "gap"
    log.missed(NEXT)
    assert ask(monitor, log).status == 200


def test_a_log_that_shows_other_entries_than_it_signs_is_refused_and_kept(served, monitor):
    other = served.log.bodies[-1].replace(b'"inp":"sha256:0', b'"inp":"sha256:1')
    served.bodies = [*served.log.bodies[:-1], other]
    answer = ask(monitor, served.log)
    assert (answer.status, "not those of the checkpoint" in answer.body) == (422, True)
    served.bodies = served.log.bodies
    assert ask(monitor, served.log).status == 200


def test_a_log_that_cannot_be_read_is_asked_for_again(served, monitor):
    served.is_down = True
    assert ask(monitor, served.log).status == 503
    served.is_down = False
    served.bodies = served.log.bodies[:100]
    assert ask(monitor, served.log).status == 503
    served.bodies = served.log.bodies
    assert ask(monitor, served.log).status == 200
    assert monitor.evidence.names() == []


def test_much_to_read_is_read_in_parts(served, monitor, monkeypatch):
    for slot in range(NEXT, NEXT + 800 * HOUR, HOUR):
        served.log.forecast(slot, 0)
    monkeypatch.setattr(monitoring, "READING_SECONDS", -1.0)
    told = [ask(monitor, served.log) for _ in range(4)]
    assert [one.status for one in told] == [503, 503, 503, 200]
    assert told[1].body == "read 512 of 1001 leaves; ask again\n"


def test_the_next_process_goes_on_where_the_last_stopped(served, folder):
    first = Monitor(folder, fetch_entries)
    assert ask(first, served.log).status == 200
    first.close()
    served.log.forecast(START + 7 * HOUR, 0)
    fetched = []

    def fetch(url, tile):
        fetched.append(tile.index)
        return fetch_entries(url, tile)

    second = Monitor(folder, fetch)
    served.log.forecast(NEXT, 0)
    assert refused(second, served.log) == "twice"
    second.close()
    assert min(fetched) == 0
    assert fetched[0] == 201 // WIDTH


def test_a_monitor_needs_the_address_of_its_log(served, tmp_path):
    logs = (Party(served.log.log_key.verifier),)
    init_folder(tmp_path / "m2", "witness.example/monitor", Policy(logs))
    with pytest.raises(StateError, match="says no address"):
        Monitor(tmp_path / "m2", fetch_entries)


def test_the_rules_hold_for_every_signal_by_itself(served, monitor):
    other = served.log.publish(sig="bob/other")
    served.log.forecast(START + 7 * HOUR, other, sig="bob/other")
    assert ask(monitor, served.log).status == 200
