"""`python -m sandbox.docker_proxy`: what sandboxes and launches may ask of Docker."""

import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path

from sandbox.docker_proxy.daemon import Daemon
from sandbox.docker_proxy.launch import Launch
from sandbox.docker_proxy.sandboxes import Sandboxes
from sandbox.docker_proxy.server import Door
from sandbox.docker_proxy.settings import ProxySettings, read_policy, uids_of
from sandbox.runner.docker_zygote import folder
from sql import logs
from sql.configuration import ConfigurationError, read_settings

logger = logging.getLogger("signalbox.docker_proxy")
NO_SYMLINKS = 0x2000  # ST_NOSYMFOLLOW of Linux, from 5.10 on


def doors(settings: ProxySettings) -> list[tuple[Door, Path]]:
    """The sockets that the settings name, each with its rules.

    Raises:
        ConfigurationError: they name none, or what they need is unusable.
    """
    daemon = Daemon(settings.docker_socket)
    made = []
    if settings.sandbox_socket is not None:
        warn_of_links(folder())
        path = Path(settings.sandbox_socket)
        rules = Sandboxes(daemon, path, folder(), settings.sandbox_runtime)
        uids = uids_of("SIGNALBOX_SANDBOX_UIDS", settings.sandbox_uids)
        door = Door(daemon, rules, uids, settings.proxy_connections)
        made.append((door, path))
    if settings.launch_socket is not None:
        path = Path(settings.launch_socket)
        launch = Launch(daemon, path, read_policy(settings))
        uids = uids_of("SIGNALBOX_LAUNCH_UIDS", settings.launch_uids)
        door = Door(daemon, launch, uids, settings.proxy_connections)
        made.append((door, path))
    if not made:
        raise ConfigurationError("set SIGNALBOX_SANDBOX_SOCKET, SIGNALBOX_LAUNCH_SOCKET, or both")
    return made


def warn_of_links(zygotes: Path) -> None:
    """Say so where the daemon would follow a run worker's symbolic link out of its folder."""
    try:
        flags = os.statvfs(zygotes).f_flag
    except OSError as error:
        raise ConfigurationError(f"SIGNALBOX_ZYGOTE_FOLDER: {error}") from error
    if not flags & NO_SYMLINKS:
        logger.warning(
            "%s is not mounted with nosymfollow: who takes a run worker over could show a sandbox"
            " other folders of the host, read-only; see docs/operations/sandbox.md", zygotes,
        )  # fmt: skip


async def serve(settings: ProxySettings) -> None:
    """Listen until told to stop."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as opened:
        for door, path in doors(settings):
            await opened.enter_async_context(door.opened(path, settings.socket_group))
            logger.info("listening at %s", path)
        await stopped.wait()


if __name__ == "__main__":
    logs.begin("docker-proxy")
    asyncio.run(serve(read_settings(ProxySettings)))
