"""A zygote from bubblewrap, on a socket that it inherits."""

import contextlib
import socket
import subprocess
import tempfile

from sandbox.runner import bubblewrap
from sandbox.runner.cgroup import Cgroup
from sandbox.runner.errors import SandboxUnavailableError
from sandbox.runner.image import COMMAND, SOURCE, Image
from sandbox.runner.zygote import END_SECONDS, MakeGroup, Zygote

NAME = "embedded"
START_SECONDS = 30.0


class EmbeddedBody:
    """A bubblewrap process in its cgroup."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", control: socket.socket, group: Cgroup | None
    ) -> None:
        self._process = process
        self._group = group
        self.control = control

    def end(self) -> None:
        """See `Body.end`; process 1 has been killed by its own pidfd."""
        self.control.close()
        try:
            self._process.wait(END_SECONDS)  # it collects process 1, then ends
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._group is not None:
            self._group.remove()


def start(image: Image, seccomp: bytes, group: Cgroup | None, make_group: MakeGroup) -> Zygote:
    """A zygote with the image's base and dependencies; takes `group` over.

    Args:
        image: which; its source is not shown.
        seccomp: the zygote's filter.
        group: for the zygote itself.
        make_group: for its keepers.

    Raises:
        SandboxUnavailableError: it did not come up; carries what it said.
        OSError: the host has no room for it.
    """
    with contextlib.ExitStack() as undo:
        if group is not None:
            undo.callback(group.remove)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        undo.callback(ours.close)
        said = undo.enter_context(tempfile.TemporaryFile())
        with theirs:
            process = _spawn(image, seccomp, theirs.fileno(), said.fileno())
        undo.callback(process.wait)
        undo.callback(process.kill)
        if group is not None:
            group.add(process.pid)
        _open_gate(process)
        ours.settimeout(START_SECONDS)
        try:
            zygote = Zygote(EmbeddedBody(process, ours, group), make_group)
        except OSError as error:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines() or [str(error)]
            raise SandboxUnavailableError(
                NAME,
                f"could not start a zygote: {lines[-1]}",
                "Check that user namespaces are allowed (sysctl user.max_user_namespaces) "
                "and that the image can be read by the sandboxes' user",
            ) from error
        undo.pop_all()
        said.close()
    return zygote


def _spawn(
    image: Image, seccomp: bytes, control_fd: int, said_fd: int
) -> "subprocess.Popen[bytes]":
    with contextlib.ExitStack() as passed:
        filter_fd = bubblewrap.program_fd(seccomp, passed)
        return subprocess.Popen(
            [
                *("sh", "-c", bubblewrap.GATE, "sh"),
                *("prlimit", "--nofile=1024", "--core=0"),
                *("bwrap", *bubblewrap.namespaces(filter_fd)),
                *bubblewrap.root(image),
                # Its /proc stays unmasked: the kernel lets no child mount one otherwise.
                *("--dir", SOURCE, "--dir", "/tmp", "--tmpfs", "/dev/pts", "--remount-ro"),  # noqa: S108
                *("/dev/pts", *bubblewrap.READ_ONLY),
                *bubblewrap.environment(),
                *("--", *COMMAND, "--zygote", str(control_fd)),
            ],
            stdin=subprocess.PIPE,
            stdout=said_fd,
            stderr=said_fd,
            env={},
            cwd="/",
            pass_fds=[filter_fd, control_fd],
            start_new_session=True,
            user=bubblewrap.host_id(),
            group=bubblewrap.host_id(),
            extra_groups=None if bubblewrap.host_id() is None else [],
        )


def _open_gate(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.write(b"\n")
        process.stdin.close()
