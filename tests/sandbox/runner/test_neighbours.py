"""Reaching for other runs: neighbours at work, the run before, the run to come."""

from collections.abc import Callable

import pytest

from sandbox.runner.engine import Engine
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.run import Feed, SlotResult
from sandbox.runner.session import Session
from signalbox import Manifest

Cold = Callable[..., SlotResult]
Tell = Callable[[str, str], None]
ImageFactory = Callable[[dict[str, str]], Image]

# Never in one piece in the curious model's source, nor in its memory but backwards.
SECRET = "the neighbour sells at noon"
NEIGHBOUR = f"""
import os, sys
from signalbox import Forecast
SECRET = {SECRET!r}
os.environ["SECRET"] = SECRET
open("/tmp/left.txt", "w").write(SECRET)

def forecast(window):
    if SECRET not in open("/srv/signal/secret.txt").read(): raise ValueError
    return [Forecast(s, h, 0.0, {{0.1: -0.1, 0.5: 0.0, 0.9: 0.1}}, None)
            for s in window.symbols for h in (1, 4)]
"""
CURIOUS = f"""
BACKWARDS = {SECRET[::-1]!r}.encode()

def in_memory():
    for line in open("/proc/self/maps"):
        span, rights = line.split()[:2]
        start, end = (int(n, 16) for n in span.split("-"))
        if "r" not in rights or end - start > 1 << 28 or "[v" in line:
            continue
        with open("/proc/self/mem", "rb", buffering=0) as memory:
            memory.seek(start)
            try:
                data = memory.read(end - start)
            except OSError:
                continue
        if BACKWARDS in data[::-1]:
            yield line.split()[-1]

def in_files():
    for top in ("/srv", "/tmp", "/dev", "/run", "/var", "/home", "/opt/signalbox", "/mnt"):
        for folder, _, names in os.walk(top):
            yield from (folder + "/" + n for n in names if n in ("secret.txt", "left.txt"))

def in_proc():
    threads = set(os.listdir("/proc/self/task"))
    for number in range(2, 40_000):
        if str(number) in threads: continue
        if os.path.exists(f"/proc/{{number}}/status"): yield number
        try: os.kill(number, 0)
        except ProcessLookupError: continue
        except PermissionError: pass
        yield number

def in_mounts():
    text = open("/proc/self/mountinfo").read() + open("/proc/self/cgroup").read()
    yield from (word for word in text.split() if "neighbour" in word)

def forecast(window):
    for look in (in_memory, in_files, in_proc, in_mounts):
        for found in look(): print(look.__name__, found)
    for number in (9, 15, 19):
        try: os.kill(-1, number)
        except OSError: pass
    return rows()
"""


@pytest.mark.parametrize(
    ("attack", "provider"),
    [
        ("look for another provider's run", "ada"),
        ("look for one's own provider's other run", "mallory"),
    ],
)
def test_looking_for_a_neighbour_finds_nothing_and_ends_nothing(
    engine: Engine,
    cold: Cold,
    throwaway_image: ImageFactory,
    manifest: Manifest,
    feed: Callable[..., Feed],
    tell: Tell,
    attack: str,
    provider: str,
) -> None:
    image = throwaway_image({"app.py": NEIGHBOUR, "secret.txt": SECRET})
    label = f"{provider}/neighbour v1.0.0"
    neighbour = Session(
        engine, image, manifest, version_label=label, version_seed=1, limits=Limits()
    )
    with neighbour:
        result = cold(CURIOUS, timeout_seconds=20.0, memory_mb=512)
        assert result.missed is None, result.log
        assert result.log == ""
        each = feed()
        assert neighbour.answer(each.as_of, 1, 1, each.tables, each.historical)
        neighbour.end()
    tell(attack, "nothing there")


# What is left: (an expression that leaves it, one that is true where it is found).
LEFT_BEHIND = {
    **{
        f"a file in {place}": (
            f"open('{place}/left', 'w').write('x')",
            f"os.path.exists('{place}/left')",
        )
        for place in (
            *("/tmp", "/dev", "/dev/shm", "/dev/mqueue", "/dev/pts", "/var/tmp", "/run"),  # noqa: S108
            *("/srv/signal", "/opt/dependencies", "/opt/signalbox", "/usr", "/etc", "/"),
        )
    },
    "a folder in /tmp": ("os.mkdir('/tmp/folder')", "os.path.exists('/tmp/folder')"),
    "a byte-code file": (
        "compile_here()",
        "os.path.exists('/srv/signal/__pycache__')",
    ),
    "System V memory": ("call(29, 77, 4096, 0o1600)", "call(29, 77, 0, 0o600) >= 0"),
    "a System V queue": ("call(68, 77, 0o1600)", "call(68, 77, 0o600) >= 0"),
    "a POSIX queue": (
        "call(240, b'left', 0o102, 0o600, None)",
        "call(240, b'left', 2, 0o600, None) >= 0",
    ),
    "a key in the session's keyring": (
        "call(248, b'user', b'left', b'x', 1, -3)",
        "call(249, b'user', b'left', None, 0) >= 0",
    ),
    "a key in the user's keyring": (
        "call(248, b'user', b'left', b'x', 1, -4)",
        "call(250, 10, -4, b'user', b'left', 0) >= 0",
    ),
    "an abstract name": (
        "socket.socket(socket.AF_UNIX).bind('\\0left')",
        "socket.socket(socket.AF_UNIX).connect('\\0left')",
    ),
    "a module changed": ("setattr(numpy, 'left', 1)", "hasattr(numpy, 'left')"),
    "the harness changed": (
        "setattr(sys.modules['harness.loop'], 'left', 1)",
        "hasattr(sys.modules['harness.loop'], 'left')",
    ),
    "a class of the contract changed": (
        "setattr(sys.modules['signalbox'], 'left', 1)",
        "hasattr(sys.modules['signalbox'], 'left')",
    ),
    "the interpreter changed": ("flag(7)", "flag() == 7"),
    "an environment variable": ("os.environ.update(LEFT='1')", "'LEFT' in os.environ"),
    "a thread": (
        "threading.Thread(target=time.sleep, args=(99,), name='left', daemon=True).start()",
        "any(t.name == 'left' for t in threading.enumerate())",
    ),
    "a timer": (
        "signal.setitimer(signal.ITIMER_VIRTUAL, 600)",
        "signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0",
    ),
    "a signal handler": (
        "signal.signal(signal.SIGUSR1, print)",
        "signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL",
    ),
    "a umask": ("os.umask(0o123)", "os.umask(0) == 0o123"),
    "a process name": ("call(157, 15, b'left')", "'left' in open('/proc/self/comm').read()"),
    "a directory to work in": ("os.chdir('/usr')", "os.getcwd() == '/usr'"),
}
RUN = """
import numpy, socket
libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    return libc.syscall(ctypes.c_long(number), *arguments)

def flag(value=None):
    found = ctypes.c_int.in_dll(ctypes.pythonapi, "Py_InspectFlag")
    if value is not None: found.value = value
    return found.value

def compile_here():
    import py_compile
    py_compile.compile("/srv/signal/app.py")

def forecast(window):
    for name, (leave, look) in LEFT_BEHIND.items():
        try:
            if eval(look): print("found", name)
        except Exception: pass
    for name, (leave, look) in LEFT_BEHIND.items():
        try: eval(leave)
        except Exception: pass
    return rows()
"""


@pytest.fixture(scope="module")
def found(at_once: Callable[..., list[SlotResult]]) -> set[str]:
    """What the second of two runs found of the first."""
    source = f"LEFT_BEHIND = {LEFT_BEHIND!r}\n{RUN}"
    (first,), (second,) = at_once(source, slots=1), at_once(source, slots=1)
    assert first.missed is None, first.log
    assert first.log == ""
    assert second.missed is None
    return {line.removeprefix("found ") for line in second.log.splitlines()}


@pytest.mark.parametrize("attack", [f"leave {left}" for left in LEFT_BEHIND])
def test_leaving_something_for_the_next_slot_is_in_vain(
    found: set[str], tell: Tell, attack: str
) -> None:
    assert attack.removeprefix("leave ") not in found
    tell(attack, "gone")


@pytest.mark.parametrize("attack", ["tell others by the date of last reading"])
def test_reading_a_shared_file_leaves_no_date_for_others_to_see(
    cold: Cold, tell: Tell, attack: str
) -> None:
    source = """
def forecast(window):
    path = "/usr/lib/python3.11/antigravity.py"
    print(os.stat(path).st_atime_ns)
    open(path).read()
    print(os.stat(path).st_atime_ns)
    return rows()
"""
    dates = (cold(source).log + cold(source).log).split()
    assert len(dates) == 4
    assert len(set(dates)) == 1
    tell(attack, "refused")


@pytest.mark.parametrize("attack", ["write the input frame"])
def test_writing_the_input_frame_changes_nobody_elses(
    lockstep: Callable[..., list[SlotResult]], tell: Tell, attack: str
) -> None:
    results = lockstep(
        """
lasts = {}
def forecast(window):
    for symbol in window.symbols:
        close = window.numpy(symbol)
        first, last = int(close[0]), int(close[-1])
        if len(close) != 100 or last - first != 99 or lasts.get(symbol) == last:
            raise ValueError(f"not this slot's: {len(close)} closes, {first} to {last}")
        lasts[symbol] = last
        try: close.flags.writeable = True
        except ValueError: pass
        ctypes.memset(close.ctypes.data, 0, close.nbytes)
    return rows()
""",
        slots=3,
        timeout_seconds=30.0,
    )
    # The close counts hours: each slot sees its own, whole, whatever was done to the last one's.
    assert [result.missed for result in results] == [None] * 3
    tell(attack, "the next slot's is whole")
