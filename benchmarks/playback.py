"""Frame times of the playback page: a year of hours, played and scrubbed in headless Chromium.

A demonstration runs whole; a year of bars is imported into it and a year of one version
replayed, both by the operator's commands. The signal's provider opens the page as it is
built, with the year loaded. Counted is the time between frames while nothing moves, while
60 hours a second are played, and while the slider is swept over the year once and back;
beside it the page's own script in each frame, and the CPU time of its main thread.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import CDPSession, Page, sync_playwright

from pipelines.operator.demo import SUBSCRIBED, SYMBOLS
from pipelines.operator.demo_people import Person

YEAR = timedelta(hours=8_760)
HORIZON = 24
FRAMES = 420
WAIT_MS = 60_000

COUNT_SCRIPT = """
(() => {
  const raf = window.requestAnimationFrame.bind(window);
  window.plainFrame = raf;
  window.scriptMs = {};
  window.requestAnimationFrame = (act) => raf((at) => {
    const began = performance.now();
    act(at);
    window.scriptMs[at] = (window.scriptMs[at] ?? 0) + performance.now() - began;
  });
})()
"""
WATCH = """
([kind, frames]) => new Promise((done) => {
  const slider = document.querySelector("input[aria-label=Instant]");
  const [first, last] = [Number(slider.min), Number(slider.max)];
  const put = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const between = [];
  let before = null;
  window.scriptMs = {};
  const watch = (at) => {
    if (before !== null) between.push(at - before);
    before = at;
    if (kind === "scrubbing") {
      const share = 0.5 + 0.5 * Math.cos((2 * Math.PI * between.length) / frames);
      put.call(slider, String(first + (last - first) * share));
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (between.length < frames) window.plainFrame(watch);
    else done({ between, script: Object.values(window.scriptMs) });
  };
  window.plainFrame(watch);
})
"""


def measure() -> dict[str, float]:
    """Milliseconds, by what is done; ratios are of the median to that of a page at rest."""
    with tempfile.TemporaryDirectory(prefix="signalbox-playback-", dir="/var/tmp") as folder:
        home = Path(folder) / "home"
        with _demonstration(home) as api:
            start = _a_year(home)
            kept = home / "secrets" / "demo-ada.json"
            provider = msgspec.json.decode(kept.read_bytes(), type=Person)
            return _watched(api, provider, start)


@contextmanager
def _demonstration(home: Path) -> Iterator[str]:
    with subprocess.Popen(
        [*_command("demo-check"), "--hold", "--home", str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as running:  # fmt: skip
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            yield json.loads(running.stdout.readline())["api"]
        finally:
            running.stdin.close()


def _a_year(home: Path) -> datetime:
    """Bars of a year and some days, and forecasts of a year; its first hour."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = now - YEAR
    bars = (start - timedelta(days=30), now - timedelta(days=59))
    _run("ingest", _source(home), *_between(*bars), home=home)
    _run("replay", f"ada/{SUBSCRIBED}@v1.0.0", *_between(start, now), "--audit", "0", home=home)
    return start


def _source(home: Path) -> str:
    """The demonstration's."""
    anchor = home / "bars-anchor"
    if not anchor.exists():
        return "sample"
    folder = Path(os.environ["SIGNALBOX_DEMO_BARS"]).resolve()
    return f"recorded:{folder}:{anchor.read_text()}:{SYMBOLS}"


def _between(start: datetime, end: datetime) -> list[str]:
    return ["--from", f"{start:%Y-%m-%dT%H:%M}", "--to", f"{end:%Y-%m-%dT%H:%M}"]


def _command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from signalbox.cli import main; main()", *words]


def _run(*words: str, home: Path) -> None:
    done = subprocess.run(
        [*_command(*words), "--home", str(home)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"signalbox {words[0]} failed: {done.stderr[-1000:]}")


def _watched(api: str, provider: Person, start: datetime) -> dict[str, float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        page = context.new_page()
        page.add_init_script(COUNT_SCRIPT)
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(f"{api}/login?next=/provider")
        page.get_by_label("E-mail").fill(provider.email)
        page.get_by_label(re.compile("^Password")).fill(provider.password)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", level=1, name="My signals").wait_for()
        began = time.monotonic()
        page.goto(
            f"{api}/signals/ada/{SUBSCRIBED}/playback?from={start:%Y-%m-%dT%H:%M:%SZ}"
            f"&horizon={HORIZON}&speed=60"
        )
        page.locator("[data-testid=playback][data-instant]").wait_for(timeout=WAIT_MS)
        found = {"load_ms": (time.monotonic() - began) * 1000}
        page.wait_for_timeout(2000)
        for kind in ("resting", "scrubbing", "playing"):
            if kind == "playing":
                page.keyboard.press("Home")
                page.wait_for_timeout(500)
                page.get_by_role("button", name="Play", exact=True).click()
            found |= _frames(kind, page, session)
        browser.close()
    for kind in ("scrubbing", "playing"):
        found[f"{kind}_vs_resting"] = found[f"{kind}_p50_ms"] / found["resting_p50_ms"]
    return found


def _frames(kind: str, page: Page, session: CDPSession) -> dict[str, float]:
    before = _main_thread_ms(session)
    seen: dict[str, Any] = page.evaluate(WATCH, [kind, FRAMES])
    cpu = (_main_thread_ms(session) - before) / FRAMES
    return {
        f"{kind}_p50_ms": _quantile(seen["between"], 0.5),
        f"{kind}_p99_ms": _quantile(seen["between"], 0.99),
        f"{kind}_script_p50_ms": _quantile(seen["script"] or [0], 0.5),
        f"{kind}_script_p99_ms": _quantile(seen["script"] or [0], 0.99),
        f"{kind}_cpu_ms": cpu,
    }


def _main_thread_ms(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration")) * 1000


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Print a table, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    options = parser.parse_args()
    result = measure()
    if not options.json:
        for name, value in result.items():
            print(f"{name:28} {value:.4g}")
    print(json.dumps({name: round(value, 4) for name, value in result.items()}))


if __name__ == "__main__":
    main()
