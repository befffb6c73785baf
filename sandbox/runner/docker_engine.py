"""Sandboxes from Docker's HTTP API: one new container each.

Theory of operation: create, attach, start; stdin goes down the attached
connection and stdout and stderr come back up it, interleaved in chunks with an
8-byte header each. No log driver, no volume, no network: the frames are the
only way in or out. Whatever happens, the container is removed by force.
"""

import time
from datetime import datetime
from typing import Any

from sandbox.runner import docker_zygote
from sandbox.runner.docker_client import NAME, connected, our_faults, remove
from sandbox.runner.docker_configuration import DEADLINE_LABEL, LABEL, cold
from sandbox.runner.docker_sandbox import DockerSandbox
from sandbox.runner.engine import EngineName, Guarantees, RunPath
from sandbox.runner.errors import ImageAbsentError
from sandbox.runner.image import Image
from sandbox.runner.limits import Limits
from sandbox.runner.zygote import LIMITS, MakeGroup, Zygote


class DockerEngine:
    """Starts sandboxes as containers.

    Args:
        runtime: OCI runtime such as `runsc`; the engine's default otherwise.
        client: a docker-py `APIClient`; one from the environment otherwise.
    """

    path: RunPath = "cold"

    def __init__(self, *, runtime: str | None = None, client: Any = None) -> None:
        self._runtime = runtime
        self._client = client or connected()

    @property
    def name(self) -> EngineName:
        return NAME

    def launch(self, image: Image, limits: Limits, label: str) -> "DockerSandbox":
        """Start the image's harness; see `Engine.launch`."""
        with our_faults(image.digest):
            created = self._client.create_container_from_config(
                self._configuration(image, limits, label)
            )
            container = str(created["Id"])
            try:
                return DockerSandbox(self._client, container, label, limits)
            except BaseException:
                remove(self._client, container)
                raise

    def check(self, image: Image) -> None:
        """Raise ImageAbsentError where the source that a zygote's child is given is missing."""
        if not image.source.is_dir():
            raise ImageAbsentError(NAME, image.digest, f"{image.source} is not a directory")

    def start_zygote(self, image: Image, make_group: MakeGroup) -> Zygote:
        """A zygote of its dependencies; see `ForkedEngine`."""
        configuration = self._configuration(image, LIMITS, "zygote")
        with our_faults(image.digest):
            return docker_zygote.start(self._client, configuration, make_group)

    def reap(self, now: datetime) -> tuple[str, ...]:
        """Remove labelled containers past their deadline."""
        docker_zygote.reap_directories(now)
        reaped = []
        with our_faults("(all images)"):
            found = self._client.containers(all=True, filters={"label": LABEL})
            for container in found:
                deadline = container["Labels"].get(DEADLINE_LABEL, "0")
                if not deadline.isdecimal() or int(deadline) < now.timestamp():
                    remove(self._client, container["Id"])
                    reaped.append(str(container["Labels"][LABEL]))
        return tuple(reaped)

    def guarantees(self) -> Guarantees:
        """What holds under Docker."""
        gvisor = self._runtime == "runsc"
        return Guarantees(
            holds=(
                "no network of any kind: no interface and no socket call",
                "no process but the model's own threads: fork is refused",
                "no host file; the image is read-only",
                "its /tmp is private, sized, without execution, and gone afterwards",
                "no capability, no privilege to gain, user 65534, own namespaces",
                "memory, processes and CPU limited by a cgroup",
                "one deadline per step, enforced from outside",
                *(("the model talks to gVisor's kernel, not to the host's",) if gvisor else ()),
            ),
            lacks=(
                "no user namespace unless the daemon runs with userns-remap",
                *(
                    ()
                    if gvisor
                    else (
                        "the kernel is shared: a hole in one of its 150 allowed calls is a way out",
                    )
                ),
                "the clock can be read",
                "its own memory can be executed (compilers need it), under the same filter",
            ),
        )

    def close(self) -> None:
        """Close the connections to the engine."""
        self._client.close()

    def _configuration(self, image: Image, limits: Limits, label: str) -> dict[str, Any]:
        deadline = int(time.time() + limits.lifetime_seconds)
        return cold(image.digest, limits, label, deadline, self._runtime)
