"""Talking to Docker's daemon: its address, its errors as ours, removing for good."""

import contextlib
import os
import socket
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from sandbox.runner.engine import EngineName
from sandbox.runner.errors import DiskFullError, ImageAbsentError, SandboxUnavailableError

NAME: EngineName = "docker"
DEFAULT_HOST = "unix:///var/run/docker.sock"
API_SECONDS = 30
REMEDY = "Start Docker (systemctl start docker), or choose the embedded engine"
RETRY = "Run the slot again"


def connected() -> Any:
    """A client of the daemon that the environment names.

    Raises:
        SandboxUnavailableError: it does not answer.
    """
    with our_faults("(no image yet)"):
        _knock()
        client = docker.APIClient(
            version="auto", timeout=API_SECONDS, **docker.utils.kwargs_from_env()
        )
        client.ping()
    return client


def remove(client: Any, container: str) -> None:
    """End and remove it; harmless when it is gone."""
    try:
        client.remove_container(container, force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:  # somebody else is removing it
            raise


@contextlib.contextmanager
def our_faults(digest: str) -> Iterator[None]:
    """Turn what the daemon refuses into errors of ours."""
    try:
        yield
    except ImageNotFound as error:
        raise ImageAbsentError(NAME, digest, str(error.explanation)) from error
    except NotFound as error:
        raise SandboxUnavailableError(NAME, "somebody removed the container", RETRY) from error
    except APIError as error:
        if "no space left" in str(error).lower():
            raise DiskFullError(NAME, str(error.explanation)) from error
        if "no such image" in str(error).lower():
            raise ImageAbsentError(NAME, digest, str(error.explanation)) from error
        raise SandboxUnavailableError(NAME, str(error), "See the Docker daemon's log") from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise SandboxUnavailableError(NAME, f"does not answer: {error}", REMEDY) from error


def _knock() -> None:
    """Connect to a local daemon's socket ourselves: docker-py leaks one that does not answer."""
    host = os.environ.get("DOCKER_HOST", DEFAULT_HOST)
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(API_SECONDS)
            knocking.connect(host.removeprefix("unix://"))
