"""Runs forked from a zygote: each alone, as if it had been started cold.

The other tests of this room run under the forked path too; in this folder stands what
only it can get wrong.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.runner.forked_engine import ForkedEngine
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.run import Feed, SlotResult, replay, run_cold
from sandbox.runner.session import Session
from signalbox import Manifest

Cold = Callable[..., SlotResult]
Run = Callable[..., SlotResult]
ImageFactory = Callable[[dict[str, str]], Image]
Answers = Callable[..., list[bytes]]

VERSION = "ada/honest v1.0.0"


def test_forked_cold_and_replay_give_the_same_bytes(
    engine: ForkedEngine,
    manifest: Manifest,
    feed: Callable[..., Feed],
    run: Run,
    honest: Image,
    answers: Answers,
) -> None:
    cold = answers(*(run(engine.cold, honest, hours) for hours in range(3)))
    forked = answers(*(run(engine, honest, hours) for hours in range(3)))
    replayed = answers(*replay(engine, honest, manifest, VERSION, map(feed, range(3))))
    assert forked == cold
    assert replayed == cold
    assert len(set(cold)) == 3


def test_fifty_runs_at_once_each_get_their_own_answer(
    engine: ForkedEngine, run: Run, honest: Image, answers: Answers
) -> None:
    alone = answers(*(run(engine, honest, hours) for hours in range(5)))
    with ThreadPoolExecutor(25) as threads:
        together = list(threads.map(lambda n: run(engine, honest, n % 5), range(50)))
    assert answers(*together) == alone * 10


def test_the_zygotes_and_the_hosts_descriptors_are_out_of_reach(cold: Cold) -> None:
    result = cold("""
import stat
def forecast(window):
    for fd in range(3, 4096):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        print(fd, stat.S_ISFIFO(mode), stat.S_ISSOCK(mode))
    print([p for p in os.listdir("/proc") if p.isdigit()], os.getpid(), os.getppid())
    for pid in range(2, 300):
        for name in ("mem", "fd", "root", "cwd", "maps", "environ"):
            if os.path.lexists(f"/proc/{pid}/{name}"): print("sees", pid, name)
    for name in ("mnt", "pid", "user", "net"):
        try: fd = os.open(f"/proc/self/ns/{name}", os.O_RDONLY)
        except OSError: continue
        print(name, ctypes.CDLL(None, use_errno=True).setns(fd, 0))
        os.close(fd)
    return rows()
""")
    assert result.missed is None
    kept = ["100 True False", "101 True False", "['1'] 1 0"]
    assert result.log.splitlines() == [*kept, "mnt -1", "pid -1", "user -1", "net -1"]


def test_no_other_versions_source_is_seen_nor_what_its_run_left(
    engine: ForkedEngine, throwaway_image: ImageFactory, manifest: Manifest, run: Run
) -> None:
    secret = "the neighbour's edge"
    neighbour = throwaway_image(
        {
            "app.py": "open('/tmp/left', 'w').write('x')\ndef forecast(window): return []",
            "weights/secret.txt": secret,
        }
    )
    curious = throwaway_image(
        {
            "app.py": f"""
import os, re
for top in ("/srv", "/tmp", "/dev", "/opt/signalbox/harness"):
    for folder, _, names in os.walk(top):
        for name in names:
            if name in ("secret.txt", "left"): print("found", folder, name)
mounts = open("/proc/self/mountinfo").read()
print("signal" in re.sub(r"/srv/signal|/opt/signalbox|signalbox-image", "", mounts))
secret = {secret[:8]!r} + {secret[8:]!r}
for line in open("/proc/self/maps"):
    start, end = (int(n, 16) for n in line.split()[0].split("-"))
    if "[heap]" in line:
        with open("/proc/self/mem", "rb") as memory:
            memory.seek(start)
            print("in memory", memory.read(end - start).count((secret + "!").encode()))
def forecast(window): raise ValueError
"""
        }
    )
    told = run(engine, neighbour, version="ada/neighbour v1.0.0").missed
    assert told is not None
    assert told.kind == "invalid"
    session = Session(
        engine,
        neighbour,
        manifest,
        version_label="ada/neighbour v1.0.0",
        version_seed=1,
        limits=Limits(),
    )
    with session:
        assert run(engine, curious).log.splitlines()[:2] == ["False", "in memory 0"]


@pytest.mark.parametrize(
    ("attack", "kinds"),
    [
        ("while True: os.fork()", {"error"}),
        (
            "while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
            {"error", "timeout", "out_of_memory"},
        ),
        ("hoard = []\n    while True: hoard.append(b'x' * (16 << 20))", {"out_of_memory"}),
        ("while True: pass", {"timeout"}),
        ("os.kill(-1, 9)", {"error"}),
        ("os.kill(0, 9)", {"answered"}),
        ("ctypes.string_at(8)", {"exit"}),
        ("[os.kill(pid, 9) for pid in range(2, 4000)]", {"error"}),
        ("print('x' * 10); os.closerange(0, 4096); time.sleep(9)", {"timeout"}),
    ],
)
def test_an_attack_leaves_the_zygote_and_the_neighbours_alone(
    engine: ForkedEngine,
    cold: Cold,
    manifest: Manifest,
    feed: Callable[..., Feed],
    run: Run,
    attack: str,
    kinds: set[str],
    honest: Image,
    answers: Answers,
) -> None:
    expected = answers(run(engine, honest, version="mallory/honest v1.0.0"))
    before = engine.zygotes._by_key[next(reversed(engine.zygotes._by_key))]
    neighbour = Session(
        engine,
        honest,
        manifest,
        version_label="mallory/honest v1.0.0",
        version_seed=1,
        limits=Limits(),
    )
    with neighbour:
        result = cold(
            f"def forecast(window):\n    {attack}\n    return rows()", timeout_seconds=1.5
        )
        outcome = "answered" if result.missed is None else result.missed.kind
        assert outcome in kinds, result.missed
        each = feed()
        neighbour.answer(each.as_of, 1, 1, each.tables, each.historical)
        neighbour.end()
    assert answers(run(engine, honest, version="mallory/honest v1.0.0")) == expected
    assert engine.zygotes._by_key[next(reversed(engine.zygotes._by_key))] is before
    assert before.alive


def test_randomness_is_not_inherited(cold: Cold) -> None:
    source = """
import numpy, random, uuid
def forecast(window):
    raise ValueError(random.random(), numpy.random.random(), os.urandom(4).hex(), uuid.uuid4().hex)
"""
    drawn = [cold(source).missed.detail for _ in range(2)]
    first, second = (told.partition("(")[2].split(", ") for told in drawn)
    assert len(first) == 4
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_a_keepers_next_run_inherits_neither_memory_nor_limits_nor_its_peak(
    engine: ForkedEngine,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
    honest: Image,
) -> None:
    """The attack: leave 50 MB in /tmp and in memory, and let the next run pay for it."""
    greedy = "kept = bytearray(100 << 20); open('/tmp/x', 'wb').write(bytes(50 << 20))\n"
    hoarder = throwaway_image({"app.py": greedy + "def forecast(window): return []"})
    # Without a cgroup the limit is on address space, and the peak counts the libraries.
    least, slack = (64, 0) if engine._families else (256, 80)
    for _ in range(3):
        hoarded = run_cold(engine, hoarder, manifest, VERSION, feed(), limits=Limits(memory_mb=512))
        tight = run_cold(engine, honest, manifest, VERSION, feed(), limits=Limits(memory_mb=least))
        assert tight.missed is None, tight.missed
        assert hoarded.usage.peak_memory_mb > 150
        assert tight.usage.peak_memory_mb < 64 + slack
