"""GET /v1/stream: whoever may know is told at once, once, and nothing of anybody else."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api.events.positions import Position, Positions
from sql.roles import API
from tests.api.conftest import SECRET
from tests.api.events.sse import listening, missed
from tests.api.server import serving


def as_ofs(events):
    return [event.data["as_of"] for event in events]


def test_a_forecast_comes_as_get_latest_gives_it(house):
    person = house.person()
    tide = house.signal(person)
    with listening(house.url, person.headers) as client:
        house.slot(tide)
        event = client.next()
    latest = httpx.get(f"{house.url}{tide.path}/forecasts/latest", headers=person.headers).json()
    assert event.type == "forecast"
    assert event.data["forecasts"] == latest["items"]
    assert len(event.data["forecasts"]) == 2
    assert event.data["signal"] == tide.signal
    assert event.data["version"] == "v1.0.0"
    assert {"as_of", "available_at", "leaf_index"} <= set(event.data)
    assert 1000 <= client.retry_ms <= 60_000


def test_a_miss_a_move_of_a_version_and_a_subscription_are_told(house):
    person = house.person()
    tide = house.signal(person)
    with listening(house.url, person.headers) as client:
        house.slot(tide, provenance="missed")
        assert (event := client.next()).type == "missed"
        assert (event.data["signal"], event.data["reason"]) == (tide.signal, "timeout")
        assert "forecasts" not in event.data
        path = f"{house.url}{tide.path}/versions/v1.0.0/offline"
        assert httpx.post(path, headers=tide.provider.headers).status_code == 200
        assert (event := client.next()).type == "version.offline"
        assert (event.data["signal"], event.data["version"]) == (tide.signal, "v1.0.0")
        house.make.connection.execute(
            "update billing.subscription set state = 'canceled', state_why = 'asked'"
            " where user_id = %s",
            [person.id],
        )
        assert (event := client.next()).type == "subscription.canceled"
        assert event.data["detail"]["to"] == "canceled"
        assert event.data["signal"] == tide.signal


def test_only_its_provider_is_told_of_a_push_before_it_is_published(house):
    reader = house.person()
    tide = house.signal(reader)
    version_id = house.make.version(tide.id, tide.provider, "v2.0.0", "building")
    with (
        listening(house.url, tide.provider.headers) as own,
        listening(house.url, reader.headers) as foreign,
    ):
        for state in ("building", "rejected"):
            house.make.connection.execute(
                "insert into registry.version_event (version_id, at, to_state, why)"
                " values (%s, now(), %s, 'no wheel')",
                [version_id, state],
            )
        first, second = own.next(), own.next()
        assert [first.type, second.type] == ["version.building", "version.rejected"]
        assert (second.data["signal"], second.data["version"]) == (tide.signal, "v2.0.0")
        begun = foreign.last_id
        house.slots(tide, 1)
        assert foreign.next().type == "forecast"
        assert foreign.all() == []
    assert [event.type for event in missed(house.url, reader.headers, begun)] == ["forecast"]


def test_the_attack_of_listening_to_what_others_pay_for_shows_nothing(house):
    payer, stranger, provider = house.person(), house.person(), house.person()
    tide, other = house.signal(payer), house.signal(stranger)
    with (
        listening(house.url, payer.headers) as paid,
        listening(house.url, stranger.headers) as foreign,
        listening(house.url, tide.provider.headers) as own,
        listening(house.url, provider.headers) as nobody,
    ):
        first = house.slots(tide, 2)
        second = house.slots(other, 1)
        assert as_ofs([paid.next(), paid.next()]) == first
        assert as_ofs([own.next(), own.next()]) == first
        assert as_ofs([foreign.next()]) == second
        for client in (paid, foreign, own, nobody):
            assert client.all() == []
        begun = foreign.last_id
    # An id that somebody else was given opens nothing of theirs.
    assert as_ofs(missed(house.url, stranger.headers, paid.last_id)) == second
    assert missed(house.url, provider.headers, begun) == []


def test_a_filter_leaves_the_other_signals_out_also_of_what_was_missed(house):
    person = house.person()
    tide, surge = house.signal(person), house.signal(person)
    with listening(house.url, person.headers, signals=surge.signal) as client:
        begun = client.last_id
        house.slots(tide, 1)
        made = house.slots(surge, 1)
        assert as_ofs([client.next()]) == made
        assert client.all() == []
    assert as_ofs(missed(house.url, person.headers, begun, signals=surge.signal)) == made
    assert len(missed(house.url, person.headers, begun)) == 2


@pytest.mark.parametrize(
    ("signals", "status", "code"),
    [
        ("tide", 400, "invalid_request"),
        ("", 400, "invalid_request"),
        ("nobody/nothing", 404, "not_found"),
        ("{other}", 403, "subscription_required"),
    ],
)
def test_a_filter_that_names_nothing_of_mine_is_refused(house, signals, status, code):
    person = house.person()
    signals = signals.format(other=house.signal().signal)
    query = {"signals": signals, "seconds": 0}
    answer = httpx.get(f"{house.url}/v1/stream", params=query, headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_who_comes_back_is_told_what_was_missed_once_and_in_order(house):
    person = house.person()
    tide = house.signal(person)
    with listening(house.url, person.headers) as client:
        made = house.slots(tide, 2)
        told = as_ofs([client.next(), client.next()])
        last_id = client.last_id
    made += house.slots(tide, 250, since=2)
    with listening(house.url, person.headers | {"Last-Event-ID": last_id}) as client:
        told += as_ofs([client.next() for _ in range(250)])
        made += house.slots(tide, 1, since=252)
        told += as_ofs([client.next()])
        assert client.all() == []
    assert told == made


def test_an_id_serves_at_another_server_and_after_a_restart(house):
    person = house.person()
    tide = house.signal(person)
    with listening(house.url, person.headers) as client:
        made = house.slots(tide, 1)
        client.next()
        with serving(house.settings) as other:
            assert missed(other, person.headers, client.last_id) == []
            with listening(other, person.headers, last_event_id=client.last_id) as second:
                made = house.slots(tide, 1, since=1)
                assert as_ofs([second.next()]) == made
                assert as_ofs([client.next()]) == made
                assert second.all() == client.all() == []


def test_a_forged_id_is_refused(house):
    person = house.person()
    with listening(house.url, person.headers) as client:
        good = client.last_id
    swapped = ("B" if good[0] != "B" else "C") + good[1:]
    for forged in (swapped, good[:-1], good + "A", "0", "-1", "x" * 75, "é" * 20):
        answer = httpx.get(
            f"{house.url}/v1/stream",
            params={"seconds": 0, "last_event_id": forged},
            headers=person.headers,
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_event_id"), forged


def test_an_id_that_is_true_of_a_future_that_was_rolled_back_is_refused(house):
    """A backup was put back: to go on from there would skip what happens until then."""
    person = house.person()
    ahead = Positions(SECRET).show(Position(10**9, (10**9, 0), (10**9, 0)))
    answer = httpx.get(
        f"{house.url}/v1/stream",
        params={"seconds": 0, "last_event_id": ahead},
        headers=person.headers,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_event_id")


def test_who_subscribes_again_is_not_told_what_happened_without_them(house):
    """A gap of payment: an old id must not open it."""
    person = house.person()
    tide = house.signal(person)
    with listening(house.url, person.headers) as client:
        begun = client.last_id
    subscription = "update billing.subscription set state = %s, period_start = %s, state_since = %s"
    now = datetime.now(UTC)
    house.slot(tide, now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=5))
    execute = house.make.connection.execute
    of_person = " where user_id = %s"
    execute(subscription + of_person, ["canceled", now, now - timedelta(hours=20), person.id])
    house.make.subscription(person, tide)
    execute(
        "update billing.subscription set period_start = %s where user_id = %s and state = 'active'",
        [now, person.id],
    )
    told = missed(house.url, person.headers, begun)
    assert [event.type for event in told if event.type == "forecast"] == []
    assert [event.type for event in told] == ["subscription.canceled", "subscription.active"]


def test_the_database_itself_gives_no_forecast_to_who_is_not_entitled(house):
    person, stranger = house.person(), house.person()
    tide = house.signal(person)
    house.slots(tide, 1)
    (leaf,) = house.make.connection.execute(
        "select max(index) from transparency.leaf where signal_id = %s", [tide.id]
    ).fetchone()
    with house.database.connect(API) as connection:
        for who, count in ((person, 2), (stranger, 0), (tide.provider, 2)):
            with connection.transaction():
                connection.execute("select set_config('app.user_id', %s, true)", [str(who.id)])
                query = "select count(*) from forecast.of_leaves(array[%s]::bigint[])"
                assert connection.execute(query, [leaf]).fetchone() == (count,)
