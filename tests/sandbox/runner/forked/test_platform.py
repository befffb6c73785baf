"""Forking by a process of its own: one that is killed, and one of an ordinary user."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.runner import cgroup
from sandbox.runner.forked_engine import ForkedEngine
from sandbox.runner.image import Image
from sandbox.runner.run import Feed
from sandbox.runner.zygote import is_readable

ImageFactory = Callable[[dict[str, str]], Image]

CHECKOUT = Path(__file__).parents[4]
PASSERBY = 64_991


def _script(image: Image, body: str, choice: str = "embedded") -> list[str]:
    places = {name: str(getattr(image, name)) for name in ("base", "dependencies", "source")}
    prelude = f"""
        import json, os, sys, time
        sys.path[:0] = {[str(CHECKOUT), str(CHECKOUT / "sandbox/sdk/src")]!r}
        from datetime import UTC, datetime
        from pathlib import Path
        from sandbox.runner import probes
        from sandbox.runner.engine import available_engine
        from sandbox.runner.image import Image
        from sandbox.runner.limits import Limits
        from sandbox.runner.run import Feed, run_cold
        from sandbox.runner.zygote import host_pid
        from signalbox import parse_manifest
        places = {{name: Path(path) for name, path in json.loads({json.dumps(places)!r}).items()}}
        image = Image({image.digest!r}, **places)
        engine = available_engine({choice!r}, path="forked")
        """
    return [sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(body)]


def test_when_the_platform_dies_zygotes_and_runs_die_with_it(
    engine: ForkedEngine, honest: Image
) -> None:
    body = """
        run = engine.launch(image, Limits(), "ada/x v1.0.0")
        zygote = next(iter(engine.zygotes._by_key.values()))
        pids = [host_pid(fd) for fd in (run._keeper._pidfd, zygote._pidfd)]
        group = run._keeper.group and run._keeper.group.name
        print(json.dumps([pids, group, str(getattr(zygote._body, "_directory", ""))]), flush=True)
        time.sleep(60)
        """
    with subprocess.Popen(_script(honest, body, engine.name), stdout=subprocess.PIPE) as platform:
        assert platform.stdout is not None
        pids, group, directory = json.loads(platform.stdout.readline())
        pidfds = [os.pidfd_open(pid) for pid in pids]
        platform.kill()
        assert all(is_readable(pidfd, 5) for pidfd in pidfds)
    for pidfd in pidfds:
        os.close(pidfd)
    if directory:  # the reaper's as well
        shutil.rmtree(directory)
    for left in cgroup.existing(cgroup.families()):
        if left.name == group:  # the reaper's, at its deadline
            assert left.pids() == []
            left.remove()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_forks_as_tightly(
    throwaway_image: ImageFactory, feed: Callable[..., Feed]
) -> None:
    from sandbox.runner import probes  # noqa: PLC0415

    image = throwaway_image({"app.py": probes.app_source()})
    hog = throwaway_image({"app.py": "def forecast(window): return len(b'x' * (2 << 30))"})
    body = f"""
        feed = Feed(datetime(2026, 1, 5, tzinfo=UTC), {{"PROBE": sys.stdin.buffer.read()}}, None)
        manifest = parse_manifest(probes.MANIFEST)
        tried = run_cold(engine, image, manifest, "signalbox/probe v1.0.0", feed)
        hog = Image("sha256:1", image.base, image.dependencies, Path({str(hog.source)!r}))
        hogged = run_cold(engine, hog, manifest, "signalbox/probe v1.0.0", feed)
        engine.close()
        lacks = engine.guarantees().lacks
        print(json.dumps([str(tried.missed), probes.leaks(tried.log, lacks), str(hogged.missed)]))
        """
    told = subprocess.run(
        _script(image, body),
        input=feed().tables["EURUSD"],
        capture_output=True,
        user=PASSERBY,
        group=PASSERBY,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        check=False,
    )
    assert told.returncode == 0, told.stderr.decode()
    missed, leaks, hogged = json.loads(told.stdout)
    assert (missed, leaks) == ("None", [])
    assert hogged.startswith("out_of_memory")
