"""What was logged becomes public when its reveal delay is over, and not an hour before."""

from datetime import UTC, datetime, timedelta

import pytest

from sql.clock import floor_hour

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
WEEK = timedelta(hours=168)
# Past the week by an hour, and within it by three: the hour may turn while tests run.
REVEALED = floor_hour(NOW) - WEEK - HOUR
HIDDEN = floor_hour(NOW) - WEEK + 3 * HOUR


@pytest.fixture
def logged(make, ada):
    """ada/tide with an offer a month old; `logged(slot)` adds a slot to it."""
    published = make.signal(ada)
    terms(make, published, NOW - timedelta(days=30), 168)

    def add(slot, *, provenance="live", opening=True):
        return make.slot(published, slot, provenance, opening=opening)

    add.published = published
    return add


def terms(make, published, since, hours):
    make.connection.execute(
        "insert into billing.price (signal_id, amount_minor, currency, trial_days,"
        " reveal_after_hours, valid_from) values (%s, 2900, 'EUR', 0, %s, %s)",
        [published.id, hours, since],
    )


def read(client, published, to, **more):
    query = {"to": f"{to:%Y-%m-%dT%H:%M:%SZ}", **more.pop("query", {})}
    return client.get(f"{published.path}/forecasts", params=query, **more)


def slots(answer):
    assert answer.status_code == 200, answer.text
    return {row["as_of"][:13] for row in answer.json()["items"]}


def named(*instants):
    return {f"{instant:%Y-%m-%dT%H}" for instant in instants}


def test_a_stranger_reads_revealed_slots_with_their_provenance_and_leaf(client, logged):
    logged(REVEALED)
    logged(REVEALED - HOUR, provenance="late")
    logged(HIDDEN)
    answer = read(client, logged.published, REVEALED + HOUR)
    assert slots(answer) == named(REVEALED, REVEALED - HOUR)
    assert [row["provenance"] for row in answer.json()["items"]] == ["live"] * 2 + ["late"] * 2
    assert answer.json()["items"][0]["leaf_index"] == 0


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_stranger_who_asks_for_an_hour_more_is_refused_and_told_where_the_public_part_ends(
    client, logged, bob, signed_in
):
    logged(REVEALED)
    headers = bob.headers if signed_in else {}
    until = floor_hour(datetime.now(UTC)) - WEEK + HOUR
    assert slots(read(client, logged.published, until, headers=headers)) == named(REVEALED)
    answer = read(client, logged.published, until + HOUR, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "subscription_required")
    assert f"{until:%Y-%m-%dT%H:00:00Z}" in answer.json()["detail"]
    assert client.get(f"{logged.published.path}/forecasts", headers=headers).status_code == 403


def test_a_stranger_who_asks_for_replayed_slots_is_refused_however_old_they_are(client, logged):
    answer = read(client, logged.published, REVEALED, query={"provenance": "live,replayed"})
    assert (answer.status_code, answer.json()["code"]) == (403, "subscription_required")


def test_a_delay_made_longer_afterwards_hides_no_slot_that_was_made_before(client, make, logged):
    """The provider sees a losing week coming up for reveal, and asks for a year."""
    logged(REVEALED)
    changed = REVEALED + HOUR
    terms(make, logged.published, changed, 8760)
    logged(changed)
    assert slots(read(client, logged.published, changed)) == named(REVEALED)
    assert read(client, logged.published, changed + HOUR).status_code == 403


def test_a_delay_made_shorter_reveals_only_what_is_made_under_it(client, make, logged):
    terms(make, logged.published, HIDDEN + 2 * HOUR, 1)
    for slot in (REVEALED, HIDDEN, HIDDEN + 3 * HOUR):
        logged(slot)
    with_gap = read(client, logged.published, HIDDEN + 4 * HOUR)
    assert with_gap.status_code == 403
    assert slots(read(client, logged.published, REVEALED + HOUR)) == named(REVEALED)


@pytest.mark.parametrize("table", ["forecast", "opening"])
def test_sql_as_the_api_without_a_person_sees_revealed_rows_only(database, logged, table):
    shown = logged(REVEALED)
    logged(HIDDEN)
    with database.connect("signalbox_api") as connection:
        found = connection.execute(
            f"select distinct slot_record_id from forecast.{table}"
        ).fetchall()
    assert found == [(shown,)]


def test_the_slots_of_a_private_signal_are_never_revealed(database, client, make, logged, ada, bob):
    logged(REVEALED)
    make.connection.execute("update registry.signal set visibility = 'private'")
    operator = make.person("root", "operator")
    assert read(client, logged.published, REVEALED + HOUR, headers=bob.headers).status_code == 404
    answer = read(client, logged.published, REVEALED + HOUR, headers=operator.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "subscription_required")
    assert slots(read(client, logged.published, REVEALED + HOUR, headers=ada.headers))
    with database.connect("signalbox_api") as connection:
        assert connection.execute("select count(*) from forecast.opening").fetchone() == (0,)


def test_a_withheld_opening_is_shown_as_unopened_and_counted_as_a_miss(client, make, logged):
    kept, lost = logged(REVEALED), logged(REVEALED - HOUR, opening=False)
    for record in (kept, lost):
        make.score(record, 1, 0.5, hit=True)
    rows = read(client, logged.published, REVEALED + HOUR).json()["items"]
    assert [row["is_unopened"] for row in rows] == [False, False, True, True]
    record = client.get(f"{logged.published.path}/track-record").json()
    counts = {name: record[name] for name in ("due", "live", "late", "missed", "unopened")}
    assert counts == {"due": 2, "live": 1, "late": 0, "missed": 1, "unopened": 1}
    shown = client.get(f"{logged.published.path}/performance?window=all").json()
    assert (shown["due"], shown["missed"], shown["unopened"]) == (2, 1, 1)
    assert (shown["live"]["count"], shown["live"]["scored_forecasts"]) == (1, 1)


def test_a_losing_version_that_was_retired_stays_in_the_track_record(client, make, logged):
    logged(REVEALED)
    logged(REVEALED - HOUR, provenance="missed", opening=False)
    make.connection.execute("update registry.version set state = 'retired'")
    make.version(logged.published.id, logged.published.provider, "v2.0.0")
    versions = client.get(f"{logged.published.path}/track-record").json()["versions"]
    shown = [(v["version"], v["state"], v["due"], v["live"], v["missed"]) for v in versions]
    assert shown == [("v2.0.0", "live", 0, 0, 0), ("v1.0.0", "retired", 2, 1, 1)]


def test_the_rate_of_reproduction_is_null_with_a_reason_until_something_was_run_again(
    client, make, logged
):
    logged(REVEALED)
    for path in (f"{logged.published.path}/track-record", "/v1/reproduction"):
        shown = client.get(path).json()
        shown = shown.get("reproduction", shown)
        assert (shown["reproduced"], shown["total"], shown["rate"]) == (0, 0, None)
        assert shown["reason"]
    for result, why in (("reproduced", ""), ("differs", "BTCUSDT 1 h"), ("reproduced", "")):
        make.connection.execute(
            "insert into transparency.reproduction (leaf_index, result, why, drawn_by, audit_leaf,"
            " reproduced_at) values (0, %s, %s, 'd', 0, now())",
            [result, why],
        )
    shown = client.get("/v1/reproduction").json()
    assert (shown["reproduced"], shown["total"], shown["rate"]) == (2, 3, 2 / 3)
    shown = client.get(f"{logged.published.path}/track-record").json()["reproduction"]
    assert (shown["reproduced"], shown["total"]) == (2, 3)
