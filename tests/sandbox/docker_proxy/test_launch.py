"""Dagster through the proxy: its own launcher launches, and nothing but run workers."""

import json
import uuid

import dagster as dg
import docker
import pytest
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._grpc.types import ExecuteRunArgs
from dagster_docker import DockerRunLauncher
from dagster_shared.serdes import deserialize_value

RUN = str(uuid.uuid4())


def origin(job="tick", module="pipelines.definitions"):
    repository = RepositoryPythonOrigin(
        executable_path="/usr/bin/python3",
        code_pointer=ModuleCodePointer(module, "defs", "/srv/evil"),
        container_image=None,
        entry_point=["/usr/bin/python3", "-m", "dagster"],
        container_context=None,
    )
    return JobPythonOrigin(job_name=job, repository_origin=repository)


@pytest.fixture(scope="module")
def command():
    """What Dagster's launcher asks to run, with an instance of its own."""
    with dg.DagsterInstance.local_temp() as instance:
        args = ExecuteRunArgs(job_origin=origin(), run_id=RUN, instance_ref=instance.get_ref())
        return args.get_command_args()


@pytest.fixture
def body(proxy, command):
    """What docker-py makes of it."""
    return {
        "Image": proxy.policy["image"],
        "Cmd": list(command),
        "Env": ["DAGSTER_RUN_JOB_NAME=tick"],
        "Labels": {"dagster/run_id": RUN, "dagster/job_name": "tick"},
        "HostConfig": {"NetworkMode": proxy.policy["network"]},
        "NetworkingConfig": {proxy.policy["network"]: None},
        "Hostname": None, "Tty": False, "AttachStdout": False, "Volumes": None,
    }  # fmt: skip


@pytest.fixture
def create(proxy, asked):
    def ask(body):
        text = json.dumps(body)
        head = f"POST /v1.41/containers/create HTTP/1.1\r\nContent-Length: {len(text)}\r\n\r\n"
        return asked(proxy.launch, (head + text).encode())

    return ask


def test_dagsters_launcher_launches_through_it(proxy, direct, monkeypatch, tmp_path):
    """The image holds no Dagster: that the command was tried is what the daemon says."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{proxy.launch}")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        launcher = DockerRunLauncher(image=proxy.policy["image"], network=proxy.policy["network"])
        launcher.register_instance(instance)
        run = dg.DagsterRun(job_name="tick", run_id=RUN, job_code_origin=origin())
        args = ExecuteRunArgs(job_origin=origin(), run_id=RUN, instance_ref=instance.get_ref())
        instance.add_run(run)
        with pytest.raises(docker.errors.APIError, match="python3"):
            launcher._launch_container_with_command(
                run, proxy.policy["image"], args.get_command_args()
            )
        tagged = instance.get_run_by_id(RUN)
        assert tagged.tags["docker/container_id"]
        # Run workers go when they have ended, one that could not start as well.
        assert launcher.check_run_worker_health(tagged).status.value == "NOT_FOUND"
    label = f"signalbox.made_through={proxy.launch}"
    assert direct.containers(all=True, filters={"label": label}) == []


def test_a_run_worker_is_made_of_the_policy_alone(create, body, proxy, direct, launcher):
    status, said = create(body)
    assert status == 201, said
    made = json.loads(said)["Id"]
    try:
        found = direct.inspect_container(made)
        host, config = found["HostConfig"], found["Config"]
        assert config["User"] == "64982:64982"
        assert config["Env"] == ["DAGSTER_HOME=/srv/dagster", "DAGSTER_RUN_JOB_NAME=tick"]
        assert host["Binds"] == proxy.policy["binds"]
        assert host["CapDrop"] == ["ALL"]
        assert host["ReadonlyRootfs"] is True
        assert host["Privileged"] is False
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] == host["MemorySwap"] == 512 << 20
        assert host["NetworkMode"] == proxy.policy["network"]
        *command, argument = config["Cmd"]
        assert command == ["python3", "-m", "dagster", "api", "execute_run"]
        args = deserialize_value(argument, ExecuteRunArgs)
        assert args.run_id == RUN
        assert args.instance_ref is None
        pointer = args.job_origin.repository_origin.code_pointer
        assert pointer == ModuleCodePointer("pipelines.definitions", "defs", None)
        assert "/srv/evil" not in argument
        (listed,) = launcher.containers(all=True)
        assert listed["Id"] == made
        launcher.remove_container(made, force=True, v=True)
    except BaseException:
        direct.remove_container(made, force=True)
        raise
    with pytest.raises(docker.errors.NotFound):
        direct.inspect_container(made)


HOST_FIELDS = {
    "Privileged": True,
    "NetworkMode": "host",
    "Binds": ["/:/host"],
    "Mounts": [{"Type": "bind", "Source": "/", "Target": "/mnt"}],
    "Devices": [{"PathOnHost": "/dev/sda"}],
    "CapAdd": ["SYS_ADMIN"],
    "PidMode": "host",
    "IpcMode": "host",
    "UTSMode": "host",
    "UsernsMode": "host",
    "CgroupParent": "/",
    "VolumesFrom": ["0" * 64],
    "SecurityOpt": ["seccomp=unconfined"],
    "Sysctls": {"kernel.core_pattern": "|/x"},
    "Runtime": "other",
    "ExtraHosts": ["a:1.2.3.4"],
    "Init": True,
    "PortBindings": {"80/tcp": [{"HostPort": "80"}]},
    "Memory": 1 << 40,
    "PidsLimit": 100_000,
    "GroupAdd": ["0"],
    "Tmpfs": {"/etc": ""},
    "RestartPolicy": {"Name": "always"},
    "LogConfig": {"Type": "syslog"},
    "OomScoreAdj": -1000,
}


@pytest.mark.parametrize("name", HOST_FIELDS)
def test_a_run_worker_with_a_field_of_dagsters_choice_is_refused_by_its_name(create, body, name):
    body["HostConfig"][name] = HOST_FIELDS[name]
    status, said = create(body)
    assert status == 403
    assert f"HostConfig.{name}" in said


CHANGES = {
    "another image": {"Image": "signalbox/services:0.1.0"},
    "another user": {"User": "0:0"},
    "an entry point": {"Entrypoint": ["/bin/sh"]},
    "another command": {"Cmd": ["/bin/sh", "-c", "id"]},
    "a command before Dagster's": {"Cmd": ["env", "dagster", "api", "execute_run", "{}"]},
    "another of Dagster's commands": {"Cmd": ["dagster", "api", "grpc", "{}"]},
    "arguments after it": {"Cmd": ["dagster", "api", "execute_run", "{}", "-x"]},
    "no argument": {"Cmd": ["dagster", "api", "execute_run"]},
    "no command": {"Cmd": None},
    "LD_PRELOAD": {"Env": ["LD_PRELOAD=/x"]},
    "another instance": {"Env": ["DAGSTER_HOME=/tmp"]},
    "another network": {"NetworkingConfig": {"EndpointsConfig": {"edge": {}}}},
    "a second network": {"NetworkingConfig": {"EndpointsConfig": {"bridge": {}, "edge": {}}}},
    "an address": {"NetworkingConfig": {"EndpointsConfig": {"bridge": {"IPAMConfig": {"a": 1}}}}},
    "a volume": {"Volumes": {"/etc": {}}, "HostConfig": {"Binds": ["x:/etc"]}},
    "the proxy's own label": {"Labels": {"signalbox.made_through": "/x"}},
    "another run's label": {"Labels": {"dagster/run_id": str(uuid.uuid4())}},
    "a health check": {"Healthcheck": {"Test": ["CMD", "true"]}},
    "a field of another name": {"user": "0:0"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_another_run_worker_than_the_policys_is_refused(create, body, change):
    status, said = create(body | change)
    assert status == 403
    assert "refused by sandbox.docker_proxy" in said


@pytest.mark.parametrize(
    "change",
    [{"pipeline_run_id": "../x"}, {"pipeline_run_id": None}, {"__class__": "ResumeRunArgs"},
     {"pipeline_origin": None}, {"pipeline_origin": {"pipeline_name": "a b"}}],
)  # fmt: skip
def test_an_argument_that_names_no_run_is_refused(create, body, change):
    body["Cmd"][-1] = json.dumps(json.loads(body["Cmd"][-1]) | change)
    status, said = create(body)
    assert status == 403
    assert "Cmd" in said


@pytest.mark.parametrize(
    "line",
    ["POST /images/create?fromImage=evil&tag=latest", "POST /images/load", "GET /networks/bridge",
     "POST /containers/{ours}/exec", "POST /containers/{ours}/attach?stream=1", "GET /images/json",
     "POST /containers/create?name=api", "POST /build", "GET /containers/{ours}/logs?stdout=1",
     "POST /containers/{ours}/kill", "GET /info", "GET /events"],
)  # fmt: skip
def test_what_no_launcher_needs_is_refused(proxy, asked, line):
    method, target = line.format(ours="a" * 64).split(" ")
    status, said = asked(proxy.launch, f"{method} {target} HTTP/1.1\r\n\r\n".encode())
    assert status == 403
    assert "refused by sandbox.docker_proxy" in said


def test_a_pull_is_refused_with_what_to_do_instead(launcher):
    with pytest.raises(docker.errors.APIError, match="none is pulled: build it"):
        launcher.pull("evil")


def test_a_sandbox_is_out_of_dagsters_reach_and_a_run_worker_out_of_a_sandboxes(
    create, body, proxy, asked, direct
):
    made = json.loads(create(body)[1])["Id"]
    try:
        line = f"POST /containers/{made}/start HTTP/1.1\r\n\r\n".encode()
        status, said = asked(proxy.sandboxes, line)
        assert status == 403
        assert "was not made through the sandboxes socket" in said
    finally:
        direct.remove_container(made, force=True)
