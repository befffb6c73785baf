"""The model that tries them all."""

from collections.abc import Iterable

from sandbox.runner.probes.probe import Probe

MANIFEST = """
[signal]
name = "probe"
title = "Escape probes"
[forecast]
symbols = ["PROBE"]
horizons_hours = [1]
lookback_hours = 1
[offer]
price = "0.00"
"""

HELPERS = '''
import ctypes, errno, fcntl, mmap, os, resource, signal, socket, stat, subprocess, sys
import threading, time
from signalbox import Forecast

libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    """A raw system call."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments))
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return f"allowed ({result})"

def buffer(size=4096):
    made = ctypes.create_string_buffer(size)
    kept.append(made)
    return ctypes.addressof(made)

def text(value):
    made = ctypes.create_string_buffer(value)
    kept.append(made)
    return ctypes.addressof(made)

def read(path):
    with open(path, "rb") as file:
        data = file.read(200)
    return f"read {data[:60]!r}" if data.strip() else "empty"

def listed(path):
    return ",".join(sorted(os.listdir(path))) or "empty"

def write(path):
    with open(path, "ab") as file:
        file.write(b"was here")
    return "written"

def status(field):
    with open("/proc/self/status") as file:
        return next(line.split()[1] for line in file if line.startswith(field + ":"))

def until_refused(action):
    for count in range(100_000):
        action()
    return "endless"

def in_tmp(name, origin):
    """A copy of `origin`, in /tmp."""
    path = "/tmp/" + name
    with open(origin, "rb") as source, open(path, "wb") as copy:
        copy.write(source.read())
    return path

def loaded_from_tmp():
    path = in_tmp("library.so", "/usr/lib/x86_64-linux-gnu/libm.so.6")
    try:
        ctypes.CDLL(path)
    except OSError as error:  # the loader tells in words only
        raise PermissionError(errno.EPERM, "") if "map segment" in str(error) else error
    return "done"

def mapped_from_tmp():
    with open("/tmp/code", "wb") as file:
        file.write(bytes(4096))
    with open("/tmp/code", "r+b") as file:
        mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
    return "done"

def spare_from_oom():
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")
    return "done"

def own_threads():
    return set(map(int, os.listdir("/proc/self/task")))

def found_in_proc():
    threads = own_threads()
    return [n for n in range(2, 40_000) if n not in threads and os.path.exists(f"/proc/{n}/comm")]

def found_by_signal():
    threads, found = own_threads(), []
    for number in range(2, 40_000):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            continue
        except PermissionError:
            pass
        if number not in threads:
            found.append(number)
    return found

def parts_of_others():
    others = [p for p in os.listdir("/proc") if p.isdigit() and p != str(os.getpid())]
    names = ("mem", "fd", "root", "cwd", "maps", "environ", "stack", "syscall")
    return [(p, n) for p in ["0", "2", *others] for n in names if os.path.lexists(f"/proc/{p}/{n}")
            and int(p) not in own_threads()]

def entered_namespaces():
    entered = []
    for name in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
        try:
            fd = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
        except OSError:
            continue
        if libc.setns(fd, 0) == 0:
            entered.append(name)
        os.close(fd)
    return entered

def odd_descriptors():
    odd = []
    for fd in range(4096):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        is_plain = stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
        if not is_plain and os.readlink(f"/proc/self/fd/{fd}") != "/dev/null":
            odd.append(fd)
    return odd

def foreign_descriptors():
    return sorted(set(os.listdir("/proc/1/fd")) ^ set(os.listdir("/proc/self/fd")))

def foreign_files():
    numbers = [n for n in os.listdir("/proc/self/fd") if int(n) not in (0, 1, 2, 100, 101)]
    links = [f"/proc/self/fd/{n}" for n in numbers]
    names = [os.readlink(link) for link in links if os.path.exists(link)]
    return [n for n in names if not n.startswith(("/tmp/", "/srv/", "/opt/"))]

MADE = ("code", "library.so", "lock", "sparse")
kept = []

def outcome(source):
    try:
        return str(eval(source, globals()))
    except OSError as error:
        kept.clear()
        return errno.errorcode.get(error.errno, type(error).__name__)
    except BaseException as error:
        return type(error).__name__

def forecast(window):
    for name, source in PROBES:
        print(f"probe {name} = {outcome(source)}", flush=True)
    return [Forecast("PROBE", 1, 0.0)]
'''


def app_source(probes: Iterable[Probe]) -> str:
    """`app.py` of a model that tries them, prints the outcomes and answers `MANIFEST`."""
    table = [(probe.name, probe.source) for probe in probes]
    return f"{HELPERS}\nPROBES = {table!r}\n"
