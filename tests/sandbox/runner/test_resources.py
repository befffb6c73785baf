"""Taking too much: the attack stops at its limit, the slot is missed, the host goes on."""

import re
import time
from collections.abc import Callable

import pytest

from sandbox.runner import threads
from sandbox.runner.cgroup import HELPERS
from sandbox.runner.engine import Engine
from sandbox.runner.limits import Limits
from sandbox.runner.run import SlotResult

Cold = Callable[..., SlotResult]
QUICK = {"timeout_seconds": 1.0}

# name: (body of forecast, kinds it may end as, what the detail says, limits)
ATTACKS: dict[str, tuple[str, set[str], str, dict[str, float]]] = {
    "fork bomb": ("while True: os.fork()", {"error"}, "PermissionError", {}),
    "daemonised child": (
        "if os.fork() == 0: os.setsid(); time.sleep(600)",
        {"error"},
        "PermissionError",
        {},
    ),
    "thread bomb": (
        (
            "threading.stack_size(65536)\n"
            "while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
        ),
        {"error"},
        "can't start new thread",
        {},
    ),
    "many threads burning CPU": (
        (
            "def burn():\n    while True: sum(range(1000))\n"
            "for _ in range(30): threading.Thread(target=burn, daemon=True).start()\n"
            "burn()"
        ),
        {"timeout"},
        "no answer within 1 s",
        QUICK,
    ),
    "memory bomb": (
        "hoard = []\nwhile True: hoard.append(bytearray(b'x') * (16 << 20))",
        {"out_of_memory"},
        "",
        {},
    ),
    "memory bomb in one go": ("len(b'x' * (8 << 30))", {"out_of_memory"}, "", {}),
    "memory bomb in numpy": (
        "import numpy; numpy.ones(1 << 30).sum()",
        {"out_of_memory", "error"},
        "",
        {},
    ),
    "memory hidden in /tmp": (
        "for n in range(99): open(f'/tmp/{n}', 'wb').write(bytes(32 << 20))",
        {"out_of_memory", "error"},
        "",
        {},
    ),
    "filling /tmp": (
        "with open('/tmp/big', 'wb', buffering=0) as f:\n    while True: f.write(bytes(1 << 20))",
        {"error"},
        "No space left|File too large",
        {},
    ),
    "inode bomb": (
        "n = 0\nwhile True: open(f'/tmp/{n}', 'w').close(); n += 1",
        {"error", "timeout", "out_of_memory"},
        "",
        QUICK,
    ),
    "sparse files without end": (
        "for n in range(9999): os.ftruncate(os.open(f'/tmp/{n}', 65), 60 << 20)",
        {"error"},
        "No space left|Too many open files",
        {},
    ),
    "descriptors without end": ("while True: os.pipe()", {"error"}, "Too many open files", {}),
    "timers without end": (
        (
            "while ctypes.CDLL(None).timer_create(0, None, ctypes.byref(ctypes.c_void_p())) == 0:\n"
            "    pass\n"
            "time.sleep(60)"
        ),
        {"timeout"},
        "no answer within 1 s",
        QUICK,
    ),
    "regular expression without end": (
        "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
        {"timeout"},
        "no answer within 1 s",
        QUICK,
    ),
    "integer without end": ("9 ** 9 ** 9", {"timeout", "out_of_memory"}, "", QUICK),
    "lock never released": (
        "lock = threading.Lock(); lock.acquire(); lock.acquire()",
        {"timeout"},
        "no answer within 1 s",
        QUICK,
    ),
    "kill of the parent": ("os.kill(os.getppid(), 9)", {"error"}, "returned NoneType", {}),
    "kill of the process group": ("os.killpg(0, 9)", {"error"}, "returned NoneType", {}),
    "kill of itself": ("signal.raise_signal(signal.SIGKILL)", {"error"}, "returned NoneType", {}),
    "stop of itself": (
        "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(60)",
        {"timeout"},
        "no answer within 1 s",
        QUICK,
    ),
    "ended by its own alarm": ("signal.alarm(1); time.sleep(60)", {"timeout"}, "", QUICK),
    "segmentation fault": ("ctypes.string_at(8)", {"exit"}, "SIGSEGV", {}),
    "abort": ("os.abort()", {"exit"}, "SIG|status", {}),
    "stack overflow": (
        (
            "sys.setrecursionlimit(1 << 30)\n"
            "class Deep:\n    def __repr__(self): return repr([self, Deep()])\n"
            "repr(Deep())"
        ),
        {"exit", "error", "out_of_memory"},
        "SIGSEGV|Recursion|",
        {},
    ),
    "main thread ends, another stays": (
        (
            "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
            "ctypes.CDLL(None).syscall(60, 0)"
        ),
        {"timeout"},
        "no answer within 1 s",
        QUICK,
    ),
    "endless loop": ("while True: pass", {"timeout"}, "no answer within 1 s", QUICK),
    "sleep past the limit": ("time.sleep(600)", {"timeout"}, "no answer within 1 s", QUICK),
    "ignored signals": (
        (
            "for s in range(1, 65):\n"
            "    try: signal.signal(s, signal.SIG_IGN)\n"
            "    except (OSError, ValueError): pass\n"
            "time.sleep(600)"
        ),
        {"timeout"},
        "no answer within 1 s",
        QUICK,
    ),
    "log flood": ("while True: print('x' * 10000)", {"timeout"}, "no answer", QUICK),
    "C-level log flood": (
        "line = b'y' * 10000\nwhile True: os.write(2, line)",
        {"timeout"},
        "no answer",
        QUICK,
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_taking_too_much_ends_as_missed(
    cold: Cold, tell_missed: Callable[..., None], attack: str
) -> None:
    body, kinds, detail, limits = ATTACKS[attack]
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    result = cold(f"def forecast(window):\n{lines}    return None\n", **limits)
    assert result.missed is not None
    assert re.search(detail, result.missed.detail), result.missed
    assert result.wall_ms < 30_000
    tell_missed(attack, result, kinds)


def test_a_model_has_threads_up_to_its_limit_and_no_more(engine: Engine, cold: Cold) -> None:
    if threads.NOT_LIMITED in engine.guarantees().lacks:
        pytest.skip(threads.NOT_LIMITED)
    result = cold("""
def forecast(window):
    threading.stack_size(65536)
    try:
        while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError:
        raise ValueError(len(os.listdir("/proc/self/task")))
""")
    assert result.missed is not None
    (number,) = re.findall(r"ValueError: (\d+)", result.missed.detail)
    assert Limits.pids <= int(number) <= Limits.pids + HELPERS


@pytest.mark.parametrize(
    ("release", "does"),
    [("5.10.0-35-amd64", False), ("5.14", True), ("6.1.0-18-amd64", True), ("4.18.0", False)],
)
def test_a_kernel_counts_threads_by_namespace_from_5_14_on(release: str, *, does: bool) -> None:
    assert threads.counts_by_namespace(release) is does


def test_a_log_flood_is_cut_at_its_limit_and_says_so(cold: Cold) -> None:
    result = cold(
        """
def forecast(window):
    for n in range(1000): print("z" * 999)
    return rows()
""",
        log_bytes=5_000,
    )
    assert result.missed is None
    assert len(result.log) < 5_100
    assert result.log.endswith("[log cut: 995000 more bytes]\n")


def test_hanging_while_loading_is_missed_at_the_start_deadline(cold: Cold) -> None:
    result = cold("time.sleep(600)", start_seconds=1.5)
    assert str(result.missed) == "timeout: its code was not loaded within 1.5 s"


def test_a_thread_that_stays_does_not_keep_the_process(cold: Cold) -> None:
    began = time.monotonic()
    result = cold("""
import atexit
atexit.register(time.sleep, 600)
def forecast(window):
    threading.Thread(target=time.sleep, args=(600,)).start()
    return rows()
""")
    assert result.missed is None
    assert time.monotonic() - began < 10
