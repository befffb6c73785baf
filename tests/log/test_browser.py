"""The verifier in the browser: real Chromium, its own cryptography, the same vectors."""

import functools
import http.server
import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOM = Path(__file__).parents[2] / "subscriber_ui" / "verify"
VECTORS = json.loads((Path(__file__).parent / "vectors" / "evidence.json").read_text())
CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'"
)

JUDGE = """
async ({ head, changes, policy, now, maxAge }) => {
  const { parseBundle, verifyBundle } = await import("./verify.js");
  const { parsePolicy } = await import("./policy.js");
  try {
    const bundle = parseBundle(JSON.stringify({ ...head.bundle, ...changes }));
    const terms = { policy: await parsePolicy(policy), now, maxAge,
                    liveDeadline: head.live_deadline };
    const { total, leaves } = await verifyBundle(bundle, terms);
    return { total, leaves };
  } catch (fault) {
    return { code: fault.code ?? `crashed: ${fault.stack}` };
  }
}
"""
REMEMBER = """
async ({ head, bundles }) => {
  const { parseBundle, verifyBundle } = await import("./verify.js");
  const { parsePolicy } = await import("./policy.js");
  const { remember } = await import("./remembered.js");
  const seen = new Map();
  const storage = { getItem: (name) => seen.get(name) ?? null,
                    setItem: (name, value) => seen.set(name, value) };
  const terms = { policy: await parsePolicy(head.policy), now: head.now, maxAge: head.max_age,
                  liveDeadline: head.live_deadline };
  const codes = [];
  for (const said of bundles) {
    const bundle = parseBundle(JSON.stringify(said));
    try {
      remember(storage, await verifyBundle(bundle, terms), bundle.checkpoint);
      codes.push(null);
    } catch (fault) {
      codes.push(fault.code ?? `crashed: ${fault.stack}`);
    }
  }
  return codes;
}
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """The folder as the API will serve it."""

    def end_headers(self):
        self.send_header("Content-Security-Policy", CONTENT_SECURITY)
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address():
    handler = functools.partial(Handler, directory=str(ROOM))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def chromium():
    path = shutil.which("chromium")
    if path is None:
        reason = "chromium is not on PATH: apt-get install chromium"
        if os.environ.get("SIGNALBOX_REQUIRE_MACHINE") == "1":
            pytest.fail(f"SIGNALBOX_REQUIRE_MACHINE=1, but {reason}")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox of its own; it sees nothing but our own pages here.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def bare(chromium: Browser, address):
    """A page to call modules in."""
    page = chromium.new_page()
    page.goto(f"{address}/verify.html")
    yield page
    page.close()


@pytest.fixture
def page(chromium: Browser, address):
    """The page as a reader sees it; it must not complain, and must stay at home."""
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}/verify.html")
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_browser_says_what_python_says(bare: Page, case):
    head = VECTORS["head"]
    asked = {
        "head": head, "changes": case.get("bundle", {}),
        "policy": case.get("policy", head["policy"]), "now": case.get("now", head["now"]),
        "maxAge": case.get("max_age", head["max_age"]),
    }  # fmt: skip
    assert bare.evaluate(JUDGE, asked) == case["expect"]


@pytest.mark.parametrize("story", VECTORS["memory"], ids=lambda story: str(story["last"]))
def test_the_browser_remembers_what_it_saw(bare: Page, story):
    codes = bare.evaluate(REMEMBER, {"head": VECTORS["head"], "bundles": story["bundles"]})
    assert codes == [None] * (len(codes) - 1) + [story["last"]]


def given(page: Page, bundle: dict) -> None:
    data = json.dumps(bundle).encode()
    page.set_input_files(
        "#file", {"name": "tide.json", "mimeType": "application/json", "buffer": data}
    )


def test_a_reader_drops_a_bundle_and_sees_that_it_holds(page: Page):
    given(page, VECTORS["head"]["bundle"])
    page.get_by_text("tide.json: ada/tide, 9 leaves.").wait_for()
    assert page.locator("#verify").is_disabled()
    page.get_by_role("button", name="I compared them: use these keys").click()
    page.get_by_label("Accept a checkpoint that is").select_option("any")
    page.get_by_role("button", name="Verify").click()

    page.get_by_text("Everything holds.").wait_for()
    shown = page.locator("#result").inner_text()
    assert "of whom m1 read every leaf" in shown
    assert page.locator("#result td").all_inner_texts() == ["8", "0", "0", "0", "0", "0"]
    if (folder := os.environ.get("SCREENSHOTS")) is not None:
        page.screenshot(path=f"{folder}/verify-360.png", full_page=True)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 900, "height": 900})
        page.screenshot(path=f"{folder}/verify-dark.png", full_page=True)


def test_a_reader_is_told_what_does_not_hold(page: Page):
    case = next(case for case in VECTORS["cases"] if case["name"] == "an altered payload")
    page.get_by_label("Your policy").fill(VECTORS["head"]["policy"])
    given(page, VECTORS["head"]["bundle"] | case["bundle"])
    page.get_by_text("tide.json: ada/tide").wait_for()
    page.get_by_label("Accept a checkpoint that is").select_option("any")
    page.get_by_role("button", name="Verify").click()
    page.get_by_text("Does not hold (commitment): leaf").wait_for()

    given(page, {"format": "something else"})
    page.get_by_text("Does not hold (malformed)").wait_for()
    assert page.locator("#verify").is_disabled()


def test_a_bundle_is_loaded_by_its_address(page: Page, address):
    page.route(f"{address}/evidence", lambda route: route.fulfill(json=VECTORS["head"]["bundle"]))
    page.goto(f"{address}/verify.html?bundle=/evidence")
    page.get_by_text("ada/tide, 9 leaves.").wait_for()


def test_the_page_fits_a_phone_and_has_a_name_for_every_control(page: Page):
    given(page, VECTORS["head"]["bundle"])
    page.get_by_text("tide.json: ada/tide").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for control in page.locator("input, textarea, select, button").all():
        name = control.evaluate(
            "one => one.labels?.length ? one.labels[0].innerText : one.innerText"
        )
        assert name.strip(), control
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(page: Page, scheme):
    """WCAG AA: 4.5 to 1 between a text and what is behind it."""
    page.emulate_media(color_scheme=scheme)
    ratios = page.evaluate("""
      () => {
        const light = (name) => {
          const probe = document.createElement("i");
          probe.style.color = `var(${name})`;
          document.body.append(probe);
          const parts = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map(Number);
          probe.remove();
          const [r, g, b] = parts.map((part) => {
            const share = part / 255;
            return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ratio = (one, two) => {
          const [high, low] = [light(one), light(two)].sort((a, b) => b - a);
          return (high + 0.05) / (low + 0.05);
        };
        return [["--text", "--page"], ["--text", "--card"], ["--quiet", "--card"],
                ["--good", "--card"], ["--bad", "--card"], ["--on-accent", "--accent"]]
          .map(([one, two]) => [one, ratio(one, two)]);
      }
    """)
    assert [name for name, ratio in ratios if ratio < 4.5] == []
