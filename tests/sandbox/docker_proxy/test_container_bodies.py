"""What a run worker may have of Docker: a container of our own description, and no field more."""

import copy
import json
import secrets

import pytest

from sandbox.runner import seccomp
from sandbox.runner.docker_configuration import cold, tmp_option
from sandbox.runner.docker_zygote import PLACE, as_zygote
from sandbox.runner.limits import Limits
from sandbox.runner.zygote import LIMITS

DIGEST = "sha256:" + "0" * 64


def described(**host):
    """What a run worker sends, with HostConfig's fields replaced."""
    body = copy.deepcopy(cold(DIGEST, Limits(), "ada/x", 1_800_000_000))
    body["HostConfig"] |= host
    return body


def zygote(shown):
    return as_zygote(cold(DIGEST, LIMITS, "zygote", 1_800_000_000), shown)


def without(name):
    body = described()
    del body["HostConfig"][name]
    return body


OTHER_PROFILE = f"seccomp={json.dumps({'defaultAction': 'SCMP_ACT_ALLOW'})}"
HOST_FIELDS = {
    "Privileged": True,
    "NetworkMode": "host",
    "Binds": ["/:/tmp:ro"],
    "Mounts": [{"Type": "bind", "Source": "/", "Target": "/mnt"}],
    "Devices": [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda"}],
    "DeviceCgroupRules": ["a *:* rwm"],
    "DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}],
    "CgroupParent": "/",
    "CgroupnsMode": "host",
    "VolumesFrom": ["0" * 64],
    "PidMode": "host",
    "IpcMode": "host",
    "UTSMode": "host",
    "UsernsMode": "host",
    "Sysctls": {"kernel.core_pattern": "|/tmp/x"},
    "Runtime": "runsc",
    "ExtraHosts": ["a:1.2.3.4"],
    "Init": True,
    "CapAdd": ["SYS_ADMIN"],
    "CapDrop": [],
    "GroupAdd": ["0"],
    "ReadonlyRootfs": False,
    "MaskedPaths": [],
    "ReadonlyPaths": [],
    "OomScoreAdj": -1000,
    "OomKillDisable": True,
    "PublishAllPorts": True,
    "PortBindings": {"80/tcp": [{"HostPort": "80"}]},
    "Dns": ["1.2.3.4"],
    "Links": ["postgres"],
    "StorageOpt": {"size": "100G"},
    "ShmSize": 1 << 40,
    "RestartPolicy": {"Name": "always"},
    "AutoRemove": True,
    "LogConfig": {"Type": "syslog", "Config": {"syslog-address": "tcp://1.2.3.4"}},
    "Tmpfs": {PLACE: "rw,exec"},
    "Memory": 0,
    "MemorySwap": -1,
    "PidsLimit": -1,
    "NanoCpus": 0,
    "Ulimits": [],
    "CpuRealtimeRuntime": 950_000,
    "BlkioWeight": 1000,
    "Isolation": "default",
    "VolumeDriver": "local",
    "privileged": True,
    "SomethingNew": 1,
    "ReadonlyRootfs ": True,
}
BODIES = {
    "another filter": described(SecurityOpt=["no-new-privileges:true", OTHER_PROFILE]),
    "no filter": described(SecurityOpt=["no-new-privileges:true", "seccomp=unconfined"]),
    "a zygote's filter for a run": described(
        SecurityOpt=["no-new-privileges:true", seccomp.docker_zygote_option()]
    ),
    "privileges to gain": described(SecurityOpt=[seccomp.docker_option()]),
    "no AppArmor": described(
        SecurityOpt=["no-new-privileges:true", seccomp.docker_option(), "apparmor=unconfined"]
    ),
    "more memory than is ever given": described(Memory=1 << 40, MemorySwap=1 << 40),
    "half a megabyte": described(Memory=(64 << 20) + 1, MemorySwap=(64 << 20) + 1),
    "true for a number": described(Memory=True, MemorySwap=True),
    "a larger /tmp": described(Tmpfs={PLACE: tmp_option(9999)}),
    "a /tmp with more options": described(Tmpfs={PLACE: tmp_option(64) + ",exec"}),
    "no limit of processes": without("PidsLimit"),
    "no memory limit": without("Memory"),
    "no filter at all": without("SecurityOpt"),
    "another user": described() | {"User": "0:0"},
    "another command": described() | {"Cmd": ["/bin/sh"]},
    "an entry point": described() | {"Entrypoint": ["/bin/sh"]},
    "an image by name": described() | {"Image": "signalbox/platform:0.1.0"},
    "an image by a short digest": described() | {"Image": "sha256:0000"},
    "a health check": described() | {"Healthcheck": {"Test": ["CMD", "true"]}},
    "volumes": described() | {"Volumes": {"/data": {}}},
    "a network": described() | {"NetworkingConfig": {"EndpointsConfig": {"bridge": {}}}},
    "network enabled": described() | {"NetworkDisabled": False},
    "LD_PRELOAD": described() | {"Env": ["LD_PRELOAD=/tmp/x"]},
    "more labels": described() | {"Labels": described()["Labels"] | {"a": "b"}},
    "the proxy's own label": described()
    | {"Labels": described()["Labels"] | {"signalbox.made_through": "/x"}},
    "no labels": described() | {"Labels": {}},
    "a field of another name": described() | {"hostConfig": {"Privileged": True}},
    "a zygote in the host's root": zygote("/"),
    "a zygote beside its folder": zygote("/srv/zygote-1-aaaaaaaa/shown"),
    "a list": [],
}


def test_what_our_engine_sends_is_asked_of_the_daemon(proxy, asked):
    """Which has no such image: the refusals below are not for another reason."""
    for body in (described(), zygote(f"{proxy.zygotes}/zygote-1-aaaaaaaa/shown")):
        status, said = create(proxy, asked, body)
        assert status == 404
        assert "No such image" in said


@pytest.mark.parametrize("name", HOST_FIELDS)
def test_a_container_with_a_field_of_its_own_choice_is_refused_by_its_name(proxy, asked, name):
    status, said = create(proxy, asked, described(**{name: HOST_FIELDS[name]}))
    assert status == 403
    assert f"HostConfig.{name}" in said or "stands there twice" in said or name == "Binds"


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_container_other_than_our_engines_is_refused(proxy, asked, body):
    status, said = create(proxy, asked, body)
    assert status == 403
    assert "refused by sandbox.docker_proxy" in said


@pytest.mark.parametrize(
    "shown",
    ["zygote-1-aaaaaaaa/shown/../../..", "zygote-1-aaaaaaaa/../../shown", "zygote-1-aaaaaaaa",
     "zygote-1-aaaaaaaa/shown/x", "zygote-1-aaaa.aaa/shown", "../zygote-1-aaaaaaaa/shown",
     "zygote-1-aaaaaaaa/shown:/tmp:rw,", "zygote-1-aaaaaaaa/shown\n"],
)  # fmt: skip
def test_a_zygote_outside_its_own_folder_is_refused(proxy, asked, shown):
    status, said = create(proxy, asked, zygote(f"{proxy.zygotes}/{shown}"))
    assert status == 403
    assert "HostConfig.Binds" in said


def test_a_zygote_with_a_second_bind_or_a_writable_one_is_refused(proxy, asked):
    good = f"{proxy.zygotes}/zygote-1-aaaaaaaa/shown"
    for binds in ([f"{good}:/tmp:rw"], [f"{good}:/tmp"], [f"{good}:/tmp:ro", "/:/mnt:ro"],
                  [f"{good}:/tmp:ro,rshared"], [], [1], f"{good}:/tmp:ro"):  # fmt: skip
        body = zygote(good)
        body["HostConfig"]["Binds"] = binds
        assert create(proxy, asked, body)[0] == 403


def test_a_name_twice_in_a_body_is_refused(proxy, asked):
    """The first for the proxy, the second for the daemon."""
    text = json.dumps(described())
    for twice in (
        text.replace('"HostConfig": {', '"HostConfig": {"Privileged": true}, "HostConfig": {'),
        text.replace('"HostConfig": {', '"hostconfig": {"Privileged": true}, "HostConfig": {'),
        text.replace('"CapDrop": ["ALL"]', '"CapDrop": ["ALL"], "CapDrop": []'),
        text.replace('"CapDrop"', '"CapDrop": [], "Cap\\u0044rop"'),
        text.replace('"PidsLimit": 64', '"PidsLimit": NaN'),
        "[" * 100_000,
        text + text,
    ):
        assert twice != text
        status, _ = post(proxy, asked, "/containers/create", twice)
        assert status == 403


def test_what_is_refused_is_logged_without_its_body(proxy, asked):
    secret = secrets.token_hex(8)
    create(proxy, asked, described(Binds=[f"/{secret}:/tmp"]))
    create(proxy, asked, described(Sysctls={"kernel.x": secret}))
    log = proxy.log()
    assert "refused POST /containers/create: HostConfig.Sysctls" in log
    assert secret not in log


def create(proxy, asked, body):
    return post(proxy, asked, "/v1.41/containers/create", json.dumps(body))


def post(proxy, asked, path, text):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text.encode())}\r\n\r\n"
    return asked(proxy.sandboxes, (head + text).encode())
