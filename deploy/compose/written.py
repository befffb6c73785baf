"""What prepare.py writes of a deployment: settings for Compose, Dagster and the socket proxy."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
DOCKER_SOCKET = Path("/var/run/docker.sock")
HTTPS = 443
WORKER = 64982
WORKER_MB = 4096


@dataclass(frozen=True)
class Deployment:
    """What this deployment was told."""

    folder: Path
    project: str
    site: str
    tls: str
    http_port: int
    https_port: int
    subnet: str
    market_source: str
    environment: str
    allowed: tuple[str, ...]
    authorities: Path | None
    version: str
    log_origin: str
    first_partition: str

    @property
    def is_internal(self) -> bool:
        return self.tls == "internal"

    @property
    def is_trial(self) -> bool:
        return self.environment != "production"

    @property
    def host(self) -> str:
        return re.sub(r"^https://|[:/].*$", "", self.site)

    @property
    def image(self) -> str:
        return f"signalbox/platform:{self.version}"

    @property
    def network(self) -> str:
        return f"{self.project}-internal"

    @property
    def url(self) -> str:
        port = "" if self.https_port == HTTPS else f":{self.https_port}"
        return f"{self.site.rstrip('/')}{port}"


def environment_file(deployment: Deployment) -> str:
    """What Compose reads: no secret is in it."""
    files = [HERE / "compose.yaml"]
    if deployment.authorities is not None:
        files.append(HERE / "authorities.yaml")
    if deployment.is_trial:
        files.append(HERE / "trial.yaml")
    values = {
        "COMPOSE_PROJECT_NAME": deployment.project,
        "COMPOSE_FILE": ":".join(map(str, files)),
        "SIGNALBOX_VERSION": deployment.version,
        "SIGNALBOX_FOLDER": deployment.folder,
        "SIGNALBOX_SITE": deployment.site,
        "SIGNALBOX_HOST": deployment.host,
        "SIGNALBOX_TLS": deployment.tls,
        "SIGNALBOX_HSTS_SECONDS": 0 if deployment.is_internal else 31_536_000,
        "SIGNALBOX_HTTP_PORT": deployment.http_port,
        "SIGNALBOX_HTTPS_PORT": deployment.https_port,
        "SIGNALBOX_SUBNET": deployment.subnet,
        "SIGNALBOX_API_URL": deployment.url,
        "SIGNALBOX_ENVIRONMENT": deployment.environment,
        "SIGNALBOX_LOG_ORIGIN": deployment.log_origin,
        "SIGNALBOX_AUTHORITIES": deployment.authorities or "",
        "SIGNALBOX_DOCKER_GROUP": DOCKER_SOCKET.stat().st_gid,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def worker(deployment: Deployment) -> dict[str, str]:
    """The environment of code server and run workers: one list, for both see the same."""
    place, own = deployment.folder, deployment.folder / "secrets" / "worker"
    values = {
        "SIGNALBOX_ENVIRONMENT": deployment.environment,
        "SIGNALBOX_DATABASE_URL": "postgresql+psycopg://signalbox_worker@postgres:5432/signalbox",
        "SIGNALBOX_DATABASE_PASSWORD_FILE": str(own / "signalbox_worker"),
        "DAGSTER_HOME": str(place / "dagster"),
        "DAGSTER_POSTGRES_URL": "postgresql+psycopg2://signalbox_dagster@postgres:5432/dagster",
        "DAGSTER_POSTGRES_PASSWORD_FILE": str(own / "signalbox_dagster"),
        "SIGNALBOX_IMAGE_STORE": str(place / "images"),
        "SIGNALBOX_ZYGOTE_FOLDER": str(place / "zygotes"),
        "SIGNALBOX_DATA_KEY_FILE": str(own / "data.keys"),
        "SIGNALBOX_SANDBOX_ENGINE": "docker",
        "SIGNALBOX_SANDBOX_PATH": "forked",
        "SIGNALBOX_MARKET_SOURCE": deployment.market_source,
        "SIGNALBOX_PARTITIONS_START": deployment.first_partition,
        "SIGNALBOX_API_URL": deployment.url,
        "SIGNALBOX_LOG_FORMAT": "json",
        "DOCKER_HOST": f"unix://{place}/sockets/sandboxes/docker.sock",
        "HTTPS_PROXY": "http://egress:8888",
        "NO_PROXY": "localhost,127.0.0.1",
    }
    if deployment.is_trial:
        values["SIGNALBOX_DEMO_CLOCK"] = str(place / "clock" / "now")
        values["SIGNALBOX_SCHEDULE_CRON"] = "* * * * *"
    return values


def worker_mounts(deployment: Deployment) -> list[str]:
    """What a run worker sees of the folder."""
    place = deployment.folder
    writable = ["images", "zygotes", "dagster/logs", "dagster/storage"]
    mounts = [f"{place}/{name}:{place}/{name}" for name in writable]
    read = ["secrets/worker", "sockets/sandboxes", "dagster/dagster.yaml"]
    if deployment.is_trial:
        read.append("clock")
    mounts += [f"{place}/{name}:{place}/{name}:ro" for name in read]
    if deployment.authorities is not None:
        mounts.append(f"{deployment.authorities}:/etc/ssl/certs/ca-certificates.crt:ro")
    return mounts


def launch_policy(deployment: Deployment) -> str:
    """What a run worker is made of: the socket proxy makes it so, whatever Dagster asks."""
    policy = {
        "image": deployment.image,
        "network": deployment.network,
        "user": f"{WORKER}:{WORKER}",
        "environment": worker(deployment),
        "binds": worker_mounts(deployment),
        "memory_mb": WORKER_MB,
    }
    return json.dumps(policy, indent=2) + "\n"


def dagster_yaml(deployment: Deployment) -> str:
    """Dagster's instance: that of every deployment, with a container for each run."""
    launcher = {
        "module": "dagster_docker",
        "class": "DockerRunLauncher",
        "config": {
            "image": deployment.image,
            "network": deployment.network,
            # All else is the socket proxy's to say: launch.json.
            "container_kwargs": {"auto_remove": True, "stop_timeout": 60},
        },
    }
    logs = {
        "module": "dagster.core.storage.local_compute_log_manager",
        "class": "LocalComputeLogManager",
        "config": {"base_dir": str(deployment.folder / "dagster/logs")},
    }
    storage = {
        "module": "dagster.core.storage.root",
        "class": "LocalArtifactStorage",
        "config": {"base_dir": str(deployment.folder / "dagster/storage")},
    }
    ours = {"run_launcher": launcher, "compute_logs": logs, "local_artifact_storage": storage}
    # JSON is YAML.
    parts = [f"{name}: {json.dumps(value, indent=2)}\n" for name, value in ours.items()]
    shared = (CHECKOUT / "deploy" / "dagster.yaml").read_text()
    return shared + "\n" + "\n".join(parts)
