"""Each scan of `make check` finds what is planted for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(CHECKOUT / "deploy" / "scans"))

import audit  # noqa: E402
import forms  # noqa: E402
import licences  # noqa: E402


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image: postgres:15", "postgres:15 is pinned by tag, not by digest"),
        ("image: {repository: redis, tag: '7'}", "redis is pinned by tag, not by digest"),
        ("  privileged: true", "is privileged"),
        ('network_mode: "host"', "shares the host's network"),
        ("hostNetwork: true", "shares the host's network"),
        ("hostPID: true", "shares the host's processes"),
        ("- seccomp=unconfined", "has no seccomp filter"),
    ],
)
def test_what_no_deployment_may_say_is_found(text, said):
    assert list(forms.manifest_faults(f"a: b\n{text}\n")) == [said]


def test_images_by_digest_and_our_own_are_let_through():
    digest = "sha256:" + "5e" * 32
    text = f"image: grafana/grafana@{digest}\nimage: signalbox/platform:0.1.0\nimage: ${{IMAGE}}\n"
    text += "image:\n  repository: signalbox/platform\n"
    assert list(forms.manifest_faults(text)) == []
    dockerfile = f"FROM scratch AS one\nFROM one\nFROM debian@{digest}\nFROM ${{BASE}}\n"
    assert list(forms.base_faults(dockerfile)) == []
    assert list(forms.base_faults("FROM debian:12")) != []


def test_a_shell_script_that_does_not_parse_is_found(tmp_path, monkeypatch):
    (tmp_path / "broken.sh").write_text("#!/bin/sh\nif true; then\n")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    monkeypatch.setattr(forms, "CHECKOUT", tmp_path)
    (found,) = forms.faults()
    assert found.startswith("broken.sh: ")


@pytest.mark.parametrize(
    ("licence", "is_allowed"),
    [
        ("MIT", True), ("Apache-2.0 AND MIT", True), ("MIT OR GPL-3.0", True), ("GPL-3.0", False),
        ("MIT AND GPL-3.0", False), ("UNKNOWN", False), ("(MIT OR CC0-1.0)", True),
    ],
)  # fmt: skip
def test_only_licences_that_somebody_has_read_are_allowed(licence, is_allowed):
    assert licences.is_allowed("some-package", licence) is is_allowed


def test_a_secret_is_found_in_the_tree_and_in_history_after_it_was_removed(tmp_path):
    # Not written out, or it would be found here.
    secret = "ghp_" + "k3Jd9Qm2Xv7Lp5Rt8Wz1Yb4Nc6Hf0Gs3Ae2U"
    shutil.copyfile(CHECKOUT / ".gitleaks.toml", tmp_path / ".gitleaks.toml")
    file = tmp_path / "settings.py"
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    file.write_text(f'TOKEN = "{secret}"\n')
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    assert leaks("dir", tmp_path)
    file.unlink()
    subprocess.run([*git, "commit", "-qam", "y"], cwd=tmp_path, check=True)
    assert not leaks("dir", tmp_path)
    assert leaks("git", tmp_path)


def leaks(where, folder):
    done = subprocess.run(
        [BIN / "gitleaks", where, "--no-banner", "."], cwd=folder, check=False, capture_output=True
    )
    return done.returncode != 0


def test_an_audit_without_its_database_is_not_taken_for_a_clean_one(monkeypatch, capsys):
    # A proxy where nobody listens: no registry is reached, whichever is configured.
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    assert audit.run(strict=True) == audit.UNREACHED
    assert capsys.readouterr().out.count("NOT RUN") == 2
    assert audit.run(strict=False) == 0
