"""Many pushes at once, large ones and slow ones: all end right; who waits knows their place."""

import fcntl
import os
import socket
import time

from tests.sandbox.git import packs
from tests.waiting import until

MB = 1024 * 1024


def test_twenty_pushes_by_five_providers_at_once_all_go_live(house):
    people = [house.person(f"provider-{number}") for number in range(5)]
    works = [house.work(person, f"crowd-{number}") for person in people for number in range(4)]
    for work in works:
        work.commit(tag="v1.0.0")
    pushes = [work.start_push("main", "v1.0.0") for work in works]
    texts = [push.communicate(timeout=280)[0] for push in pushes]
    assert [push.returncode for push in pushes] == [0] * 20, texts
    published = house.ask(
        "select u.handle, s.name, v.state from registry.version v"
        " join registry.signal s on s.id = v.signal_id"
        " join account.user_account u on u.id = s.provider_id"
        " where s.name like 'crowd-%%' and v.state = 'live'"
    )
    assert len(published) == 20
    assert sum("in line; builds that run at once: 2" in text for text in texts) >= 10
    assert house.workers() == []


def test_whoever_waits_is_told_their_place_and_many_pushes_of_one_keep_no_other_waiting(
    tight, built_store
):
    busy, other = tight.person("busy"), tight.person("other")

    def started(person, name, line, requirements="-e .\n"):
        work = tight.work(person, name)
        # Refused as soon as its turn has come, but for the first: turns are what counts here.
        work.commit({"requirements.txt": requirements}, tag="v1.0.0")
        push = work.start_push("main", "v1.0.0")
        assert any(line in said for said in push.stdout)
        return push

    (lock,) = (built_store.root / "known").glob("base-*.lock")
    with lock.open() as held:
        # The first one builds, and does not get on, until all the others wait.
        fcntl.flock(held, fcntl.LOCK_EX)
        pushes = [
            started(busy, "first", "remote: lock ", requirements=""),
            started(busy, "second", "number 1 in line"),
            started(busy, "third", "number 2 in line"),
            started(other, "fourth", "number 1 in line"),
        ]
    ended = [push.communicate(timeout=120)[0] for push in pushes]
    assert [push.returncode for push in pushes] == [0, 1, 1, 1], ended
    assert "number 3 in line" in ended[2]
    order = tight.ask(
        "select s.name from registry.version_event e join registry.version v on v.id = e.version_id"
        " join registry.signal s on s.id = v.signal_id where e.to_state in ('live', 'rejected')"
        " and s.name in ('first', 'second', 'third', 'fourth') order by e.id"
    )
    assert [name for (name,) in order] == ["first", "fourth", "second", "third"]


def test_a_push_of_twenty_megabytes_is_taken_even_over_a_slow_line(house, ada, work):
    """About 4 MB a second, in pieces, as a line that is slow and not idle."""
    work.commit({f"data/{number}.bin": os.urandom(4 * MB) for number in range(4)})
    head = work.git("rev-parse", "HEAD")
    packed = work.pack("HEAD")
    assert len(packed) > 16 * MB
    body = packs.commands(f"{packs.ZERO} {head} refs/heads/main") + packed

    def dribbled():
        for start in range(0, len(body), 256 * 1024):
            yield body[start : start + 256 * 1024]
            time.sleep(1 / 16)

    path = f"/git/ada/{work.name}.git/git-receive-pack"
    began = time.monotonic()
    status, answer = packs.post(house, path, ada.key, dribbled())
    assert (status, b"unpack ok" in answer) == (200, True)
    assert time.monotonic() - began > 3
    assert work.remote_refs() == {"refs/heads/main": head}


def test_a_body_that_stops_arriving_is_told_408(tight):
    person = tight.person("sleepy")
    with socket.create_connection((tight.host, tight.port), 20) as connection:
        connection.sendall(packs.head("/git/sleepy/half.git/git-receive-pack", person.key, 1000))
        connection.sendall(b"00")
        began = time.monotonic()
        answered = connection.recv(4096)
        assert answered.startswith(b"HTTP/1.1 408")
        assert 1.5 < time.monotonic() - began < 15
    until(lambda: tight.workers() == [], 20)


def test_a_body_that_dribbles_for_ever_is_told_408(tight):
    person = tight.person("dribbler")
    with socket.create_connection((tight.host, tight.port), 1) as connection:
        connection.sendall(packs.head("/git/dribbler/run.git/git-receive-pack", person.key, 1000))
        connection.sendall(b"03e0")
        began, answered = time.monotonic(), b""
        while not answered and time.monotonic() - began < 30:
            connection.sendall(b"0")
            try:
                answered = connection.recv(4096)
            except TimeoutError:
                continue
        assert answered.startswith(b"HTTP/1.1 408")
    until(lambda: tight.workers() == [], 20)
