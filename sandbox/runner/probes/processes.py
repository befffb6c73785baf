"""Processes: neighbours, parents, the limits and the identity of one's own."""

from sandbox.runner.image import ENVIRONMENT
from sandbox.runner.probes.probe import NOTHING_THERE, REFUSED, Holds, Probe, value

# jemalloc's is polars' own doing.
OURS = [*sorted(ENVIRONMENT), "_RJEM_MALLOC_CONF"]
NONE = "0000000000000000"
NO_NETWORK = Holds("refused", ("gaierror", "URLError", "EPERM"))
EXECUTABLE_TMP = "files in its /tmp can be executed"

NETWORK = (
    Probe("name service", "socket.getaddrinfo('example.com', 80)", NO_NETWORK),
    Probe(
        "cloud metadata",
        "__import__('urllib.request').request.urlopen('http://169.254.169.254/', timeout=1)",
        NO_NETWORK,
    ),
    Probe(
        "connect to the cloud metadata address",
        "socket.create_connection(('169.254.169.254', 80), 1)",
        NO_NETWORK,
    ),
    Probe(
        "connect to the Docker socket",
        "socket.socket(socket.AF_UNIX).connect('/run/docker.sock')",
        REFUSED,
    ),
    Probe("bind an abstract name", "socket.socket(socket.AF_UNIX).bind(chr(0) + 'x')", REFUSED),
    Probe("network interfaces", "[n for _, n in socket.if_nameindex()]", REFUSED),
)
STARTING = (
    Probe("subprocess", "subprocess.run(['/usr/bin/python3.11', '-V'])", REFUSED),
    Probe("daemonise", "os.fork() or os.setsid()", REFUSED),
    Probe("multiprocessing", "__import__('multiprocessing').Process().start()", REFUSED),
    Probe("load a library from /tmp", "loaded_from_tmp()", REFUSED, EXECUTABLE_TMP),
    Probe("map a file of /tmp to execute it", "mapped_from_tmp()", REFUSED, EXECUTABLE_TMP),
)
LOCKS = (
    Probe("lock a range", "fcntl.lockf(open('/tmp/lock', 'w'), fcntl.LOCK_EX)", REFUSED),
    Probe("open-file lock", "fcntl.fcntl(open('/tmp/lock', 'w'), 37, bytes(32))", REFUSED),
    Probe("take a lease", "fcntl.fcntl(open('/tmp/lock', 'w'), 1024, 1)", REFUSED),
    Probe("lock own code", "fcntl.flock(open('/srv/signal/app.py'), fcntl.LOCK_SH)", REFUSED),
    Probe(
        "lock a shared dependency",
        "fcntl.flock(open('/opt/dependencies/polars/__init__.py'), fcntl.LOCK_EX)",
        REFUSED,
    ),
    Probe(
        "lease on a shared dependency",
        "fcntl.fcntl(open('/opt/dependencies/polars/__init__.py'), 1024, 0)",
        REFUSED,
    ),
)
LIMITS = (
    Probe(
        "raise the limit of open files",
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100_000, 100_000))",
        Holds("refused", ("EPERM", "PermissionError", "ValueError")),
    ),
    Probe(
        "lower own chance to be killed for memory",
        "spare_from_oom()",
        Holds("refused", ("EACCES", "EPERM", "EROFS")),
    ),
    Probe(
        "exhaust descriptors",
        "until_refused(lambda: kept.append(open('/dev/null')))",
        Holds("stopped at the limit", ("EMFILE",)),
    ),
    Probe(
        "sparse file",
        "os.ftruncate(os.open('/tmp/sparse', 65), 1 << 40)",
        Holds("stopped at the limit", ("EFBIG",)),
    ),
)
NEIGHBOURS = (
    Probe("signal all others", "os.kill(-1, 9)", Holds("nobody there", ("ESRCH", "EPERM"))),
    Probe("the parent's number", "os.getppid()", value("0")),
    Probe("own number", "os.getpid()", value("1")),
    Probe(
        "see other processes", "','.join(p for p in os.listdir('/proc') if p.isdigit())", value("1")
    ),
    Probe("find processes by number in /proc", "found_in_proc()", NOTHING_THERE),
    Probe("find processes by signalling each number", "found_by_signal()", NOTHING_THERE),
    Probe("memory of the parent", "read('/proc/0/mem')", NOTHING_THERE),
    Probe("parts of another process in /proc", "parts_of_others()", NOTHING_THERE),
    Probe("enter namespaces through /proc", "entered_namespaces()", NOTHING_THERE),
    Probe("own descriptors that are no pipe or file", "odd_descriptors()", NOTHING_THERE),
    Probe("descriptors of process 1 beyond one's own", "foreign_descriptors()", NOTHING_THERE),
    Probe(
        "descriptors of the host's",
        "foreign_files()",
        NOTHING_THERE,
    ),
    Probe(
        "own environment",
        f"sorted(n for n in os.environ if n not in {OURS!r})",
        NOTHING_THERE,
    ),
    Probe(
        "environment of process 1",
        "[e for e in open('/proc/1/environ').read().split(chr(0))"
        f" if e and e.partition('=')[0] not in {OURS!r}]",
        NOTHING_THERE,
    ),
    Probe(
        "command line of the host's", "open('/proc/1/cmdline').read().count('/var/')", value("0")
    ),
)
IDENTITY = (
    Probe("capabilities", "status('CapEff')", Holds("none", (NONE,))),
    Probe("capabilities to gain", "status('CapBnd')", Holds("none", (NONE,))),
    Probe("capabilities to inherit", "status('CapInh')", Holds("none", (NONE,))),
    Probe("ambient capabilities", "status('CapAmb')", Holds("none", (NONE,))),
    Probe("privileges to gain", "status('NoNewPrivs')", Holds("none", ("1",))),
    Probe("seccomp mode", "status('Seccomp')", Holds("filtered", ("2",))),
    Probe("identity", "os.getuid(), os.getgid()", Holds("nobody", ("(65534, 65534)",))),
    Probe("host name", "os.uname().nodename", value("sandbox")),
    Probe("groups", "[g for g in os.getgroups() if g != 65534]", NOTHING_THERE),
)
UNSTOPPABLE = (
    Probe("read the clock", "time.time() > 0 and 'done'", REFUSED, "the clock can be read"),
    Probe(
        "execute memory of one's own",
        "mmap.mmap(-1, 4096, prot=7) and 'done'",
        REFUSED,
        "its own memory can be executed",
    ),
)

# Neighbours first: a fork that was refused leaves the pipes it was to use.
PROBES = (*NEIGHBOURS, *IDENTITY, *NETWORK, *LOCKS, *LIMITS, *STARTING, *UNSTOPPABLE)
