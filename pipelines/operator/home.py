"""Where an installation lives on one machine, and the environment of each process."""

import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import URL, make_url

from sql.clock import system_clock
from sql.embedded import write_secret
from sql.envelope import KeyRing, public_file
from sql.roles import ALL_ROLES, API, DAGSTER, GIT, LOG, OWNER, WORKER, new_secrets, role_url

CHECKOUT = Path(__file__).parents[2]
# Whose the signer's folder is where root runs the house: nothing else runs as this user.
SIGNER_UID = 64991
LOG_NAME = "signalbox.invalid"
DAGSTER_PARTS = ("dagster.yaml", "run_launcher.yaml")
# Dagster's grid begins so long before the installation: room for replays, chosen once.
PARTITIONS_BEFORE = timedelta(days=30)
# What of the operator's own environment every process may see.
PASSED_ON = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "UV_DEFAULT_INDEX", "UV_INDEX_URL",
             "DOCKER_HOST", "HTTPS_PROXY", "NO_PROXY", "SIGNALBOX_ZYGOTE_FOLDER")  # fmt: skip

# What of it the publisher may see besides: whom it asks to vouch for the log.
LOG_SETTINGS = ("SIGNALBOX_LOG_POLICY", "SIGNALBOX_LOG_REFRESH_MINUTES",
                "SIGNALBOX_LOG_TSA_URL", "SIGNALBOX_LOG_TSA_ROOTS")  # fmt: skip
# How people pay: the API and the nightly comparison ask.
PAYMENT_SETTINGS = ("SIGNALBOX_STRIPE_URL", "SIGNALBOX_STRIPE_KEY_FILE", "SIGNALBOX_GRACE_DAYS")
# And the API: how mail is sent, what people must have done, who tells it of payments, its limits.
API_SETTINGS = ("SIGNALBOX_STRIPE_WEBHOOK_SECRET_FILE", "SIGNALBOX_ALLOW_MANUAL_PAYMENTS",
                "SIGNALBOX_SMTP_URL", "SIGNALBOX_SMTP_PASSWORD_FILE", "SIGNALBOX_MAIL_FROM",
                "SIGNALBOX_CONFIRM_EMAIL", "SIGNALBOX_OPERATORS_NEED_TOTP",
                "SIGNALBOX_TERMS_VERSION", "SIGNALBOX_RATE_LIMITS", "SIGNALBOX_TRUSTED_PROXIES",
                "SIGNALBOX_DATABASE_CONNECTIONS")  # fmt: skip


def default_root(name: str) -> Path:
    """`/var/lib/signalbox/<name>` for root, else `~/.local/share/signalbox/<name>`.

    Not below root's home: the sandbox' user must be able to walk to the images.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/signalbox") / name
    return Path.home() / ".local" / "share" / "signalbox" / name


@dataclass(frozen=True)
class Ports:
    """Consecutive ports on the loopback address."""

    base: int = 8700

    @property
    def api(self) -> int:
        return self.base

    @property
    def git(self) -> int:
        return self.base + 1

    @property
    def dagster(self) -> int:
        return self.base + 2

    @property
    def code(self) -> int:
        return self.base + 3


@dataclass(frozen=True)
class Home:
    """One installation's folder, ports and further settings (SIGNALBOX_...)."""

    root: Path
    ports: Ports = field(default_factory=Ports)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def clock(self) -> Path:
        return self.root / "clock"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def git_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.git}"

    @property
    def dagster_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.dagster}"

    def prepare(self) -> None:
        """Make the folders and the secrets that are missing."""
        for folder in (self.root, self.logs, self.images, self.root / "git", self.dagster_home):
            folder.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        self.logs.chmod(0o700)
        (self.root / "git").chmod(0o700)
        self._prepare_signer()
        if not self._secret("api.key").exists():
            write_secret(self._secret("api.key"), secrets.token_urlsafe(48))
        if not self._secret("provenance.key").exists():
            write_secret(self._secret("provenance.key"), _new_signing_key())
        if not self.data_keys.exists():
            KeyRing.make(self.data_keys)
        passwords = new_secrets()
        for role in ALL_ROLES:
            if not self._secret(role).exists():
                write_secret(self._secret(role), passwords[role])
        if not self._first_partition.exists():
            earliest = system_clock() - PARTITIONS_BEFORE
            self._first_partition.write_text(f"{earliest:%Y-%m-%d}")
        parts = [(CHECKOUT / "deploy" / name).read_text() for name in DAGSTER_PARTS]
        (self.dagster_home / "dagster.yaml").write_text("\n".join(parts))

    def _prepare_signer(self) -> None:
        """Key and state are the signer's own affair: it makes them when it first starts."""
        self.signer.mkdir(mode=0o700, exist_ok=True)
        self.signer.chmod(0o700)
        if os.geteuid() == 0:
            os.chown(self.signer, SIGNER_UID, SIGNER_UID)
        if not self._log_origin.exists():
            # A name of its own for each installation: a name is for one history only.
            self._log_origin.write_text(f"{LOG_NAME}/{secrets.token_hex(4)}")

    @property
    def signer(self) -> Path:
        return self.root / "signer"

    @property
    def signer_socket(self) -> Path:
        return self.signer / "socket"

    @property
    def _log_origin(self) -> Path:
        return self.root / "log-origin"

    @property
    def dagster_home(self) -> Path:
        return self.root / "dagster"

    @property
    def _first_partition(self) -> Path:
        return self.root / "first-partition"

    @property
    def data_keys(self) -> Path:
        """The key pairs that data-source keys are sealed to: for run workers, not for the API."""
        return self._secret("data.keys")

    def _secret(self, name: str) -> Path:
        return self.root / "secrets" / name

    def keep_admin(self, admin: URL) -> None:
        """Keep where the database is, for commands beside the running processes."""
        write_secret(self._secret("database"), _text(admin))

    def admin(self) -> URL:
        """Where the database of the running installation is.

        Raises:
            RuntimeError: nothing was ever started here.
        """
        if not self._secret("database").exists():
            raise RuntimeError(
                f"no installation in {self.root}: start it with signalbox up, or name its folder"
                " with --home"
            )
        return make_url(self._secret("database").read_text())

    def passwords(self) -> dict[str, str]:
        """Password by role."""
        return {role: self._secret(role).read_text() for role in ALL_ROLES}

    def url(self, admin: URL, role: str) -> URL:
        """How a role connects to this installation's database."""
        return role_url(admin, role, self._secret(role).read_text())

    def keep_environment(self, admin: URL) -> None:
        """Keep the run workers' environment, for commands beside the running processes."""
        environment = self.environment(admin, WORKER)
        write_secret(self._secret("worker.json"), json.dumps(environment))

    def kept_environment(self) -> dict[str, str]:
        """The run workers' environment.

        Raises:
            RuntimeError: nothing was ever started here.
        """
        self.admin()
        kept: dict[str, str] = json.loads(self._secret("worker.json").read_text())
        return kept

    def owner_url(self, admin: URL) -> URL:
        return self.url(admin, OWNER)

    def environment(self, admin: URL, role: str) -> dict[str, str]:
        """The whole environment of a process that connects as `role`."""
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        ours = {
            "SIGNALBOX_HOME": str(self.root),
            "SIGNALBOX_API_URL": self.api_url,
            "SIGNALBOX_API_PORT": str(self.ports.api),
            "SIGNALBOX_GIT_URL": self.git_url,
            "SIGNALBOX_GIT_PORT": str(self.ports.git),
            "SIGNALBOX_PARTITIONS_START": self._first_partition.read_text(),
            "SIGNALBOX_CODE_HOST": "127.0.0.1",
            "SIGNALBOX_CODE_PORT": str(self.ports.code),
            **self.settings,
        }
        if role != DAGSTER:
            ours["SIGNALBOX_DATABASE_URL"] = _text(self.url(admin, role))
        if role == LOG:
            ours |= {name: os.environ[name] for name in LOG_SETTINGS if name in os.environ}
            ours["SIGNALBOX_SIGNER_SOCKET"] = str(self.signer_socket)
        if role in (API, WORKER):
            ours |= {name: os.environ[name] for name in PAYMENT_SETTINGS if name in os.environ}
        if role == API:
            ours |= {name: os.environ[name] for name in API_SETTINGS if name in os.environ}
            ours["SIGNALBOX_SECRET_KEY_FILE"] = str(self._secret("api.key"))
            ours["SIGNALBOX_DATA_PUBLIC_KEY_FILE"] = str(public_file(self.data_keys))
            ours["SIGNALBOX_DAGSTER_URL"] = os.environ.get(
                "SIGNALBOX_DAGSTER_URL", self.dagster_url
            )
        if role == GIT:
            ours["SIGNALBOX_REPOSITORIES"] = str(self.root / "git")
            ours["SIGNALBOX_PROVENANCE_KEY_FILE"] = str(self._secret("provenance.key"))
        if role == WORKER:
            ours["SIGNALBOX_DATA_KEY_FILE"] = str(self.data_keys)
        if role in (GIT, WORKER):
            ours["SIGNALBOX_IMAGE_STORE"] = str(self.images)
        if role in (WORKER, DAGSTER):
            ours["DAGSTER_HOME"] = str(self.dagster_home)
            ours["DAGSTER_POSTGRES_URL"] = _text(self.url(admin, DAGSTER))
        return {**passed, **ours, "PYTHONUNBUFFERED": "1"}

    def signer_environment(self) -> dict[str, str]:
        """The whole environment of the signer: no database, and nothing of anybody else's."""
        ours = {
            "SIGNALBOX_SIGNER_FOLDER": str(self.signer),
            "SIGNALBOX_SIGNER_SOCKET": str(self.signer_socket),
            "SIGNALBOX_LOG_ORIGIN": self._log_origin.read_text(),
        }
        shared = ("SIGNALBOX_ENVIRONMENT", "SIGNALBOX_DEMO_CLOCK")
        ours |= {name: self.settings[name] for name in shared if name in self.settings}
        return {"PATH": os.environ["PATH"], **ours, "PYTHONUNBUFFERED": "1"}


def _new_signing_key() -> str:
    key = Ed25519PrivateKey.generate()
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key.private_bytes(*form).decode()


def _text(url: URL) -> str:
    return make_url(url).render_as_string(hide_password=False)
