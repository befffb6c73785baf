"""What goes away is announced, as docs/subscriber/versioning.md promises."""

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from litestar import get
from litestar.testing import create_test_client

from api.app import describe_app
from api.deprecation import DEPRECATION, NOTICE, Deprecation, announce

PROMISE = Path(__file__).parents[2] / "docs" / "subscriber" / "versioning.md"
OLD = Deprecation(date(2026, 12, 1), date(2027, 6, 30), "https://example.org/moved")


@get("/old", deprecated=True, opt={DEPRECATION: OLD})
async def old() -> str:
    return "still here"


@get("/new")
async def new() -> str:
    return "here"


def test_an_answer_of_a_deprecated_route_says_since_when_and_until_when():
    with create_test_client([old, new], before_send=[announce]) as client:
        headers = client.get("/old").headers
        assert headers["deprecation"] == f"@{int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())}"
        assert parsedate_to_datetime(headers["sunset"]) == datetime(
            2027, 6, 30, 23, 59, 59, tzinfo=UTC
        )
        assert headers["link"].startswith("<https://example.org/moved>; rel=")
        assert not {"deprecation", "sunset"} & set(client.get("/new").headers)
        assert client.get("/schema/openapi.json").json()["paths"]["/old"]["get"]["deprecated"]


def test_a_route_cannot_be_withdrawn_sooner_than_was_promised():
    with pytest.raises(ValueError, match="180 days"):
        Deprecation(date(2026, 12, 1), date(2026, 12, 1) + NOTICE - timedelta(days=1), "/x")
    assert "180 days" in PROMISE.read_text()


def test_every_deprecated_route_has_both_the_mark_and_the_dates():
    handlers = [
        handler
        for route in describe_app().routes
        for handler in getattr(route, "route_handlers", [])
    ]
    assert len(handlers) > 50
    for handler in handlers:
        assert bool(handler.deprecated) == (DEPRECATION in handler.opt), handler
