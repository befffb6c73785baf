"""One flight makes an answer for all who ask meanwhile, whoever of them is cancelled."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.hot.channels import SIGNALS
from api.hot.kept import Kept, KeptAnswers
from api.hot.shapes import shape_of
from api.listener import Listener

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
KEY = (shape_of("/v1/signals/ada/tide/forecasts/latest", b""), "application/json", None)
TIDE = frozenset((7,))


class Kitchen:
    """Makes an answer when it is told to, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0
        self.go = asyncio.Event()

    async def make(self):
        self.asked += 1
        body = b"%d" % self.asked
        await self.go.wait()
        return Kept(body, "", [], [], NOW, NOW + timedelta(seconds=30))


@pytest.fixture
def listener():
    listener = Listener("", (SIGNALS,))
    listener.is_up = True
    return listener


def ask(answers, kitchen):
    return asyncio.create_task(answers.made(KEY, TIDE, None, kitchen.make))


def test_a_leader_who_is_cancelled_leaves_the_answer_to_those_who_wait(listener):
    async def story():
        answers, kitchen = KeptAnswers(listener), Kitchen()
        waiting = [ask(answers, kitchen) for _ in range(32)]
        await asyncio.sleep(0)
        for one in waiting[:16]:
            one.cancel()
        await asyncio.sleep(0)
        kitchen.go.set()
        assert {(await one).body for one in waiting[16:]} == {b"1"}
        assert all(one.cancelled() for one in waiting[:16])
        assert kitchen.asked == 1
        assert answers.get(KEY, None, NOW).body == b"1"

    asyncio.run(story())


def test_who_comes_after_a_notice_does_not_get_what_was_read_before_it(listener):
    async def story():
        answers, kitchen = KeptAnswers(listener), Kitchen()
        before = ask(answers, kitchen)
        await asyncio.sleep(0)
        listener._tell(SIGNALS, "7")
        after = ask(answers, kitchen)
        await asyncio.sleep(0)
        kitchen.go.set()
        assert [(await one).body for one in (before, after)] == [b"1", b"2"]
        assert answers.get(KEY, None, NOW).body == b"2"

    asyncio.run(story())


@pytest.mark.parametrize("payload", ["7", ""])
def test_what_was_kept_goes_with_a_notice_and_nothing_of_it_stays(listener, payload):
    async def story():
        answers, kitchen = KeptAnswers(listener), Kitchen()
        kitchen.go.set()
        await ask(answers, kitchen)
        listener._tell(SIGNALS, "8")
        assert answers.get(KEY, None, NOW) is not None
        assert answers.get(KEY, None, NOW + timedelta(seconds=30)) is None
        listener._tell(SIGNALS, payload)
        assert answers.get(KEY, None, NOW) is None
        assert (answers._bytes, answers._of_signal, answers._flights) == (0, {}, set())

    asyncio.run(story())


def test_nothing_is_kept_while_nobody_listens_and_a_failure_is_nobodys_answer(listener):
    async def fails():
        raise ValueError

    async def story():
        answers, kitchen = KeptAnswers(listener), Kitchen()
        kitchen.go.set()
        with pytest.raises(ValueError):  # noqa: PT011 - the test's own
            await answers.made(KEY, TIDE, None, fails)
        listener._is_lost()
        assert (await ask(answers, kitchen)).body == b"1"
        assert answers.get(KEY, None, NOW) is None

    asyncio.run(story())
