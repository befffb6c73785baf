"""Every page as its people see it: both themes, two widths, by axe, and without a complaint.

The screenshots are kept in test-results/pages; after the stories they have more to show.
"""

from pathlib import Path

import pytest
from playwright.sync_api import expect

CHECKOUT = Path(__file__).parents[2]
SHOTS = CHECKOUT / "test-results" / "pages"
AXE = CHECKOUT / "subscriber_ui" / "node_modules" / "axe-core" / "axe.min.js"
FINDINGS = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
}
"""
SIGNAL = "/signals/ada/momentum-quantiles"

# Who looks, and at what.
PAGES = {
    "nobody": [
        "/", "/definitions", "/login", "/register", "/forgot", "/nothing-here",
        "/compare?signals=ada/momentum-quantiles,ada/ridge-lags,signalbox/baseline-naive",
        SIGNAL, f"{SIGNAL}/performance", f"{SIGNAL}/record", f"{SIGNAL}/versions",
        f"{SIGNAL}/proof",
    ],
    "sam": [
        "/forecasts", "/subscriptions", "/invoices", SIGNAL, f"{SIGNAL}/playback",
        "/settings/profile", "/settings/security", "/settings/api-keys", "/settings/webhooks",
        "/settings/activity", "/settings/data",
    ],
    "ada": ["/provider", "/provider/new", "/provider/signals/momentum-quantiles",
            "/provider/revenue"],
    "olga": ["/operator", "/operator/slots", "/operator/feeds", "/operator/users",
             "/operator/audit", "/operator/business", "/operator/outbox"],
}  # fmt: skip
LOOKS = {
    "wide-light": (1280, "light"),
    "wide-dark": (1280, "dark"),
    "narrow-light": (360, "light"),
    "narrow-dark": (360, "dark"),
}
EXAMINED = ("wide-light", "narrow-dark")  # between them both widths and both themes


@pytest.mark.parametrize("who", PAGES)
def test_every_page_reads_well_and_complains_of_nothing(who, visit, demonstration, operator):
    SHOTS.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    with visit() as visitor:
        page = visitor.page
        if who == "olga":
            visitor.logs_in(operator.email, operator.password)
        elif who != "nobody":
            person = demonstration.person(who)
            visitor.logs_in(person.email, person.password)
        for path in PAGES[who]:
            page.set_viewport_size({"width": 1280, "height": 800})
            visitor.goes_to(path)
            page.locator("h1").first.wait_for()
            expect(page.locator("main [aria-busy=true]")).to_have_count(0)
            page.evaluate(AXE.read_text())
            for look, (width, theme) in LOOKS.items():
                page.set_viewport_size({"width": width, "height": 800})
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                name = f"{path.split('?')[0].strip('/').replace('/', '-') or 'catalogue'}"
                page.screenshot(path=SHOTS / f"{who}-{name}-{look}.png", full_page=True)
                scrolls = page.evaluate("document.documentElement.scrollWidth")
                if scrolls > width:
                    wrong.append(f"{path} {look}: scrolls sideways, {scrolls} of {width} pixels")
                if look in EXAMINED:
                    wrong += [f"{path} {look}: {finding}" for finding in page.evaluate(FINDINGS)]
            if path == "/nothing-here":  # its 404 is on the console, as it must be
                visitor.complaints = [said for said in visitor.complaints if "404" not in said]
            wrong += [f"{path}: {said}" for said in visitor.complaints]
            visitor.complaints.clear()
    assert wrong == []
