"""What Dagster may ask: run workers, all of one description.

Dagster's launcher hands a run worker the instance to report to, as names of classes and
their configuration: enough to run anything. What is handed on instead says "as in
DAGSTER_HOME", and takes nothing from the caller but the run's id and its job's name.
"""

import json
import re
import uuid
from pathlib import Path
from typing import Any

from sandbox.docker_proxy.daemon import Daemon
from sandbox.docker_proxy.documents import read_document, require_within
from sandbox.docker_proxy.errors import RefusedError
from sandbox.docker_proxy.http import Request
from sandbox.docker_proxy.rules import CONTAINER, FLAG, Answered, Owned, Route, create
from sandbox.docker_proxy.settings import LaunchPolicy

NAME = "launch"
MIB = 1024 * 1024
MODULE = "pipelines.definitions"
JOB = re.compile(r"[A-Za-z0-9_]{1,200}")
CLASSES = {"execute_run": "ExecuteRunArgs", "resume_run": "ResumeRunArgs"}
JOB_VARIABLE = "DAGSTER_RUN_JOB_NAME"
ARGUMENT_BYTES = 100_000


class Launch:
    """The rules of Dagster's socket."""

    name = NAME

    def __init__(self, daemon: Daemon, socket: Path, policy: LaunchPolicy) -> None:
        self._daemon = daemon
        self._policy = policy
        self.owned = Owned(daemon, NAME, socket)
        one = f"/containers/{CONTAINER}"
        self.routes = (
            Route("GET", "/_ping"),
            Route("GET", "/version"),
            Route("POST", "/containers/create", shape="answered", handler=self._create,
                  takes_body=True),
            Route("POST", "/images/create", {"fromImage": ".*", "tag": ".*", "platform": ".*"},
                  shape="answered", handler=self._pull),
            Route("GET", "/containers/json", {
                "limit": "-1", "all": FLAG, "size": "0", "trunc_cmd": FLAG, "filters": ".{1,1000}",
            }, shape="answered", handler=self._list),
            Route("POST", f"{one}/start"),
            Route("GET", f"{one}/json"),
            Route("POST", f"{one}/stop", {"t": "[0-9]{1,4}"}),
            Route("POST", f"{one}/wait", {"condition": "removed|not-running"}),
            Route("DELETE", one, {"v": FLAG, "force": FLAG, "link": "0|[Ff]alse"}),
        )  # fmt: skip

    async def _create(self, _: re.Match[str], __: Request, body: bytes) -> Answered:
        return await create(self._daemon, self.owned, self.judged(read_document(body)))

    async def _pull(self, *_: object) -> Answered:
        raise RefusedError(
            "image", f"{self._policy.image} is not here, and none is pulled: build it"
        )

    async def _list(self, _: re.Match[str], request: Request, __: bytes) -> Answered:
        shown = {"all": request.query.get("all", "0"), "filters": self.owned.filters()}
        return await self._daemon.ask("GET", "/containers/json", shown)

    def judged(self, given: dict[str, Any]) -> dict[str, Any]:
        """The description of the policy, for the run that `given` names.

        Raises:
            RefusedError: `given` wants anything else.
        """
        job, run, command = self._command(given.get("Cmd"))
        expected = self._described(job, run, command)
        asked = dict(given)
        asked["Cmd"] = command
        # Docker writes a folder that is bound as a volume, too; it says nothing more.
        volumes: dict[str, Any] = {bind.split(":")[1]: {} for bind in self._policy.binds}
        self._judge_networks(asked.pop("NetworkingConfig", None))
        if asked.get("Image") != self._policy.image:
            raise RefusedError("Image", "must be the platform's")
        for variable in asked.pop("Env", None) or ():
            if variable not in expected["Env"]:
                raise RefusedError("Env", "is not what this socket is for: leave it out")
        require_within(asked, expected | {"Volumes": volumes})
        return expected

    def _command(self, given: Any) -> tuple[str, str, list[str]]:
        """Job, run, and the command that is handed on for them."""
        if (
            not isinstance(given, list)
            or len(given) < 4  # noqa: PLR2004 - dagster api execute_run ARGUMENT
            or not all(isinstance(part, str) for part in given)
            or given[-4] != "dagster"
            or given[:-4] not in ([], [*given[:-5], "-m"])
            or given[-3] != "api"
            or given[-2] not in CLASSES
            or len(given[-1]) > ARGUMENT_BYTES
        ):
            raise RefusedError("Cmd", "must be dagster api execute_run ARGUMENT")
        told = read_document(given[-1].encode())
        kind = CLASSES[given[-2]]
        origin, run = told.get("pipeline_origin"), told.get("pipeline_run_id")
        job = origin.get("pipeline_name") if isinstance(origin, dict) else None
        if told.get("__class__") != kind or not isinstance(run, str) or not _is_uuid(run):
            raise RefusedError("Cmd, pipeline_run_id", f"must be of a run, in {kind}")
        if not isinstance(job, str) or not JOB.fullmatch(job):
            raise RefusedError("Cmd, pipeline_name", "must be a job's name")
        argument = json.dumps(_argument(kind, job, run))
        return job, run, [*self._policy.command, "api", given[-2], argument]

    def _judge_networks(self, given: Any) -> None:
        if given is None:
            return
        named = given.get("EndpointsConfig", given) if isinstance(given, dict) else None
        if not isinstance(named, dict) or any(
            name != self._policy.network or settings not in (None, {})
            for name, settings in named.items()
        ):
            raise RefusedError("NetworkingConfig", "must name the platform's network alone")

    def _described(self, job: str, run: str, command: list[str]) -> dict[str, Any]:
        policy = self._policy
        environment = policy.environment | {JOB_VARIABLE: job}
        host = {
            "NetworkMode": policy.network,
            "Binds": list(policy.binds),
            "GroupAdd": list(policy.groups),
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": f"rw,nosuid,nodev,size={policy.tmp_mb}m,mode=1777"},  # noqa: S108
            "Memory": policy.memory_mb * MIB,
            "MemorySwap": policy.memory_mb * MIB,
            "PidsLimit": policy.pids,
            "IpcMode": "private",
            "AutoRemove": not policy.keeps,
            "RestartPolicy": {"Name": "no"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        }
        if policy.cpus is not None:
            host["NanoCpus"] = int(policy.cpus * 1e9)
        return {
            "Image": policy.image,
            "Cmd": command,
            "User": policy.user,
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Labels": {"dagster/run_id": run, "dagster/job_name": job} | self.owned.label,
            "HostConfig": host,
        }


def _argument(kind: str, job: str, run: str) -> dict[str, Any]:
    """What Dagster's command reads; the instance is that of DAGSTER_HOME."""
    pointer = {
        "__class__": "ModuleCodePointer",
        "fn_name": "defs",
        "module": MODULE,
        "working_directory": None,
    }
    repository = {
        "__class__": "RepositoryPythonOrigin",
        "code_pointer": pointer,
        "container_context": None,
        "container_image": None,
        "entry_point": ["dagster"],
        "executable_path": "python3",
    }
    origin = {
        "__class__": "PipelinePythonOrigin",
        "pipeline_name": job,
        "repository_origin": repository,
    }
    return {
        "__class__": kind,
        "instance_ref": None,
        "pipeline_origin": origin,
        "pipeline_run_id": run,
        "set_exit_code_on_failure": None,
    }


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
