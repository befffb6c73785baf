"""`python3.11 -s -P -B -m harness --zygote`: forks a harness per run.

Theory of operation: the zygote imports the libraries once, runs nothing of any
provider's, and waits on a control socket. For each message there, which carries
one descriptor (a leash to the host), it forks a keeper.

A **keeper** stays in one cgroup, into which the host puts it before its first run,
and serves run after run, one at a time: each message on its leash carries the
descriptors of `FDS`. It forks the model straight into new namespaces, where the
model inherits the cgroup, waits for it, and tells how it ended and what it took. A
word on the leash, or its end, kills the model; so does the keeper's own death.

The **model** is process 1 of its pid namespace; `forked` encloses it. Whoever
holds the control socket can fork; when it closes the zygote ends, and as process
1 of its own namespace it takes all others with it. The zygote never runs a polars
query: a child forked after one hangs.
"""

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from .forked import enclose, rehearse, serve
from .kernel import die_with_parent, fork_into_namespaces, map_ids

# The heavy libraries that providers lock and that start no thread while they are
# imported, with the parts that they would import at their first use. Absent ones are
# left out.
PRELOADED = (
    *("numpy", "numpy.fft", "numpy.linalg", "numpy.ma", "numpy.random", "polars"),
    *("pandas", "scipy.optimize", "scipy.stats", "sklearn.linear_model", "sklearn.ensemble"),
    *("msgspec", "signalbox", "secrets", "uuid", "zoneinfo"),
)

READY, KEEPER, FORK, RUN, KILL = b"ready", b"keeper", b"fork", b"run", b"kill"
RUNNING, ENDED, FAILED = b"running", b"ended ", b"failed "
FDS = ("stdin", "stdout", "stderr", "run")
MESSAGE_BYTES = 16


def main(address: str) -> None:
    """Fork a keeper per message until the host closes the control socket.

    Args:
        address: number of an inherited socket's descriptor, or the path to connect to.
    """
    _preload()
    # Keepers that nobody waits for vanish by themselves.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = _connected(address)
    socket.send_fds(control, [READY], [os.pidfd_open(os.getpid())])
    while True:
        message, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
        if not message:
            return
        if len(fds) == 1 and os.fork() == 0:
            control.close()
            _keep(socket.socket(fileno=fds[0]))
        for fd in fds:
            os.close(fd)


def _connected(address: str) -> socket.socket:
    if address.isdecimal():
        return socket.socket(fileno=int(address))
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(address)
    return control


def _preload() -> None:
    from . import loop, streams  # noqa: F401, PLC0415 - what every run needs

    for name in PRELOADED:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    rehearse()
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page


def _keep(leash: socket.socket) -> NoReturn:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        own = os.pidfd_open(os.getpid())
        socket.send_fds(leash, [KEEPER], [own])
        while True:
            message, fds, _, _ = socket.recv_fds(leash, MESSAGE_BYTES, len(FDS))
            if not message:
                break
            # A KILL for a run that has ended meanwhile is none of the next one's.
            if message == RUN and len(fds) == len(FDS):
                _run(leash, fds, own)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the host is told
        _tell_failure(leash, error)
    os._exit(0)


def _run(leash: socket.socket, fds: list[int], keeper: int) -> None:
    ids = os.getuid(), os.getgid()  # the child has none before they are mapped
    try:
        pid = fork_into_namespaces()
    except OSError as error:
        _tell_failure(leash, error)
        leash.send(ENDED + b"1 0 0")
    else:
        if pid == 0:
            _become_model(leash, fds, keeper, ids)
        _wait(leash, pid)
    # 0, 1 and 2 stay open here until now: a model that closes its own has not ended, and
    # is missed for its silence.
    for fd in fds:
        os.close(fd)


def _wait(leash: socket.socket, pid: int) -> None:
    model = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(model, select.POLLIN)
    poll.register(leash, select.POLLIN)
    while model not in (ready := dict(poll.poll())):
        if leash.fileno() in ready:
            leash.recv(MESSAGE_BYTES)
            os.kill(pid, signal.SIGKILL)
            poll.unregister(leash)
    os.close(model)
    _, status, took = os.wait4(pid, 0)
    cpu_us = round((took.ru_utime + took.ru_stime) * 1e6)
    code = os.waitstatus_to_exitcode(status)
    leash.send(ENDED + f"{code} {cpu_us} {took.ru_maxrss}".encode())


def _become_model(
    leash: socket.socket, fds: list[int], keeper: int, ids: tuple[int, int]
) -> NoReturn:
    try:
        die_with_parent()
        poll = select.poll()
        poll.register(keeper)
        if poll.poll(0):  # it was dead before the line above
            os._exit(1)
        *stdio, run_fd = fds
        map_ids(*ids)
        enclose(run_fd, stdio, leash.fileno(), RUNNING)
    except BaseException as error:  # noqa: BLE001 - as above
        _tell_failure(leash, error)
        os._exit(1)
    try:
        serve()
    except BaseException:  # noqa: BLE001 - as the interpreter would: to the log, status 1
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _tell_failure(leash: socket.socket, error: BaseException) -> None:
    # Written, not sent: the model's filter knows no sockets.
    with contextlib.suppress(OSError):
        os.write(
            leash.fileno(),
            FAILED + f"{type(error).__name__}: {error}"[:1000].encode(errors="replace"),
        )
