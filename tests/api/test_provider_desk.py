"""What a provider sees of their signals: pushes, slots, readers, earnings, prices."""

from datetime import UTC, datetime, timedelta

import pytest

from sql.roles import WORKER
from tests.api.conftest import NOW, SLOT


def own(client, person):
    answer = client.get("/v1/provider/signals", headers=person.headers)
    assert answer.status_code == 200
    return answer.json()["items"]


def test_the_desk_shows_a_name_that_nothing_was_pushed_to_yet(client, make, ada):
    client.post("/v1/signals", json={"name": "ebb"}, headers=ada.headers)
    (row,) = own(client, ada)
    assert (row["signal"], row["visibility"]) == ("ada/ebb", "private")
    assert (row["live_versions"], row["last_push"], row["last_slot"]) == ([], None, None)
    assert (row["paying"], row["trialing"], row["earned"]) == (0, 0, [])
    assert own(client, make.person("eve")) == []


def test_the_desk_tells_of_a_refused_push_the_newest_slot_and_who_reads(
    client, database, make, ada, bob, tide
):
    make.slot(tide, SLOT + timedelta(hours=1), "missed")
    make.slot(tide, SLOT + timedelta(hours=2), "replayed")
    rejected = make.version(tide.id, ada, "v1.1.0", "rejected")
    make.connection.execute(
        "update registry.version set reserved_at = %s, why = 'no wheel' where id = %s",
        [NOW, rejected],
    )
    reference = make.subscription(bob, tide)
    now = datetime.now(UTC)
    with database.connect(WORKER) as worker:
        worker.execute(
            "select ledger.invoice_paid(%s, 'a', %s, %s, 2900, 'EUR', 0, 'manual', %s, %s)",
            [reference, now, now + timedelta(days=31), now, now],
        )
    (row,) = own(client, ada)
    assert row["live_versions"] == ["v1.0.0"]
    push = row["last_push"]
    assert (push["version"], push["state"], push["why"]) == ("v1.1.0", "rejected", "no wheel")
    slot = row["last_slot"]
    assert (slot["version"], slot["proven"]) == ("v1.0.0", "missed")
    assert slot["reason"].startswith("timeout")
    assert (row["paying"], row["trialing"]) == (1, 0)
    assert row["earned"] == [{"currency": "EUR", "earned_minor": 2320}]


@pytest.mark.parametrize("what", ["runs", "logs"])
def test_runs_and_logs_are_asked_for_by_hour_and_by_what_is_proven(client, make, ada, tide, what):
    hours = [SLOT - timedelta(hours=n) for n in range(5, 9)]
    make.slot(tide, hours[0], "missed")
    make.slot(tide, hours[1])
    # Recorded in time, and covered by a checkpoint an hour after the deadline.
    make.slot(tide, hours[2], proven_at=hours[2] + timedelta(hours=1))
    make.slot(tide, hours[3], "replayed")

    def found(**query):
        path = f"{tide.path}/versions/v1.0.0/{what}"
        answer = client.get(path, params=query, headers=ada.headers).json()
        return [(run["as_of"], run["provenance"], run["proven"]) for run in answer["items"]]

    late, missed = (f"{hours[n]:%Y-%m-%dT%H:%M:%SZ}" for n in (2, 0))
    assert (late, "live", "late") in found()
    assert found(provenance="late") == [(late, "live", "late")]
    assert found(provenance="missed") == [(missed, "missed", "missed")]
    one_hour = {"from": late, "to": f"{hours[1]:%Y-%m-%dT%H:%M:%SZ}"}
    assert found(**one_hour) == [(late, "live", "late")]
    assert found(provenance="live", **one_hour) == []


def test_a_provider_reads_every_price_there_was_with_its_notice(client, ada, tide):
    later = (datetime.now(UTC) + timedelta(days=31)).isoformat()
    made = {"amount_minor": 3900, "currency": "EUR", "trial_days": 7, "effective_from": later}
    assert client.post(f"{tide.path}/offers", json=made, headers=ada.headers).status_code == 201
    new, first = client.get(f"{tide.path}/offers", headers=ada.headers).json()["items"]
    assert (new["amount_minor"], new["trial_days"], new["ends_old_terms"]) == (3900, 7, False)
    assert datetime.fromisoformat(new["effective_from"]) == datetime.fromisoformat(later)
    assert (first["amount_minor"], first["effective_from"]) == (2900, None)
    assert first["valid_from"] < new["valid_from"]
    page = client.get(f"{tide.path}/offers?limit=1", headers=ada.headers).json()
    rest = client.get(
        f"{tide.path}/offers", params={"cursor": page["next"]}, headers=ada.headers
    ).json()
    assert [page["items"], rest["items"]] == [[new], [first]]
