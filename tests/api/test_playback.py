"""A playback at an instant holds what could be seen then, and nothing that was known later."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.playback import stored

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
# Whole hours in the past, the last of them a week and some hours ago: revealed by any offer here.
FIRST = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 240 * HOUR
HOURS = 36
LAST = FIRST + HOURS * HOUR
MISSED, LATE, TURNED, REPLAYED = (5, 20), (9,), (14, 15), range(4)
# Hour of a bar: when its corrections were known.
CORRECTED = {3: [7 * HOUR], 10: [12 * HOUR, 30 * HOUR], 30: [35 * HOUR]}
BY_DEFAULT = "live,late,replayed"


@pytest.fixture
def played(make, ada, bob):
    """ada/tide over 36 hours: an imported day, live bars, corrections, every provenance."""
    published = make.signal(ada)
    make.subscription(bob, published)
    offer(make, published, 168, FIRST - 24 * HOUR)
    for hour in range(HOURS):
        opened = FIRST + hour * HOUR
        is_history = hour < 24
        known = opened + HOUR + (2 * MINUTE if is_history else timedelta(seconds=61.5))
        bar(make, opened, 1.1 + hour / 1000, hour + 1, known, is_history=is_history)
        for place, at in enumerate(CORRECTED.get(hour, [])):
            bar(make, opened, 1.2 + place / 100, 1000 + hour + place, FIRST + at)
    for hour in range(HOURS):
        slot = FIRST + hour * HOUR
        if hour in REPLAYED:
            make.slot(published, slot, "replayed")
        elif hour in MISSED:
            make.slot(published, slot, "missed")
        elif hour in LATE:
            make.slot(published, slot, "late")
        else:
            late = slot + 11 * MINUTE
            make.slot(published, slot, "live", proven_at=late if hour in TURNED else None)
    return published


def offer(make, published, reveal_after_hours, since):
    make.connection.execute(
        "insert into billing.price (signal_id, amount_minor, currency, trial_days,"
        " reveal_after_hours, valid_from) values (%s, 2900, 'EUR', 0, %s, %s)",
        [published.id, reveal_after_hours, since],
    )


def bar(make, opened, close, batch, known, *, is_history=False):
    make.connection.execute(
        "insert into market.ingest_batch values (%s, 'file', %s, %s, %s, 'd', '{}')"
        " on conflict do nothing",
        [batch, known, known, is_history],
    )
    make.bar(opened, close, batch=batch, known=known)


def ask(client, published, person, at, expected=200, **query):
    query = {name: iso(one) if isinstance(one, datetime) else one for name, one in query.items()}
    answer = client.get(
        f"{published.path}/playback",
        params={"at": iso(at), "from": iso(FIRST), "provenance": BY_DEFAULT} | query,
        headers=person.headers if person else {},
    )
    assert answer.status_code == expected, answer.text
    return answer.json()


def iso(instant):
    return instant.isoformat().replace("+00:00", "Z")


def seconds(instant):
    return math.ceil(instant.timestamp())


def rows(answer):
    """Each list of an answer as rows, with names in place of positions."""
    names = {
        "symbol": [one["symbol"] for one in answer["symbols"]],
        "version": [one["version"] for one in answer["versions"]],
        "levels": [tuple(levels) for levels in answer["quantile_levels"]],
    }
    found = {}
    for part in ("bars", "forecasts", "missed", "turned_late"):
        columns = {
            name: [names[name][one] for one in values] if name in names else values
            for name, values in answer[part].items()
        }
        assert len({len(values) for values in columns.values()}) == 1, part
        found[part] = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    return found


def instants(found):
    """Every instant in an answer's rows."""
    names = ("available_at", "as_of", "ts_open", "ts_close")
    return [row[name] for part in found.values() for row in part for name in names if name in row]


def joined(pieces):
    return {part: [row for piece in pieces for row in piece[part]] for part in pieces[0]}


def test_no_instant_shows_what_became_known_later_and_pieces_make_up_the_whole(
    client, played, bob, monkeypatch
):
    whole = rows(ask(client, played, bob, LAST))
    assert [len(part) for part in whole.values()] == [39, 68, 2, 2]
    every = st.integers(0, int((LAST - FIRST).total_seconds())).map(lambda s: FIRST + s * SECOND)

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(every, min_size=1, max_size=4).map(sorted), st.integers(1, 9))
    def holds(at, rows_at_most):
        monkeypatch.setattr(stored, "ROWS_AT_MOST", rows_at_most)
        pieces, since = [], {}
        for one in at:
            while True:
                answer = ask(client, played, bob, one, **since)
                piece = rows(answer)
                assert all(instant <= seconds(one) for instant in instants(piece))
                pieces.append(piece)
                since = {"since": answer["next"] or iso(one)}
                if answer["next"] is None:
                    break
        assert joined(pieces) == {
            part: [row for row in of if row["available_at"] <= seconds(at[-1])]
            for part, of in whole.items()
        }

    holds()


def test_a_correction_is_seen_from_the_second_on_in_which_it_was_known(client, played, bob):
    def closes(at):
        found = rows(ask(client, played, bob, at))["bars"]
        return [row["close"] for row in found if row["ts_open"] == seconds(FIRST + 10 * HOUR)]

    first, second = (FIRST + at for at in CORRECTED[10])
    assert closes(FIRST + 11 * HOUR + 2 * MINUTE - SECOND) == []
    assert closes(first - SECOND) == [1.1 + 10 / 1000]
    assert closes(first) == closes(second - SECOND) == [1.1 + 10 / 1000, 1.2]
    assert closes(second) == [1.1 + 10 / 1000, 1.2, 1.21]


def test_what_nobody_saw_then_comes_marked_or_only_when_it_is_asked_for(client, played, bob):
    found = rows(ask(client, played, bob, LAST))
    marked = [row["is_history"] for row in found["bars"] if row["close"] not in (1.2, 1.21)]
    assert sum(marked) == 24
    assert not any(row["is_history"] for row in found["bars"] if row["available_at"] % 3600 == 0)
    replayed = [row for row in found["forecasts"] if row["provenance"] == "replayed"]
    assert {row["available_at"] - row["as_of"] for row in replayed} == {0}
    by_default = rows(ask(client, played, bob, LAST, provenance="live,late"))["forecasts"]
    assert {row["provenance"] for row in by_default} == {"live", "late"}
    assert {row["available_at"] - row["as_of"] for row in by_default} == {180}


def test_a_slot_is_late_from_the_deadline_on_and_not_before(client, played, bob):
    slot = FIRST + TURNED[0] * HOUR

    def late(at):
        return [row["as_of"] for row in rows(ask(client, played, bob, at))["turned_late"]]

    assert late(slot + 10 * MINUTE) == []
    assert late(slot + 10 * MINUTE + SECOND) == [seconds(slot)]


def test_misses_say_their_kind_and_filters_leave_the_others_out(client, played, bob):
    found = rows(ask(client, played, bob, LAST, horizon=4, symbol="EURUSD"))
    assert {row["horizon_hours"] for row in found["forecasts"]} == {4}
    assert [(row["as_of"], row["reason"]) for row in found["missed"]] == [
        (seconds(FIRST + hour * HOUR), "timeout") for hour in MISSED
    ]
    assert ask(client, played, bob, LAST, 400, symbol="GBPUSD")["errors"][0]["field"] == "symbol"
    far = FIRST - 9000 * HOUR
    assert ask(client, played, bob, LAST, 400, **{"from": far})["errors"][0]["field"] == "from"


def test_an_instant_to_come_is_cut_to_now_and_a_past_one_is_answered_the_same_again(
    client, played, bob
):
    now = datetime.now(UTC)
    answer = ask(client, played, bob, now + 1000 * HOUR)
    assert abs(datetime.fromisoformat(answer["at"]) - now) < MINUTE
    path, headers = f"{played.path}/playback", bob.headers
    query = {"at": iso(LAST), "from": iso(FIRST)}
    tag = client.get(path, params=query, headers=headers).headers["ETag"]
    again = client.get(path, params=query, headers={**headers, "If-None-Match": tag})
    assert again.status_code == 304


def test_strangers_play_the_revealed_part_without_replays_and_are_told_where_it_ends(
    client, make, played, ada
):
    offer(make, played, 8760, FIRST + 30 * HOUR)
    told = client.get(f"{played.path}/playback/range").json()
    until = datetime.fromisoformat(told["until"])
    assert (until, told["entitled"]) == (FIRST + 30 * HOUR - SECOND, False)
    shown = rows(ask(client, played, None, until, provenance="live,late"))
    assert max(row["as_of"] for row in shown["forecasts"]) == seconds(FIRST + 29 * HOUR)
    for query in ({"at": until + SECOND, "provenance": "live"}, {"at": until}):
        refused = ask(client, played, None, expected=403, **query)
        assert refused["code"] == "subscription_required"
    own = client.get(f"{played.path}/playback/range", headers=ada.headers).json()
    assert own["entitled"]
    assert [one["provenance"] for one in own["first_slots"]] == [
        "replayed", "live", "missed", "late",
    ]  # fmt: skip
    make.connection.execute("update registry.signal set visibility = 'private'")
    assert client.get(f"{played.path}/playback/range").status_code == 404
