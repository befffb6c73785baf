"""Runs forked from a zygote: each alone, as if it had been started cold.

The other tests of this directory run under the forked path too; here stands what
only it can get wrong.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from sandbox.runner import cgroup, docker_zygote
from sandbox.runner.docker_engine import DockerEngine
from sandbox.runner.embedded_engine import EmbeddedEngine
from sandbox.runner.engine import available_engine
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.forked_engine import ColdEngine, ForkedEngine
from sandbox.runner.forked_sandbox import ForkedSandbox
from sandbox.runner.image import PYTHON, Image
from sandbox.runner.limits import Limits
from sandbox.runner.run import Feed, SlotResult, replay, run_cold
from sandbox.runner.session import Session
from sandbox.runner.zygote import Zygote, host_pid, is_readable
from signalbox import Manifest

Cold = Callable[..., SlotResult]
Run = Callable[..., SlotResult]
ColdFactory = Callable[[], ColdEngine]
ImageFactory = Callable[[dict[str, str]], Image]

CHECKOUT = Path(__file__).parents[3]
PASSERBY = 64_991
VERSION = "ada/honest v1.0.0"
HONEST = """
import numpy as np
import polars as pl
from signalbox import Forecast

def forecast(window):
    drawn = []
    for symbol in window.symbols:
        close = window.numpy(symbol)
        mean = window.bars(symbol).lazy().select(pl.col("close").ewm_mean(span=7)).collect()
        for hours in (1, 4):
            noise = np.quantile(window.random.normal(0, 1e-3, 100), [0.1, 0.5, 0.9])
            point = np.polyfit(np.arange(close.size), np.log(close), 1)[0] + noise[1]
            levels = dict(zip([0.1, 0.5, 0.9], noise + mean["close"][-1] * 1e-9, strict=True))
            drawn.append(Forecast(symbol, hours, point, levels, 0.5))
    return drawn
"""


@pytest.fixture(scope="module", params=["docker", "embedded"])
def cold_engine(request: pytest.FixtureRequest) -> ColdFactory:
    """What makes the engine under each forked one, anew each time."""
    kind = {"docker": DockerEngine, "embedded": EmbeddedEngine}[request.param]
    try:
        kind().close()
    except SandboxUnavailableError as error:
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but: {error}")
        pytest.skip(str(error))
    return kind


@pytest.fixture(scope="module")
def engine(cold_engine: ColdFactory) -> Iterator[ForkedEngine]:
    made = ForkedEngine(cold_engine())
    yield made
    made.close()


@pytest.fixture
def run(manifest: Manifest, feed: Callable[..., Feed]) -> Run:
    """`run(engine, image, hours=0, version=VERSION)`: one slot in a sandbox of its own."""

    def ran(engine: ForkedEngine, image: Image, hours: int = 0, **given: str) -> SlotResult:
        return run_cold(engine, image, manifest, given.get("version", VERSION), feed(hours))

    return ran


def _bytes(*results: SlotResult) -> list[bytes]:
    assert [result.missed for result in results] == [None] * len(results), results[0].log
    return [msgspec.msgpack.encode(result.rows) for result in results]


def _only_zygote(engine: ForkedEngine) -> Zygote:
    (zygote,) = engine.zygotes._by_key.values()
    return zygote


def test_forked_cold_and_replay_give_the_same_bytes(
    engine: ForkedEngine,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
    run: Run,
) -> None:
    image = throwaway_image({"app.py": HONEST})
    cold = _bytes(*(run(engine.cold, image, hours) for hours in range(3)))
    forked = _bytes(*(run(engine, image, hours) for hours in range(3)))
    replayed = _bytes(*replay(engine, image, manifest, VERSION, map(feed, range(3))))
    assert forked == cold
    assert replayed == cold
    assert len(set(cold)) == 3


def test_fifty_runs_at_once_each_get_their_own_answer(
    engine: ForkedEngine, throwaway_image: ImageFactory, run: Run
) -> None:
    image = throwaway_image({"app.py": HONEST})
    alone = _bytes(*(run(engine, image, hours) for hours in range(5)))
    with ThreadPoolExecutor(25) as threads:
        together = list(threads.map(lambda n: run(engine, image, n % 5), range(50)))
    assert _bytes(*together) == alone * 10


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
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
    run: Run,
    attack: str,
    kinds: set[str],
) -> None:
    honest = throwaway_image({"app.py": HONEST})
    expected = _bytes(run(engine, honest, version="mallory/honest v1.0.0"))
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
    assert _bytes(run(engine, honest, version="mallory/honest v1.0.0")) == expected
    assert engine.zygotes._by_key[next(reversed(engine.zygotes._by_key))] is before
    assert before.alive


def test_randomness_is_not_inherited(cold: Cold) -> None:
    source = """
import numpy, random, uuid
def forecast(window):
    print(random.random(), numpy.random.random(), os.urandom(4), uuid.uuid4())
    return rows()
"""
    first, second = cold(source).log.split(" "), cold(source).log.split(" ")
    assert all(one != other for one, other in zip(first, second, strict=True))


def test_a_killed_zygote_is_our_error_for_its_runs_and_the_next_launch_works(
    cold_engine: ColdFactory,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
    run: Run,
) -> None:
    engine = ForkedEngine(cold_engine())
    try:
        honest = throwaway_image({"app.py": HONEST})
        sleeper = throwaway_image({"app.py": "import time\ndef forecast(_): time.sleep(60)"})
        expected = _bytes(run(engine, honest))
        session = Session(
            engine, sleeper, manifest, version_label=VERSION, version_seed=1, limits=Limits()
        )
        with session:
            zygote = _only_zygote(engine)
            os.kill(host_pid(zygote._pidfd), signal.SIGKILL)
            each = feed()
            with pytest.raises(SandboxUnavailableError, match="the zygote ended"):
                session.answer(each.as_of, 1, 1, each.tables, each.historical)
        assert _bytes(run(engine, honest)) == expected
        assert _only_zygote(engine) is not zygote
    finally:
        engine.close()


def test_a_run_dies_with_its_keeper_and_the_zygote_forks_another(
    engine: ForkedEngine, throwaway_image: ImageFactory, manifest: Manifest, run: Run
) -> None:
    image = throwaway_image({"app.py": HONEST})
    with Session(
        engine, image, manifest, version_label=VERSION, version_seed=1, limits=Limits()
    ) as session:
        sandbox = session._sandbox
        model = os.pidfd_open(_model(sandbox))
        os.kill(host_pid(sandbox._keeper._pidfd), signal.SIGKILL)
        assert is_readable(model, 5)
        assert sandbox.wait(5).status == 128 + signal.SIGKILL
        os.close(model)
    _bytes(run(engine, image))


def test_a_keepers_next_run_inherits_neither_memory_nor_limits_nor_its_peak(
    engine: ForkedEngine,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
) -> None:
    """The attack: leave 50 MB in /tmp and in memory, and let the next run pay for it."""
    greedy = "kept = bytearray(100 << 20); open('/tmp/x', 'wb').write(bytes(50 << 20))\n"
    hoarder = throwaway_image({"app.py": greedy + "def forecast(window): return []"})
    honest = throwaway_image({"app.py": HONEST})
    # Without a cgroup the limit is on address space, and the peak counts the libraries.
    least, slack = (64, 0) if engine._families else (256, 80)
    for _ in range(3):
        hoarded = run_cold(engine, hoarder, manifest, VERSION, feed(), limits=Limits(memory_mb=512))
        tight = run_cold(engine, honest, manifest, VERSION, feed(), limits=Limits(memory_mb=least))
        assert tight.missed is None, tight.missed
        assert hoarded.usage.peak_memory_mb > 150
        assert tight.usage.peak_memory_mb < 64 + slack


def test_a_run_that_cannot_be_set_up_is_our_error_and_its_keeper_serves_the_next(
    cold_engine: ColdFactory,
    throwaway_image: ImageFactory,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = ForkedEngine(cold_engine())
    try:
        image = throwaway_image({"app.py": HONEST})
        with monkeypatch.context() as patched:
            patched.setattr(engine, "_filter", b"no program")
            with pytest.raises(SandboxUnavailableError, match="forked path: OSError"):
                run(engine, image)
        _bytes(run(engine, image))
        assert len(_only_zygote(engine)._idle) == 1
    finally:
        engine.close()


def test_a_zygote_that_does_not_come_up_is_our_error_and_leaves_nothing(
    cold_engine: ColdFactory,
    throwaway_image: ImageFactory,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = throwaway_image({"app.py": HONEST})
    base = image.source.parent / "no-python-for-zygotes"
    for directory in ("usr", "opt/signalbox"):
        (base / directory).mkdir(parents=True, exist_ok=True)
    wrong = (PYTHON, "-c", "raise SystemExit('no library')")
    monkeypatch.setattr(docker_zygote, "COMMAND", wrong)
    before = _traces()
    engine = ForkedEngine(cold_engine())
    groups = _groups_of(engine, monkeypatch)
    with pytest.raises(
        SandboxUnavailableError, match=r"could not start a zygote: (no library|bwrap)"
    ):
        run(engine, replace(image, base=base))
    engine.close()
    assert _traces() == before
    assert not any(path.exists() for group in groups for path in group.directories)


def test_providers_share_a_zygote_only_where_their_dependencies_are_approved(
    cold_engine: ColdFactory, throwaway_image: ImageFactory, run: Run
) -> None:
    image = throwaway_image({"app.py": HONEST})
    for approved, expected in (((), 2), ((image.dependencies,), 1)):
        engine = ForkedEngine(cold_engine(), approved=approved)
        try:
            _bytes(*(run(engine, image, version=f"{name}/x v1.0.0") for name in ("ada", "bob")))
            assert len(engine.zygotes) == expected
        finally:
            engine.close()


def test_zygotes_over_the_budget_end_but_none_that_is_in_use(
    cold_engine: ColdFactory, throwaway_image: ImageFactory, run: Run
) -> None:
    image = throwaway_image({"app.py": HONEST})
    engine = ForkedEngine(cold_engine(), zygotes_mb=1)
    try:
        running = engine.launch(image, Limits(), "ada/x v1.0.0")
        adas = _only_zygote(engine)
        _bytes(run(engine, image, version="bob/x v1.0.0"))
        assert adas.alive
        running.close()
        _bytes(run(engine, image, version="bob/x v1.0.0"))
        assert len(engine.zygotes) == 0
        assert not adas.alive
    finally:
        engine.close()


def test_nothing_is_left_after_close(
    cold_engine: ColdFactory,
    throwaway_image: ImageFactory,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = throwaway_image({"app.py": HONEST})
    run(EmbeddedEngine(), image)  # what is opened once and stays
    before = _traces()
    engine = ForkedEngine(cold_engine())
    groups = _groups_of(engine, monkeypatch)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: run(engine, image), range(16)))
    abandoned = engine.launch(image, Limits(), VERSION)
    pids = [_model(abandoned), host_pid(abandoned._keeper._pidfd)]
    pids.append(host_pid(_only_zygote(engine)._pidfd))
    engine.close()
    abandoned.close()
    assert _traces() == before
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(path.exists() for group in groups for path in group.directories)


def _groups_of(engine: ForkedEngine, monkeypatch: pytest.MonkeyPatch) -> list[cgroup.Cgroup]:
    """The cgroups it makes from now on; other programs make theirs beside them."""
    made: list[cgroup.Cgroup] = []
    original = engine._group

    def recorded(limits: Limits) -> cgroup.Cgroup | None:
        group = original(limits)
        if group is not None:
            made.append(group)
        return group

    monkeypatch.setattr(engine, "_group", recorded)
    return made


def _model(sandbox: ForkedSandbox) -> int:
    """The model's number here: its keeper has no other child."""
    keeper = host_pid(sandbox._keeper._pidfd)
    children = Path(f"/proc/{keeper}/task/{keeper}/children")
    deadline = time.monotonic() + 5
    while not children.read_text() and time.monotonic() < deadline:
        time.sleep(0.001)
    return int(children.read_text())


def _traces() -> tuple[list[str], int]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # Others mount too: ours name the image or where it is shown.
    mounts = [line for line in lines if "signalbox" in line or "/srv/signal" in line]
    mounts += [str(path) for path in docker_zygote.DIRECTORIES.glob("zygote-*")]
    return mounts, len(list(Path("/proc/self/fd").iterdir()))


def _script(image: Image, body: str, choice: str = "embedded") -> list[str]:
    places = {name: str(getattr(image, name)) for name in ("base", "dependencies", "source")}
    prelude = f"""
        import json, os, sys, time
        sys.path[:0] = {[str(CHECKOUT), str(CHECKOUT / "sandbox/sdk/src")]!r}
        from datetime import UTC, datetime
        from pathlib import Path
        from sandbox.runner import probes
        from sandbox.runner.engine import available_engine
        from sandbox.runner.image import Image
        from sandbox.runner.limits import Limits
        from sandbox.runner.run import Feed, run_cold
        from sandbox.runner.zygote import host_pid
        from signalbox import parse_manifest
        places = {{name: Path(path) for name, path in json.loads({json.dumps(places)!r}).items()}}
        image = Image({image.digest!r}, **places)
        engine = available_engine({choice!r}, path="forked")
        """
    return [sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(body)]


def test_when_the_platform_dies_zygotes_and_runs_die_with_it(
    engine: ForkedEngine, throwaway_image: ImageFactory
) -> None:
    image = throwaway_image({"app.py": HONEST})
    body = """
        run = engine.launch(image, Limits(), "ada/x v1.0.0")
        zygote = next(iter(engine.zygotes._by_key.values()))
        pids = [host_pid(fd) for fd in (run._keeper._pidfd, zygote._pidfd)]
        group = run._keeper.group and run._keeper.group.name
        print(json.dumps([pids, group, str(getattr(zygote._body, "_directory", ""))]), flush=True)
        time.sleep(60)
        """
    with subprocess.Popen(_script(image, body, engine.name), stdout=subprocess.PIPE) as platform:
        assert platform.stdout is not None
        pids, group, directory = json.loads(platform.stdout.readline())
        pidfds = [os.pidfd_open(pid) for pid in pids]
        platform.kill()
        assert all(is_readable(pidfd, 5) for pidfd in pidfds)
    for pidfd in pidfds:
        os.close(pidfd)
    if directory:  # the reaper's as well
        shutil.rmtree(directory)
    for left in cgroup.existing(cgroup.families()):
        if left.name == group:  # the reaper's, at its deadline
            assert left.pids() == []
            left.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_forks_as_tightly(
    throwaway_image: ImageFactory, feed: Callable[..., Feed]
) -> None:
    from sandbox.runner import probes  # noqa: PLC0415

    image = throwaway_image({"app.py": probes.app_source()})
    hog = throwaway_image({"app.py": "def forecast(window): return len(b'x' * (2 << 30))"})
    body = f"""
        feed = Feed(datetime(2026, 1, 5, tzinfo=UTC), {{"PROBE": sys.stdin.buffer.read()}}, None)
        manifest = parse_manifest(probes.MANIFEST)
        tried = run_cold(engine, image, manifest, "signalbox/probe v1.0.0", feed)
        hog = Image("sha256:1", image.base, image.dependencies, Path({str(hog.source)!r}))
        hogged = run_cold(engine, hog, manifest, "signalbox/probe v1.0.0", feed)
        engine.close()
        lacks = engine.guarantees().lacks
        print(json.dumps([str(tried.missed), probes.leaks(tried.log, lacks), str(hogged.missed)]))
        """
    told = subprocess.run(
        _script(image, body),
        input=feed().tables["EURUSD"],
        capture_output=True,
        user=PASSERBY,
        group=PASSERBY,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        check=False,
    )
    assert told.returncode == 0, told.stderr.decode()
    missed, leaks, hogged = json.loads(told.stdout)
    assert (missed, leaks) == ("None", [])
    assert hogged.startswith("out_of_memory")


def test_another_runtime_is_not_forked() -> None:
    with pytest.raises(SandboxUnavailableError, match="SIGNALBOX_SANDBOX_PATH=cold"):
        available_engine("docker", path="forked", runtime="runsc")


def test_the_zygotes_container_is_a_cold_one_but_for_what_is_documented() -> None:
    engine = DockerEngine.__new__(DockerEngine)
    engine._runtime = None
    image = Image("sha256:0", Path(), Path(), Path())
    cold = engine._configuration(image, Limits(), "a label")
    zygote = docker_zygote._as_zygote(cold, Path("/home/zygote-1-x/shown"))
    hosts = (zygote["HostConfig"], cold["HostConfig"])
    assert {name for name in hosts[0] if hosts[0][name] != hosts[1].get(name)} <= {
        *("SecurityOpt", "NanoCpus", "Ulimits", "Tmpfs", "Binds", "MaskedPaths"),
        *("ReadonlyPaths", "AutoRemove"),
    }
    assert hosts[0]["CapDrop"] == ["ALL"]
    assert hosts[0]["NetworkMode"] == "none"
    assert hosts[0]["ReadonlyRootfs"] is True
    assert hosts[0]["SecurityOpt"][0] == "no-new-privileges:true"
    assert hosts[0]["Binds"] == ["/home/zygote-1-x/shown:/tmp:ro"]
    filter_ = json.loads(hosts[0]["SecurityOpt"][2].removeprefix("seccomp="))
    allowed = {
        name
        for rule in filter_["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW"
        for name in rule["names"]
    }
    assert not {"fork", "vfork", "setns", "ptrace", "bpf", "keyctl", "init_module"} & allowed
    sockets = [rule["args"] for rule in filter_["syscalls"] if "socket" in rule["names"]]
    assert [[argument["value"] for argument in arguments] for arguments in sockets] == [
        [socket.AF_UNIX]
    ]
