"""Pushes that would exhaust the machine: declined in bounded time and memory, others go on."""

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from sandbox.git.limits import GIT_MEMORY_BYTES, MAX_COMMITS, MAX_PUSHES_PER_PROVIDER
from tests.sandbox.git import packs
from tests.sandbox.git.packs import ZERO
from tests.waiting import until

MB = 1024 * 1024


class Watch:
    """The most memory that any one process of git's held, while this ran."""

    def __init__(self, house) -> None:
        self.house, self.peak, self.ended = house, 0, threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self.ended.wait(0.03):
            for pid, command in self.house.worker_pids().items():
                if command.startswith("git ") or "/git" in command:
                    with contextlib.suppress(OSError, StopIteration):
                        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                        held = next(line for line in lines if line.startswith("VmHWM"))
                        self.peak = max(self.peak, int(held.split()[1]) * 1024)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()


@pytest.fixture
def neighbour(house, bob) -> Iterator[None]:
    """Another provider, who pushes while the attack runs, and gets through."""
    work = house.work(bob, f"neighbour-{next(house.numbers)}")
    work.commit()
    pushed = []
    pushing = threading.Timer(0.3, lambda: pushed.append(work.push("main")))
    pushing.start()
    yield
    pushing.join(60)
    assert [one.text for one in pushed if one.refused] == []
    assert len(pushed) == 1


def nothing_is_left(house, person, name: str) -> bool:
    objects = house.repository(person, name) / "objects"
    return not [path for path in objects.rglob("*") if path.is_file() or "objdir" in path.name]


def path_of(name: str) -> str:
    return f"/git/ada/{name}.git/git-receive-pack"


def create(commit: str, ref: str = "refs/heads/main") -> bytes:
    return packs.commands(f"{ZERO} {commit} {ref}")


def gigabyte_of_zeros() -> tuple[bytes, str]:
    blob, blob_id = packs.bytes_of_zeros(1024 * MB)
    rest, commit = packs.signal_with("zeros.bin", blob_id)
    return packs.pack([blob, *rest], 3), commit


def delta() -> tuple[bytes, str]:
    return packs.pack(packs.delta_bomb(2000), 2), "1" * 40


def lying_size() -> tuple[bytes, str]:
    return packs.pack([packs.entry(packs.TREE, 8 << 30, b"x" * 100)], 1), "1" * 40


def million_objects() -> tuple[bytes, str]:
    numbered = (packs.entry(packs.BLOB, 4, number.to_bytes(4)) for number in range(1_000_000))
    return packs.pack(numbered, 1_000_000), "1" * 40


BOMBS = {
    "1 GB of zeros": gigabyte_of_zeros,
    "a delta that unfolds to 1.8 GB": delta,
    "a tree that claims 8 GB": lying_size,
    "a million objects": million_objects,
}


@pytest.mark.usefixtures("neighbour")
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_in_a_small_pack_is_declined_in_bounded_time_and_memory(
    house, ada, bomb, request, record_property
):
    packed, commit = bomb()
    assert len(packed) < 25 * MB
    name = f"bomb-{list(BOMBS).index(request.node.callspec.id)}"
    main, tag = f"{ZERO} {commit} refs/heads/main", f"{ZERO} {commit} refs/tags/v1.0.0"
    began = time.monotonic()
    with Watch(house) as watch:
        status, answer = packs.post(
            house, path_of(name), ada.key, packs.commands(main, tag) + packed
        )
    seconds = time.monotonic() - began
    record_property("measured", f"{seconds:.1f} s, {watch.peak / MB:.0f} MB")
    assert status == 200
    assert b"ok refs/" not in answer
    assert seconds < 60
    assert watch.peak < GIT_MEMORY_BYTES
    until(lambda: nothing_is_left(house, ada, name), 5)
    assert "live" not in house.versions(name).values()


def test_twenty_thousand_commits_are_declined_in_good_time(house, ada, work):
    history(work, 20_000)
    began = time.monotonic()
    pushed = work.push("main")
    assert "more than 5000 commits in one push: push a shorter history" in pushed.text
    assert time.monotonic() - began < 30
    until(lambda: nothing_is_left(house, ada, work.name), 5)
    assert work.remote_refs() == {}


def test_a_history_that_grew_push_by_push_ends_at_the_repositorys_limit(house, ada, work):
    history(work, MAX_COMMITS)
    # As if pushed in parts before.
    repository = house.repository(ada, work.name)
    assert work.remote_refs() == {}
    subprocess.run(
        ["git", "fetch", "--quiet", str(work.folder), "main:main"], cwd=repository, check=True
    )
    work.git("reset", "--quiet", "--hard", "main")
    work.commit()
    pushed = work.push("main")
    assert f"more than {MAX_COMMITS} commits in a repository" in pushed.text


def history(work, commits: int) -> None:
    """That many commits on main, by git's own importer."""
    lines = (
        f"commit refs/heads/main\ncommitter a <a@example.org> {number} +0000\ndata 0\n"
        for number in range(commits)
    )
    work.git("fast-import", "--quiet", "--force", given="".join(lines).encode())


@pytest.mark.usefixtures("neighbour")
def test_a_flood_of_commands_that_is_not_compressed_is_told_413(house, ada):
    line = f"{ZERO} {'1' * 40} refs/tags/v1.0."
    flood = packs.commands(*(f"{line}{number}" for number in range(250_000)))
    assert 20 * MB < len(flood) < 26 * MB
    with Watch(house) as watch:
        status, answer = told(lambda: packs.post(house, path_of("flood"), ada.key, flood))
    assert (status, answer) == (413, b"too many refs in one push: push main and one tag\n")
    assert watch.peak < 64 * MB


def test_a_body_that_says_no_length_and_never_ends_is_told_413(house, ada):
    sent = []

    def endless() -> Iterator[bytes]:
        yield create("1" * 40)
        yield b"PACK" + bytes(MB - 4)
        while len(sent) < 1000:
            sent.append(1)
            yield bytes(MB)

    status, _ = told(lambda: packs.post(house, path_of("endless"), ada.key, endless()))
    assert status in (200, 413)  # git hears enough before we do, or not
    assert len(sent) < 200
    until(lambda: house.workers() == [], 20)


def told(ask) -> tuple[int, bytes]:
    """An answer that came before all was sent; a client that still sends may miss it."""
    try:
        return ask()
    except (BrokenPipeError, ConnectionResetError):
        return 413, b"too many refs in one push: push main and one tag\n"


def test_more_pushes_of_one_provider_than_may_run_are_told_429_and_others_go_on(house, ada, bob):
    slow = []
    try:
        for number in range(MAX_PUSHES_PER_PROVIDER):
            connection = socket.create_connection((house.host, house.port), 10)
            connection.sendall(packs.head(path_of(f"slow-{number}"), ada.key, 1000) + b"0")
            slow.append(connection)
        until(lambda: sum("receive-pack" in at for at in house.workers()) >= len(slow))
        status, text = packs.post(house, path_of("one-more"), ada.key, b"0000")
        assert status == 429
        assert b"push again when one has ended" in text
        assert packs.post(house, "/git/bob/free.git/git-receive-pack", bob.key, b"0000")[0] == 200
    finally:
        for connection in slow:
            connection.close()
    until(lambda: house.workers() == [], 30)
