"""The provider's kit on a machine without the platform: a fresh environment, the sdk alone."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from sandbox.registry.examined import sandboxes
from sandbox.runner.embedded_engine import EmbeddedEngine
from sandbox.runner.errors import SandboxUnavailableError
from signalbox import parse_manifest
from signalbox.testing import made_up_past
from signalbox.testing.plain import plain_processes


class Kit:
    """A provider's shell: their own home, folder and configuration."""

    def __init__(self, bin_: Path, home: Path) -> None:
        self.bin, self.home, self.folder = bin_, home, home / "work"
        self.folder.mkdir(parents=True)

    def __call__(self, *command: str, given: str = "", folder: Path | None = None, **environment):
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=folder or self.folder,
            env={
                "PATH": f"{self.bin}:{os.environ['PATH']}",
                "HOME": str(self.home),
                "GIT_CONFIG_NOSYSTEM": "1",
                **environment,
            },
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def signalbox(self, *arguments: str, **options):
        return self("signalbox", *arguments, **options)


@pytest.fixture(scope="module")
def shell(kit, tmp_path_factory) -> Kit:
    shell = Kit(kit, tmp_path_factory.mktemp("provider"))
    made = shell.signalbox("init", "demo")
    assert made.returncode == 0, made.stderr
    return shell


@pytest.fixture
def demo(shell, tmp_path) -> Path:
    """A copy of what `init` wrote."""
    subprocess.run(["cp", "-r", str(shell.folder / "demo"), str(tmp_path)], check=True)
    return tmp_path / "demo"


def test_the_sdk_is_installed_without_the_platform(shell):
    assert shell("python", "-c", "import signalbox.harness, signalbox.testing").returncode == 0
    for module in ("sandbox", "dagster", "psycopg", "litestar"):
        assert shell("python", "-c", f"import {module}").returncode == 1
    assert (Path(shell.bin).parent / "lib/python3.11/site-packages/signalbox/py.typed").is_file()


def test_what_init_writes_passes_check_test_and_its_own_pytest(shell, demo):
    assert shell.signalbox("check", folder=demo).returncode == 0
    tested = shell.signalbox("test", "--strict", "--json", folder=demo)
    assert tested.returncode == 0, tested.stderr
    found = json.loads(tested.stdout)
    assert (found["ok"], found["is_sandbox"]) == (True, False)
    assert (found["deterministic"], found["carries_state"]) == (True, False)
    assert found["leak_report"]["verdict"] == "same"
    assert len(found["forecasts"]) == 336 * 3
    assert shell("python", "-m", "pytest", "-q", folder=demo).returncode == 0


def test_init_makes_one_commit_tagged_v0_1_0_on_main(demo):
    def git(*arguments):
        done = subprocess.run(
            ["git", *arguments], cwd=demo, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert git("branch", "--show-current") == "main"
    assert git("rev-parse", "main") == git("rev-parse", "v0.1.0^{commit}")
    assert git("status", "--porcelain") == ""


def test_an_own_runner_says_that_it_is_not_the_sandbox(shell, demo):
    said = shell.signalbox("test", folder=demo)
    assert "run in         a plain process: NOT the sandbox." in said.stdout


def test_a_peeking_model_is_shown_its_rows_and_fails_when_strict(shell, demo):
    app = demo / "app.py"
    app.write_text(app.read_text().replace(".log().diff()", ".log().diff().shift(-2)"))
    app.write_text(app.read_text().replace("mean[-1], deviation[-1]", "mean[-3], deviation[-3]"))
    said = shell.signalbox("test", folder=demo)
    assert said.returncode == 0
    assert (
        "forecast_history looks 2 h ahead, as shift(-2) or a centred window of 5 or 6 h"
        in said.stdout
    )
    assert shell.signalbox("test", "--strict", folder=demo).returncode == 1


BROKEN = {
    "no module": ("import nowhere\n", "ModuleNotFoundError", "pip install -r requirements.txt"),
    "an error": ("def forecast(w):\n    return 1 / 0\n", "ZeroDivisionError", "line 3"),
    "no answer": ("def forecast(w):\n    return []\n", "invalid: EURUSD 1 h is missing", ""),
    "an exit": ("import os\ndef forecast(w):\n    os._exit(3)\n", "ended with status 3", ""),
    "a print of its own": (
        "import os\ndef forecast(w):\n    os.write(1, b'x' * 99)\n    return 7\n",
        "returned int, not a list",
        "xxx",
    ),
    "no end": ("def forecast(w):\n    while True: pass\n", "timeout: no answer within 1 s", ""),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_model_that_does_not_answer_is_told_why_with_its_log(shell, demo, what):
    source, reason, log = BROKEN[what]
    (demo / "app.py").write_text("def forecast(w): ...\n" + source)
    manifest = demo / "signal.toml"
    manifest.write_text(manifest.read_text().replace("_seconds = 20", "_seconds = 1"))
    said = shell.signalbox("test", folder=demo)
    assert said.returncode == 1
    assert "Error: app.py: no valid forecast: " in said.stderr
    assert reason in said.stderr
    assert log in said.stderr


REFUSED = {
    ("signal.toml", "trial_days = 14", "trial_days = 31"): "offer.trial_days",
    ("requirements.txt", "polars>=1.30", "-e ."): "requirements.txt line 1: options are not taken",
    ("app.py", "def forecast(window)", "def forecast(:"): "app.py line 17: ",
    (
        "app.py",
        "def forecast(window)",
        "def predict(window)",
    ): "defines no forecast(window); add it",
}


@pytest.mark.parametrize("change", REFUSED, ids=[change[2] for change in REFUSED])
def test_check_refuses_what_the_gate_would_and_names_the_place(shell, demo, change):
    name, old, new = change
    file = demo / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    said = shell.signalbox("check", folder=demo)
    assert said.returncode == 1
    assert REFUSED[change] in said.stderr


def test_own_bars_are_read_from_csv_and_what_is_wrong_with_them_is_said(shell, demo, tmp_path):
    bars = tmp_path / "bars"
    bars.mkdir()
    file = bars / "EURUSD.csv"
    lines = [
        f"2026-01-{1 + h // 24:02d}T{h % 24:02d}:00Z,1,2,0.5,{1 + h % 7 / 100}" for h in range(400)
    ]
    file.write_text("ts_open,open,high,low,close\n" + "\n".join(lines))
    tested = shell.signalbox("test", "--bars", str(bars), "--json", folder=demo)
    assert tested.returncode == 0, tested.stderr
    assert json.loads(tested.stdout)["leak_report"]["bars"] == "bars of bars"
    for text, fault in {
        "ts_open,open\n2026-01-01T00:00Z,1\n": "no column high; it has ts_open, open",
        "ts_open,open,high,low,close\n"
        + "\n".join(lines[:9]): "9 hours of bars of bars are too few",
        "ts_open,open,high,low,close\n7,1,2,1,1\n": "ts_open is Int64, not a time such as",
        "ts_open,open,high,low,close\n" + f"{lines[0]}\n" * 2: "one hour twice",
    }.items():
        file.write_text(text)
        said = shell.signalbox("test", "--bars", str(bars), folder=demo)
        assert said.returncode == 1
        assert fault in said.stderr


WRONG_USE = {
    ("init", "Demo"): (2, "'Demo' is not 3 to 40 of a-z"),
    ("init", "demo"): (1, "demo is there already"),
    ("login",): (2, "give the platform's address"),
    ("login", "http://ada:secret@127.0.0.1:9"): (2, "give the platform's address"),
    ("login", "http://127.0.0.1:9", "--stdin"): (3, "does not answer"),
    ("push", "0.1.0"): (2, "vMAJOR.MINOR.PATCH"),
    ("versions", "--signal", "ada/demo"): (1, "not logged in; call `signalbox login URL` first"),
    ("check", "/"): (1, "signal.toml is missing: a signal has both files"),
}


@pytest.mark.parametrize("arguments", WRONG_USE, ids=" ".join)
def test_a_command_used_wrongly_says_what_to_do_and_exits_with_its_code(shell, arguments):
    status, words = WRONG_USE[arguments]
    said = shell.signalbox(*arguments, given="key\n")
    assert (said.returncode, "Traceback" in said.stderr) == (status, False)
    assert words in said.stderr


def test_a_plain_process_answers_as_the_sandbox_does(throwaway_image, shell):
    try:
        engine = EmbeddedEngine()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    folder = shell.folder / "demo"
    manifest = parse_manifest((folder / "signal.toml").read_text())
    image = throwaway_image({"app.py": (folder / "app.py").read_text()})
    past = made_up_past(manifest.forecast.symbols)
    label = "me/demo@v0.0.0"
    answers = []
    for launch in (
        plain_processes(folder, manifest, label),
        sandboxes(engine, image, manifest, label),
    ):
        with launch() as process:
            answers.append(process.forecast(past.given(past.end, 200)))
            process.end()
    assert answers[0] == answers[1]


def test_the_mode_of_kept_credentials_is_their_owners_alone(tmp_path, monkeypatch):
    from signalbox.cli.credentials import Login, keep, login_for_git  # noqa: PLC0415

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = keep(Login("http://a", "http://git.example:8701", "ada", "sk_secret"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert login_for_git("http", "git.example:8701").key == "sk_secret"
    for protocol, host in (("https", "git.example:8701"), ("http", "git.example"), ("", "")):
        assert login_for_git(protocol, host) is None
    assert "sk_secret" not in repr(login_for_git("http", "git.example:8701"))
