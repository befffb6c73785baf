"""The listener hears, says when it cannot, and begins again for ever."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress

import pytest

from api import notices
from api.listener import Listener
from sql.roles import API, conninfo


@asynccontextmanager
async def listening(database):
    listener = Listener(conninfo(database.url(API)), ("news",))
    task = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds):
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what it waits for is in the database
            await asyncio.sleep(0.01)


def kill_listeners(connection):
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'signalbox api listener'"
    )


def test_its_connection_killed_five_times_is_told_as_lost_each_time_and_heard_again(database):
    async def story(superuser):
        heard, lost = [], []

        async def killed_once_more(listener, word, before):
            await until(lambda: listener.is_up)
            superuser.execute("select pg_notify('news', %s)", [word])
            await until(lambda: heard[-1:] == [word])
            kill_listeners(superuser)
            # When it ends, and when the next one begins.
            await until(lambda: len(lost) >= before + 2)

        async with listening(database) as listener:
            listener.subscribe("news", heard.append, lambda: lost.append(listener.is_up))
            for word in "abcde":
                await killed_once_more(listener, word, len(lost))
            assert heard == list("abcde")
        assert not listener.is_up
        # It is never called up while it tells that it is not.
        assert set(lost) == {False}

    with database.superuser() as superuser:
        asyncio.run(story(superuser))


def test_a_subscriber_that_raises_is_told_of_a_loss_and_others_hear_on(database):
    async def story(superuser):
        heard, lost = [], []
        async with listening(database) as listener:
            listener.subscribe("news", int, lambda: lost.append(True))
            listener.subscribe("news", heard.append, lambda: None)
            await until(lambda: listener.is_up)
            before = len(lost)
            superuser.execute("select pg_notify('news', 'no number')")
            await until(lambda: len(lost) >= before + 2 and listener.is_up)
            superuser.execute("select pg_notify('news', '7')")
            await until(lambda: "7" in heard)

    with database.superuser() as superuser:
        asyncio.run(story(superuser))


def test_a_subscription_that_was_ended_hears_nothing_more(database):
    async def story(superuser):
        first, second = [], []
        async with listening(database) as listener:
            end = listener.subscribe("news", first.append, lambda: None)
            listener.subscribe("news", second.append, lambda: None)
            await until(lambda: listener.is_up)
            end()
            superuser.execute("select pg_notify('news', 'x')")
            await until(lambda: second == ["x"])
        assert first == []

    with database.superuser() as superuser:
        asyncio.run(story(superuser))


def test_a_channel_that_is_not_listened_to_is_refused(database):
    listener = Listener(conninfo(database.url(API)), ("news",))
    with pytest.raises(ValueError, match="'olds' is none of news"):
        listener.subscribe("olds", print, print)


def test_what_was_committed_is_heard_when_a_round_is_answered_every_single_time(database):
    """Nothing waits but for the round: three hundred commits of another connection."""

    async def story(superuser):
        heard = []
        async with listening(database) as listener:
            listener.subscribe("news", heard.append, lambda: None)
            await until(lambda: listener.is_up)
            for number in range(300):
                await asyncio.to_thread(superuser.execute, f"select pg_notify('news', '{number}')")
                assert await listener.caught_up()
                assert heard[-1:] == [str(number)]

    with database.superuser() as superuser:
        asyncio.run(story(superuser))


def test_two_hundred_who_ask_at_once_share_rounds_and_some_may_go_away(database):
    async def story():
        async with listening(database) as listener:
            await until(lambda: listener.is_up)
            asked = [asyncio.create_task(listener.caught_up()) for _ in range(200)]
            await asyncio.sleep(0)
            for one in asked[::2]:
                one.cancel()
            assert await asyncio.gather(*asked[1::2]) == [True] * 100

    asyncio.run(story())


def test_who_waits_when_the_connection_is_lost_is_told_so(database):
    async def story(superuser):
        async with listening(database) as listener:
            for _ in range(5):
                await until(lambda: listener.is_up)
                assert await listener.caught_up()
                kill_listeners(superuser)
                assert not await listener.caught_up()
                assert not listener.is_up

    with database.superuser() as superuser:
        asyncio.run(story(superuser))


def test_a_connection_that_falls_silent_is_given_up_and_nothing_kept_is_used(database, monkeypatch):
    monkeypatch.setattr(notices, "ANSWERS_WITHIN_S", 0.3)

    async def story(superuser):
        lost = []
        async with listening(database) as listener:
            listener.subscribe("news", print, lambda: lost.append(True))
            await until(lambda: listener.is_up)
            before = len(lost)
            (pid,) = superuser.execute(
                "select pid from pg_stat_activity where datname = current_database()"
                " and application_name = 'signalbox api listener'"
            ).fetchone()
            os.kill(pid, signal.SIGSTOP)
            try:
                assert not await listener.caught_up()
                assert len(lost) > before
            finally:
                os.kill(pid, signal.SIGCONT)
            await until(lambda: listener.is_up)
            assert await listener.caught_up()

    with database.superuser() as superuser:
        asyncio.run(story(superuser))
