"""What people do, as they do it: in a browser, with git, with Dagster, over the real platform."""

import re
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pipelines.operator.demo_people import Client, Person, push_example
from sql.clock import DemoClock, floor_hour

CHECKOUT = Path(__file__).parents[2]
SIGNAL = "ada/momentum-quantiles"
PASSWORD = "correct horse battery staple"
NAME = "late-riser"
TICK_MS = 180_000
SLEEPS_S = 150


def registers(page: Page, handle: str) -> None:
    page.get_by_label("E-mail").fill(f"{handle}@example.org")
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    page.get_by_label("Handle").fill(handle)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("link", name="The letter's link")).to_be_visible()
    page.get_by_role("button", name="Go on").click()


def test_a_newcomer_finds_a_signal_tries_it_and_reads_its_forecast(visit):
    with visit() as visitor:
        page = visitor.page
        visitor.goes_to("/")
        expect(page.get_by_role("link", name="Baseline: drift")).to_be_visible()
        page.get_by_role("searchbox", name="Search signals").fill("momentum")
        expect(page.get_by_role("link", name="Baseline: drift")).to_have_count(0)
        page.get_by_role("link", name="Momentum with quantiles").click()
        page.wait_for_url(f"**/signals/{SIGNAL}")
        page.get_by_role("tab", name="Track record").click()
        expect(page.get_by_role("cell", name="v1.0.0").first).to_be_visible()
        page.get_by_role("tab", name="Proof").click()
        page.get_by_role("button", name="Verify in this browser").click()
        expect(page.get_by_text(re.compile("hold|verified", re.IGNORECASE)).first).to_be_visible()
        page.get_by_role("tab", name="Overview").click()
        page.get_by_role("link", name="Start trial").first.click()
        page.wait_for_url("**/login?**")
        page.get_by_role("link", name=re.compile("account")).first.click()
        registers(page, "newcomer")
        page.wait_for_url(f"**/signals/{SIGNAL}**")
        page.get_by_role("button", name="Start trial").first.click()
        page.get_by_role("dialog").get_by_role("button", name="Start trial").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("link", name="My forecasts").first.click()
        table = page.get_by_role("table", name="My forecasts")
        expect(table.get_by_text("BTCUSDT").first).to_be_visible()
        page.reload()  # the session is in a cookie that no script can read
        expect(table.get_by_text("BTCUSDT").first).to_be_visible()
        assert page.evaluate("document.cookie") == ""
        kept = page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
        assert re.search(r"eyJ\w{10}|rt_\w{10}", kept) is None
        page.get_by_role("link", name="Subscriptions").first.click()
        expect(page.get_by_text("trialing").first).to_be_visible()
        page.get_by_text("Pay ahead").click()
        page.get_by_role("button", name="Pay (test)").click()
        page.get_by_role("link", name="Back to your subscriptions").click()
        expect(page.get_by_text("active", exact=True).first).to_be_visible()
        page.get_by_role("link", name="Invoices").first.click()
        expect(page.get_by_text("€29.00").first).to_be_visible()
        assert visitor.complaints == []


@pytest.fixture(scope="module")
def pushed() -> dict[str, object]:
    """What the provider's story leaves for the operator's."""
    return {}


def test_a_provider_sees_the_first_push_live(visit, demonstration, tmp_path, pushed):
    with visit() as visitor:
        page = visitor.page
        visitor.goes_to("/register?next=/provider")
        registers(page, "nora")
        visitor.goes_to("/provider/new")
        page.get_by_role("textbox", name="Name").fill(NAME)
        page.get_by_label("Title").fill("Late riser")
        page.get_by_label("Description").fill("Sleeps through its first live hour.")
        page.get_by_role("button", name="Create signal").click()
        page.wait_for_url(f"**/provider/signals/{NAME}**")
        watched = page.get_by_role("region", name="Publish log")
        with visit() as keys:
            keys.logs_in("nora@example.org", PASSWORD, "/settings/api-keys")
            keys.page.get_by_role("button", name="Create API key").first.click()
            keys.page.get_by_label("Name").fill("laptop")
            keys.page.get_by_label(re.compile("push", re.IGNORECASE)).check()
            keys.page.get_by_role("button", name=re.compile("Create")).last.click()
            secret = keys.page.get_by_text(re.compile(r"^sk_demo_\w+_\S{30,}$")).first.inner_text()
        nora = Person(handle="nora", email="nora@example.org", password=PASSWORD, key=secret)
        wakes_at = time.time() + SLEEPS_S
        folder = late_riser(tmp_path / NAME, demonstration, wakes_at)
        push_example(folder, str(demonstration.said["git"]), nora, print)
        expect(watched.get_by_text("live").first).to_be_visible(timeout=60_000)
        expect(page.get_by_role("table", name="Versions").get_by_text("v1.0.0")).to_be_visible()
        assert visitor.complaints == []
    pushed.update(nora=nora, wakes_at=wakes_at)


def late_riser(folder: Path, demonstration, wakes_at: float) -> Path:
    """Seasonal naive, but of the next hour on it raises until `wakes_at`, by the host's clock."""
    shutil.copytree(CHECKOUT / "examples" / "seasonal-naive", folder)
    manifest = folder / "signal.toml"
    manifest.write_text(
        manifest.read_text().replace("seasonal-naive", NAME).replace("Seasonal naive", "Late riser")
    )
    model = folder / "app.py"
    asleep = (
        "def forecast(window):\n"
        f"    is_live = window.as_of.timestamp() >= {next_slot(demonstration).timestamp()}\n"
        f"    if is_live and time.time() < {wakes_at}:\n"
        '        raise RuntimeError("still asleep")\n'
    )
    code = model.read_text().replace("def forecast(window):\n", asleep)
    model.write_text(code.replace("import math\n", "import math\nimport time\n"))
    return folder


def next_slot(demonstration) -> datetime:
    now = DemoClock(demonstration.home / "clock")()
    return floor_hour(now) + timedelta(hours=1)


def test_an_operator_finds_a_missed_slot_and_runs_it_again(visit, demonstration, operator, pushed):
    assert pushed, "needs the provider's push"
    sam = demonstration.person("sam")
    slot = next_slot(demonstration)
    with visit() as reader, visit() as desk:
        reader.logs_in(sam.email, sam.password, "/forecasts")
        table = reader.page.get_by_role("table", name="My forecasts")
        expect(table.get_by_text("BTCUSDT").first).to_be_visible()
        DemoClock(demonstration.home / "clock").advance_to(slot)
        desk.logs_in(operator.email, operator.password, "/operator/slots")
        missed = desk.page.get_by_role("table", name="Late and missed slots")
        row = missed.get_by_role("row").filter(has_text=f"nora/{NAME}").filter(has_text="missed")
        deadline = time.monotonic() + TICK_MS / 1000
        while row.count() == 0 and time.monotonic() < deadline:
            desk.page.wait_for_timeout(2000)
            desk.page.reload()
            desk.page.get_by_role("heading", level=1).wait_for()
        expect(row.first).to_contain_text("still asleep")
        # Meanwhile the subscriber's open page has the new hour, told by the stream.
        expect(table.get_by_text(f"{slot:%H:%M}").first).to_be_visible(timeout=TICK_MS)
        time.sleep(max(0, float(str(pushed["wakes_at"])) - time.time()))
        with desk.context.expect_page() as opened:
            row.first.get_by_role("link", name="Open in Dagster").click()
        runs_again(opened.value)
        assert outcomes_of(slot, demonstration, operator) == {"missed", "replayed"}
        desk.page.reload()
        expect(row.first).to_contain_text("missed")  # the record stands
        assert desk.complaints == []
        assert reader.complaints == []


def runs_again(dagster: Page) -> None:
    """What a person clicks on the page of an asset's partition."""
    dagster.set_default_timeout(60_000)
    dagster.get_by_role("button", name=re.compile("Materialize")).first.click()
    dagster.get_by_role("button", name="Launch 1 run").click()


def outcomes_of(slot: datetime, demonstration, operator: Person) -> set[str]:
    """Of the provider's signal, once there are two."""
    deadline = time.monotonic() + TICK_MS / 1000
    found: set[str] = set()
    desk = Client.logged_in(demonstration.api, operator)
    while len(found) < 2 and time.monotonic() < deadline:
        time.sleep(1)
        runs = desk.get(f"/v1/admin/runs?signal=nora/{NAME}&limit=100")["items"]
        of_slot = (run for run in runs if datetime.fromisoformat(run["as_of"]) == slot)
        found = {run["provenance"] for run in of_slot}
    return found
