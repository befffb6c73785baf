"""Escape attempts to make from inside, and what each must run into.

`app_source()` is a model that tries all of them in one run and prints one line
each; `leaks(log)` names those that got through. `signalbox doctor` runs it on
the machine it is on, and the tests under both engines.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.runner.image import ENVIRONMENT

# What a refusal looks like: no permission, no such call, nothing there, read-only.
REFUSED = ("EPERM", "ENOSYS")
NOTHING_THERE = ("ENOENT", "EACCES", "ENOTDIR", "EPERM", "ENXIO", "empty")
NOT_WRITABLE = ("EROFS", "EACCES", "EPERM", "ENOENT", "ENOTDIR", "EINVAL")


@dataclass(frozen=True)
class Probe:
    """One attempt.

    Attributes:
        name: what is tried.
        source: a Python expression, evaluated inside with the helpers of `HELPERS`.
        expected: outcomes that hold: an errno's name, an exception's, or the value.
    """

    name: str
    source: str
    expected: tuple[str, ...]


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
import ctypes, errno, fcntl, mmap, os, resource, signal, socket, subprocess, sys, threading
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

SOCKETS = {
    "IPv4 stream": "socket.AF_INET, socket.SOCK_STREAM",
    "IPv4 datagram": "socket.AF_INET, socket.SOCK_DGRAM",
    "IPv4 raw": "socket.AF_INET, socket.SOCK_RAW, 1",
    "IPv6 stream": "socket.AF_INET6, socket.SOCK_STREAM",
    "unix stream": "socket.AF_UNIX, socket.SOCK_STREAM",
    "netlink": "16, socket.SOCK_RAW, 0",
    "packet": "17, socket.SOCK_RAW, 0",
    "bluetooth": "31, socket.SOCK_RAW, 0",
    "alg": "38, socket.SOCK_SEQPACKET",
    "vsock": "40, socket.SOCK_STREAM",
}
# Number and arguments on x86_64.
CALLS = {
    "socketpair": "53, 1, 1, 0, buffer()",
    "connect": "42, 0, buffer(), 16",
    "fork": "57",
    "vfork": "58",
    "clone a process": "56, 17, 0, 0, 0, 0",
    "clone into a user namespace": "56, 0x10000011, 0, 0, 0, 0",
    "clone a thread into a net namespace": "56, 0x40010f00, 0, 0, 0, 0",
    "clone3": "435, buffer(), 88",
    "unshare user": "272, 0x10000000",
    "unshare mount": "272, 0x20000",
    "setns": "308, 0, 0",
    "ptrace": "101, 0, 0, 0, 0",
    "process_vm_readv": "310, 1, buffer(), 1, buffer(), 1, 0",
    "process_vm_writev": "311, 1, buffer(), 1, buffer(), 1, 0",
    "pidfd_open": "434, 1, 0",
    "pidfd_getfd": "438, 0, 0, 0",
    "kcmp": "312, 1, 1, 0, 0, 0",
    "bpf": "321, 0, buffer(), 64",
    "io_uring_setup": "425, 8, buffer()",
    "add_key": "248, text(b'user'), text(b'x'), text(b'y'), 1, -3",
    "request_key": "249, text(b'user'), text(b'x'), 0, 0",
    "keyctl": "250, 0, -3, 0",
    "userfaultfd": "323, 0",
    "perf_event_open": "298, buffer(), 0, -1, -1, 0",
    "memfd_create": "319, text(b'x'), 0",
    "memfd_secret": "447, 0",
    "shmget": "29, 0, 4096, 0o1600",
    "msgget": "68, 0, 0o1600",
    "semget": "64, 0, 1, 0o1600",
    "mq_open": "240, text(b'x'), 0o102, 0o600, 0",
    "mount": "165, text(b'none'), text(b'/tmp'), text(b'tmpfs'), 0, 0",
    "umount": "166, text(b'/proc'), 2",
    "fsopen": "430, text(b'tmpfs'), 0",
    "open_tree": "428, -100, text(b'/'), 1",
    "move_mount": "429, -100, text(b'/'), -100, text(b'/tmp'), 0",
    "pivot_root": "155, text(b'/tmp'), text(b'/tmp')",
    "chroot": "161, text(b'/tmp')",
    "mknod": "133, text(b'/tmp/node'), 0o20600, 0x101",
    "mknodat": "259, -100, text(b'/tmp/node'), 0o20600, 0x101",
    "symlink": "88, text(b'/etc'), text(b'/tmp/link')",
    "symlinkat": "266, text(b'/etc'), -100, text(b'/tmp/link')",
    "link": "86, text(b'/srv/signal/app.py'), text(b'/tmp/link')",
    "linkat": "265, -100, text(b'/srv/signal/app.py'), -100, text(b'/tmp/link'), 0",
    "chown": "92, text(b'/tmp'), 0, 0",
    "setxattr": "188, text(b'/tmp'), text(b'user.x'), text(b'y'), 1, 0",
    "open_by_handle_at": "304, -100, buffer(), 0",
    "fanotify_init": "300, 0, 0",
    "inotify_init1": "294, 0",
    "flock": "73, 2, 2",
    "setuid": "105, 0",
    "setresuid": "117, 0, 0, 0",
    "setgroups": "116, 0, 0",
    "capset": "126, buffer(), buffer()",
    "sethostname": "170, text(b'x'), 1",
    "clock_settime": "227, 0, buffer()",
    "personality": "135, 0x0040000",
    "setrlimit": "160, 7, buffer()",
    "prlimit64": "302, 0, 7, text((1 << 20).to_bytes(8, 'little') * 2), 0",
    "setpriority": "141, 0, 0, -20",
    "sched_setaffinity": "203, 0, 8, text(bytes([255] * 8))",
    "sched_setscheduler": "144, 0, 1, text(bytes([1, 0, 0, 0]))",
    "mlockall": "151, 1",
    "ioctl TIOCSTI": "16, 0, 0x5412, text(b'x')",
    "ioctl TIOCSTI with high bits": "16, 0, 0x100005412, text(b'x')",
    "prctl PR_SET_DUMPABLE": "157, 4, 1, 0, 0, 0",
    "prctl PR_SET_MM": "157, 35, 1, 0, 0, 0",
    "seccomp": "317, 1, 0, buffer()",
    "kexec_load": "246, 0, 0, 0, 0",
    "init_module": "175, buffer(), 8, text(b'')",
    "reboot": "169, 0xfee1dead, 672274793, 0x1234567, 0",
    "syslog": "103, 3, buffer(), 4096",
    "modify_ldt": "154, 0, buffer(), 4096",
    "iopl": "172, 3",
    "sysinfo": "99, buffer()",
    "vmsplice": "278, 1, buffer(), 1, 0",
    "move_pages": "279, 1, 0, 0, 0, 0, 0",
    "name_to_handle_at": "303, -100, text(b'/'), buffer(), buffer(), 0",
}
HOST_FILES = (
    "/etc/shadow",
    "/root/.bashrc",
    "/root/.ssh/id_rsa",
    "/home",
    "/work",
    "/var/lib/docker",
    "/var/lib/postgresql",
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/.dockerenv/x",
    "/sys/kernel/security",
    "/sys/fs/cgroup/memory/tasks",
    "/dev/mem",
    "/dev/kmsg",
    "/dev/sda",
    "/dev/vda",
    "/dev/fuse",
    "/dev/kvm",
    "/dev/net/tun",
    "/proc/kcore",
    "/proc/kallsyms",
    "/proc/keys",
    "/proc/cmdline",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/stat",
    "/proc/cpuinfo",
    "/proc/version",
    "/proc/modules",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/random/boot_id",
)
WRITES = (
    "/srv/signal/app.py",
    "/srv/signal/new",
    "/opt/dependencies/new",
    "/opt/dependencies/polars/__init__.py",
    "/opt/signalbox/signalbox/protocol.py",
    "/opt/signalbox/harness/loop.py",
    "/usr/lib/python3.11/os.py",
    "/usr/bin/new",
    "/etc/new",
    "/new",
    "/var/tmp/new",  # noqa: S108 - inside the sandbox, where it must fail
    "/run/new",
    "/dev/new",
    "/dev/shm/new",  # noqa: S108 - as above
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/1/uid_map",
    "/sys/fs/cgroup/cgroup.procs",
)
# jemalloc's is polars' own doing.
OURS = [*sorted(ENVIRONMENT), "_RJEM_MALLOC_CONF"]
OTHERS = (
    Probe("name service", "socket.getaddrinfo('example.com', 80)", ("gaierror", "EPERM")),
    Probe(
        "cloud metadata",
        "__import__('urllib.request').request.urlopen('http://169.254.169.254/', timeout=1)",
        ("URLError", "EPERM"),
    ),
    Probe("subprocess", "subprocess.run(['/usr/bin/python3.11', '-V'])", ("EPERM",)),
    Probe("daemonise", "os.fork() or os.setsid()", ("EPERM",)),
    Probe("lock a range", "fcntl.lockf(open('/tmp/lock', 'w'), fcntl.LOCK_EX)", ("EPERM",)),
    Probe("open-file lock", "fcntl.fcntl(open('/tmp/lock', 'w'), 37, bytes(32))", ("EPERM",)),
    Probe("take a lease", "fcntl.fcntl(open('/tmp/lock', 'w'), 1024, 1)", ("EPERM",)),
    Probe(
        "raise the limit of open files",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100_000, 100_000))",
        ("EPERM", "PermissionError", "ValueError"),
    ),
    Probe(
        "exhaust descriptors",
        "until_refused(lambda: kept.append(open('/dev/null')))",
        ("EMFILE",),
    ),
    Probe("sparse file", "os.ftruncate(os.open('/tmp/sparse', 65), 1 << 40)", ("EFBIG",)),
    Probe("signal all others", "os.kill(-1, 9)", ("ESRCH", "EPERM")),
    Probe("signal the parent's pid", "os.getppid()", ("0",)),
    Probe("see other processes", "','.join(p for p in os.listdir('/proc') if p.isdigit())", ("1",)),
    Probe("capabilities", "status('CapEff')", ("0000000000000000",)),
    Probe("capabilities to gain", "status('CapBnd')", ("0000000000000000",)),
    Probe("privileges to gain", "status('NoNewPrivs')", ("1",)),
    Probe("seccomp mode", "status('Seccomp')", ("2",)),
    Probe("identity", "os.getuid(), os.getgid()", ("(65534, 65534)",)),
    Probe("host name", "os.uname().nodename", ("sandbox",)),
    Probe("groups", "[g for g in os.getgroups() if g != 65534]", ("[]",)),
    Probe("network interfaces", "[n for _, n in socket.if_nameindex()]", ("EPERM",)),
    Probe("list /sys", "listed('/sys')", NOTHING_THERE),
    Probe("list /opt", "listed('/opt')", ("dependencies,signalbox",)),
    Probe("list /srv", "listed('/srv')", ("signal",)),
    Probe("list /tmp", "[n for n in os.listdir('/tmp') if n not in ('lock', 'sparse')]", ("[]",)),
    Probe(
        "descriptors of the host's",
        "[f for f in os.listdir('/proc/self/fd') if 2 < int(f) and int(f) not in (100, 101)"
        " and os.path.exists('/proc/self/fd/' + f)"
        " and not os.readlink('/proc/self/fd/' + f).startswith('/tmp/')]",
        ("[]",),
    ),
    Probe(
        "own environment",
        "sorted(n for n in os.environ if n not in " + repr(OURS) + ")",
        ("[]",),
    ),
    Probe(
        "environment of process 1",
        "[e for e in open('/proc/1/environ').read().split(chr(0))"
        " if e and e.partition('=')[0] not in " + repr(OURS) + "]",
        ("[]",),
    ),
)

PROBES: tuple[Probe, ...] = (
    *(Probe(f"socket {name}", f"socket.socket({a})", ("EPERM",)) for name, a in SOCKETS.items()),
    *(Probe(name, f"call({arguments})", REFUSED) for name, arguments in CALLS.items()),
    *(Probe(f"read {path}", f"read({path!r})", NOTHING_THERE) for path in HOST_FILES),
    *(Probe(f"write {path}", f"write({path!r})", NOT_WRITABLE) for path in WRITES),
    *OTHERS,
)


def app_source(probes: Iterable[Probe] = PROBES) -> str:
    """`app.py` of a model that tries them, prints the outcomes and answers `MANIFEST`."""
    table = [(probe.name, probe.source) for probe in probes]
    return f"{HELPERS}\nPROBES = {table!r}\n"


def outcomes(log: str) -> dict[str, str]:
    """Probe's name to what it ran into, from the model's log.

    >>> outcomes("probe fork = EPERM")
    {'fork': 'EPERM'}
    """
    return dict(re.findall(r"^probe (.+?) = (.*)$", log, re.MULTILINE))


def leaks(log: str, probes: Iterable[Probe] = PROBES) -> tuple[str, ...]:
    """What got through: `name: outcome` of each probe that did not run into its refusal."""
    found = outcomes(log)
    return tuple(
        f"{probe.name}: {found.get(probe.name, 'never tried')}"
        for probe in probes
        if found.get(probe.name) not in probe.expected
    )
