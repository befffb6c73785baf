"""What a sandbox' container is made of, in the words of Docker's API.

The engine sends it, and `sandbox.docker_proxy` lets nothing else pass: both are held to
one description. That of a zygote's container is `docker_zygote.as_zygote`, made from it.
"""

from typing import Any

from sandbox.runner import seccomp
from sandbox.runner.image import (
    COMMAND,
    ENVIRONMENT,
    HOSTNAME,
    MASKED_DIRECTORIES,
    MASKED_FILES,
    SOURCE,
)
from sandbox.runner.limits import FILE_BYTES, OPEN_FILES, Limits

LABEL = "signalbox.sandbox"
DEADLINE_LABEL = "signalbox.deadline"
MODEL_ID = 65_534
TMP_INODES = 1024
MIB = 1024 * 1024
# The engine binds its own into every container: the host's name servers are none of a model's.
MASKED_ETC = ("/etc/hosts", "/etc/resolv.conf")


def cold(
    digest: str, limits: Limits, label: str, deadline: int, runtime: str | None = None
) -> dict[str, Any]:
    """The body of `POST /containers/create` for one run.

    Args:
        digest: the image's id, `sha256:...`.
        limits: of the run.
        label: whose it is, for people and for the reaper.
        deadline: when the reaper may take it for a leftover, in seconds since 1970.
        runtime: OCI runtime; the daemon's default otherwise.
    """
    return {
        "Image": digest,
        "Entrypoint": [],
        "Cmd": list(COMMAND),
        "Env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
        "WorkingDir": SOURCE,
        "User": f"{MODEL_ID}:{MODEL_ID}",
        "Hostname": HOSTNAME,
        "NetworkDisabled": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "Labels": {LABEL: label, DEADLINE_LABEL: str(deadline)},
        "HostConfig": _host(limits) | ({} if runtime is None else {"Runtime": runtime}),
    }


def tmp_option(tmp_mb: int) -> str:
    """How its /tmp is mounted, of so many MiB."""
    # Owned by the model's user: runc gives it the mode of the image's /tmp.
    return (
        f"rw,nosuid,nodev,noexec,size={tmp_mb}m,nr_inodes={TMP_INODES},"
        f"uid={MODEL_ID},gid={MODEL_ID}"
    )


def _host(limits: Limits) -> dict[str, Any]:
    memory = limits.memory_mb * MIB
    return {
        "NetworkMode": "none",
        "IpcMode": "none",
        "CgroupnsMode": "private",
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true", seccomp.docker_option()],
        "PidsLimit": limits.pids,
        "Memory": memory,
        "MemorySwap": memory,
        "NanoCpus": int(limits.cpu * 1_000_000_000),
        "Ulimits": [
            {"Name": "nofile", "Soft": OPEN_FILES, "Hard": OPEN_FILES},
            {"Name": "fsize", "Soft": FILE_BYTES, "Hard": FILE_BYTES},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "Tmpfs": {"/tmp": tmp_option(limits.tmp_mb)},  # noqa: S108 - the sandbox's own
        "LogConfig": {"Type": "none", "Config": {}},
        "MaskedPaths": [*MASKED_FILES, *MASKED_DIRECTORIES, *MASKED_ETC, "/proc/net", "/sys"],
        "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
        "RestartPolicy": {"Name": "no"},
    }
