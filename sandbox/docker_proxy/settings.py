"""Settings of the proxy's process."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from sql.configuration import ConfigurationError

UIDS = re.compile(r"[0-9]+(,[0-9]+)*")


class ProxySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read from the environment; see docs/operations/configuration.md."""

    sandbox_socket: str | None = None
    launch_socket: str | None = None
    launch_policy: str | None = None
    docker_socket: str = "/var/run/docker.sock"
    sandbox_uids: str = "64981,64982"
    launch_uids: str = "64983"
    socket_group: Annotated[int, Meta(ge=0)] | None = None
    sandbox_runtime: str | None = None
    proxy_connections: Annotated[int, Meta(ge=1, le=4096)] = 256


class LaunchPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run worker's container is made of: nothing of it is the caller's to choose.

    Attributes:
        image: of the platform, by tag or digest.
        network: the one it is in.
        user: `uid:gid`.
        command: how the image calls Dagster.
        environment: all its variables but the name of the job.
        binds: of the host's folders, `HOST:CONTAINER[:ro]`.
        groups: ids of further groups.
        memory_mb: MiB.
        cpus: cores; None: all.
        pids: processes and threads.
        tmp_mb: size of its /tmp, MiB.
        keeps: the container stays when it has ended, for its log.
    """

    image: str
    network: str
    user: str = "64982:64982"
    command: tuple[str, ...] = ("python3", "-m", "dagster")
    environment: dict[str, str] = {}
    binds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    memory_mb: Annotated[int, Meta(ge=64)] = 4096
    cpus: Annotated[float, Meta(gt=0)] | None = None
    pids: Annotated[int, Meta(ge=16)] = 1024
    tmp_mb: Annotated[int, Meta(ge=1)] = 512
    keeps: bool = False


def read_policy(settings: ProxySettings) -> LaunchPolicy:
    """The policy of the file that SIGNALBOX_LAUNCH_POLICY names.

    Raises:
        ConfigurationError: none is named, or it cannot be used.
    """
    if settings.launch_policy is None:
        raise ConfigurationError(
            "SIGNALBOX_LAUNCH_POLICY is not set: name the file that says what run workers are"
            " made of; see docs/operations/sandbox.md"
        )
    try:
        return msgspec.json.decode(Path(settings.launch_policy).read_bytes(), type=LaunchPolicy)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(
            f"SIGNALBOX_LAUNCH_POLICY: {settings.launch_policy}: {error}"
        ) from error


def uids_of(variable: str, text: str) -> frozenset[int]:
    """The numbers of users in a setting.

    Raises:
        ConfigurationError: it holds something else.

    >>> sorted(uids_of("SIGNALBOX_LAUNCH_UIDS", "3,5"))
    [3, 5]
    """
    if not UIDS.fullmatch(text):
        raise ConfigurationError(f"{variable}: {text!r} must be numbers of users, with commas")
    return frozenset(int(uid) for uid in text.split(","))
