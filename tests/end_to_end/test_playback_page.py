"""The playback page asks for nothing later than what it shows, and is answered nothing later."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Response, expect

SIGNAL = "ada/momentum-quantiles"
ROUTE = f"/v1/signals/{SIGNAL}/playback"
KNOWN_AT = ("bars", "forecasts", "missed", "turned_late")
EARLIER_HOURS = 120


@dataclass
class Answer:
    """What the API was asked for, and the latest instant in what it said, seconds since 1970."""

    at: float
    latest: float


def heard(page: Page) -> list[Response]:
    """Every answer of the playback's route that the page gets from now on."""
    responses: list[Response] = []

    def hear(response: Response) -> None:
        if urlsplit(response.url).path == ROUTE and response.status == 200:
            responses.append(response)

    page.on("response", hear)
    return responses


def answer_of(response: Response) -> Answer:
    body = json.loads(response.body())
    known = [instant for name in KNOWN_AT for instant in body[name]["available_at"]]
    ended = [opened + 3600 for opened in body["bars"]["ts_open"]]
    made = body["forecasts"]["as_of"]
    asked = parse_qs(urlsplit(response.url).query)
    return Answer(
        datetime.fromisoformat(asked["at"][0]).timestamp(), max([0, *known, *ended, *made])
    )


def test_no_answer_holds_anything_later_than_the_instant_shown(visit, demonstration):
    sam = demonstration.person("sam")
    with visit() as visitor:
        page = visitor.page
        visitor.logs_in(sam.email, sam.password)
        path = f"/signals/{SIGNAL}/playback"
        visitor.goes_to(path)
        began = instant_of(page) - timedelta(hours=EARLIER_HOURS)
        responses = heard(page)
        visitor.goes_to(f"{path}?t={began:%Y-%m-%dT%H:00:00Z}")
        seen = [instant_of(page)]
        assert seen[0] <= began
        for act in (
            lambda: page.get_by_role("button", name="Step forward").click(),
            lambda: page.get_by_role("button", name="Step back").click(),
            lambda: page.keyboard.press("Shift+ArrowRight"),
            lambda: played(page),
            lambda: page.get_by_role("button", name="Jump to worst").click(),
        ):
            act()
            seen.append(moved_from(seen[-1], page))
            # Whatever came so far is no later than the latest instant that was shown so far.
            answers = [answer_of(response) for response in responses]
            latest = max(answer.latest for answer in answers)
            assert latest <= max(seen).timestamp(), (answers, seen)
            assert all(answer.latest <= answer.at for answer in answers)
        assert max(seen) > seen[0] + timedelta(hours=24)
        page.keyboard.press("Home")
        moved_from(seen[-1], page)
        assert len(responses) == len(answers)  # going back asks for nothing
        assert visitor.complaints == []


def instant_of(page: Page) -> datetime:
    """What is shown; once something is."""
    screen = page.locator("[data-testid=playback][data-instant]")
    screen.wait_for()
    at = screen.get_attribute("data-instant")
    assert at is not None
    return datetime.fromisoformat(at)


def moved_from(before: datetime, page: Page) -> datetime:
    """Where it is when it has moved, and stands."""
    for _ in range(100):
        now = instant_of(page)
        page.wait_for_timeout(200)
        if now != before and instant_of(page) == now:
            return now
    raise AssertionError(f"it stays at {before}")


def played(page: Page) -> None:
    """For a second and a half, then paused."""
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
