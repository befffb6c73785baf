"""Documents tell the truth about the tree."""

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from api.settings import ApiSettings, ListenSettings
from assets.transparency.publisher.settings import PublisherSettings
from assets.transparency.signer.settings import SignerSettings
from pipelines.exporter.settings import ExporterSettings
from pipelines.operator.backup.settings import ArchiveSettings, BackupSettings
from pipelines.settings import WorkerSettings
from sandbox.docker_proxy.settings import ProxySettings
from sandbox.git import limits
from sandbox.git.settings import GitSettings
from sql.configuration import PREFIX
from sql.logs import LogSettings
from sql.traces import TraceSettings

SETTINGS = (
    ApiSettings, ListenSettings, WorkerSettings, GitSettings, SignerSettings, PublisherSettings,
    ExporterSettings, ArchiveSettings, BackupSettings, ProxySettings, LogSettings, TraceSettings,
)  # fmt: skip
CHECKOUT = Path(__file__).parents[2]
PATH = re.compile(r"`([a-z_.]+/[A-Za-z0-9_./-]*)`")
DOCUMENTS = [
    "ARCHITECTURE.md", "README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/operations/faults.md",
]  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document):
    named = PATH.findall((CHECKOUT / document).read_text())
    paths = [path for path in named if not path.startswith("signals/")]  # those are asset keys
    missing = [path for path in paths if not (CHECKOUT / path).exists()]
    assert missing == []


def test_every_setting_is_documented_and_every_documented_setting_is_read():
    documented = set(
        re.findall(
            r"^\| `(SIGNALBOX_[A-Z_]+)`",
            (CHECKOUT / "docs/operations/configuration.md").read_text(),
            re.MULTILINE,
        )
    )
    read = {
        PREFIX + field.name.upper()
        for settings in SETTINGS
        for field in msgspec.structs.fields(settings)
    }
    code = "\n".join(
        (CHECKOUT / path).read_text()
        for path in subprocess.run(
            ["git", "ls-files", "*.py", "*.yaml", ".ci/run"],
            cwd=CHECKOUT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
    )
    assert read - documented == set()
    assert {name for name in documented - read if name not in code} == set()


def test_the_limits_of_a_push_are_documented_as_they_are():
    table = (CHECKOUT / "docs/operations/publishing.md").read_text()
    for row in (
        f"| refs in a push | {limits.MAX_REFS}:",
        f"| commands of a push | {limits.MAX_COMMAND_BYTES // 1024} KiB |",
        f"| pack | {limits.MAX_PACK_BYTES // limits.MB} MB |",
        f"| body | {limits.MAX_BODY_BYTES // limits.MB} MB,",
        f"| commits in a push | {limits.MAX_COMMITS_PER_PUSH:,} |",
        f"| commits in a repository | {limits.MAX_COMMITS:,} |",
        f"| size of a repository | {limits.MAX_REPOSITORY_BYTES // limits.MB} MB |",
        f"| repositories of a provider | {limits.MAX_REPOSITORIES} |",
        f"| pushes at once | {limits.MAX_PUSHES},",
        f", of one provider {limits.MAX_PUSHES_PER_PROVIDER} |",
        f"| memory of each git process | {limits.GIT_MEMORY_BYTES // limits.MB} MiB ",
        f"| CPU time of each git process | {limits.GIT_CPU_SECONDS} s |",
        f"| file written by git | {limits.GIT_FILE_BYTES // limits.MB} MiB |",
        f"| wrong keys from one address | {limits.MAX_WRONG_KEYS} a minute |",
    ):
        assert row in table


def test_every_make_target_of_the_readme_exists():
    named = set(re.findall(r"`?make ([a-z-]+)", (CHECKOUT / "README.md").read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert named <= targets
