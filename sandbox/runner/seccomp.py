"""The system calls a model may make, one profile for both engines.

`seccomp.json` is Docker's profile format, with a reason per group. Docker takes
it as it is; for bubblewrap libseccomp compiles the same rules to BPF.
"""

import errno
import json
import os
import socket
from functools import cache
from pathlib import Path
from typing import Any

PROFILE = Path(__file__).with_name("seccomp.json")

# What a zygote does before and while it forks, and its children before they install
# the profile on top: the stricter of two filters decides.
ZYGOTE_CALLS = (
    "clone",
    "mount",
    "capset",
    "prctl",
    "prlimit64",
    "setrlimit",
    "sendmsg",
    "recvmsg",
    "sendto",
    "recvfrom",
    "getsockopt",
    "getsockname",
    "pidfd_open",
    "fcntl",
    "setsid",
    "seccomp",
)


@cache
def docker_option() -> str:
    """The profile as a value of Docker's `SecurityOpt`."""
    return f"seccomp={json.dumps(_profile())}"


@cache
def docker_zygote_option() -> str:
    """As `docker_option`, with what a zygote needs: `ZYGOTE_CALLS`, and a local socket."""
    profile = _profile()
    kept = [
        rule | {"names": [name for name in rule["names"] if name not in ZYGOTE_CALLS]}
        for rule in profile["syscalls"]
    ]
    calling = {"index": 0, "value": socket.AF_UNIX, "valueTwo": 0, "op": "SCMP_CMP_EQ"}
    added = [
        {"names": [*ZYGOTE_CALLS, "connect"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [calling]},
    ]
    syscalls = [*(rule for rule in kept if rule["names"]), *added]
    return f"seccomp={json.dumps(profile | {'syscalls': syscalls})}"


@cache
def bpf_program(also: tuple[str, ...] = ()) -> bytes:
    """The profile as a BPF program, as `bwrap --seccomp` reads it.

    Args:
        also: calls that are allowed besides, with any arguments.

    Raises:
        RuntimeError: libseccomp is missing, or too old to know a call.
    """
    import pyseccomp  # noqa: PLC0415 - raises RuntimeError where libseccomp is missing

    program = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    # The whole process, not its thread only: a dead main thread would leave the others waiting.
    program.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    for rule in _profile()["syscalls"]:
        arguments = [_argument(pyseccomp, argument) for argument in rule.get("args", [])]
        for name in rule["names"]:
            if name not in also:
                program.add_rule(_action(pyseccomp, rule), name, *arguments)
    for name in also:
        program.add_rule(pyseccomp.ALLOW, name)
    fd = os.memfd_create("seccomp")
    with os.fdopen(fd, "r+b") as file:
        program.export_bpf(file)
        file.seek(0)
        return file.read()


def _profile() -> dict[str, Any]:
    profile: dict[str, Any] = json.loads(PROFILE.read_text())
    return profile


def _action(pyseccomp: Any, rule: dict[str, Any]) -> int:
    if rule["action"] == "SCMP_ACT_ALLOW":
        return int(pyseccomp.ALLOW)
    return int(pyseccomp.ERRNO(rule["errnoRet"]))


def _argument(pyseccomp: Any, argument: dict[str, Any]) -> Any:
    operator = getattr(pyseccomp, argument["op"].removeprefix("SCMP_CMP_"))
    return pyseccomp.Arg(argument["index"], operator, argument["value"], argument["valueTwo"])
