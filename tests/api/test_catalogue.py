"""Signals sought, sorted, set beside each other, and added to what somebody holds."""

import json
import math
from datetime import timedelta

import numpy as np
import pytest

from tests.api.conftest import NOW, SLOT

SORTS = ("newest", "name", "price", "live_age", "skill", "sharpe", "drawdown")


def headline(make, signal, live_days=100, measures=None, **numbers):
    columns = ("sharpe", "max_drawdown", "skill", "hit_rate")
    make.connection.execute(
        "insert into score.performance (signal_id, period, as_of, computed_at, live_since,"
        " live_slots, sharpe, max_drawdown, skill, hit_rate, measures)"
        " values (%s, 'all', %s, %s, %s, 500, %s, %s, %s, %s, %s)",
        [
            *(signal.id, SLOT, NOW, NOW - timedelta(days=live_days)),
            *(numbers.get(name) for name in columns),
            json.dumps(measures or {}),
        ],
    )


def words(make, signal, title, description=""):
    make.connection.execute(
        "update registry.signal set title = %s, description = %s where id = %s",
        [title, description, signal.id],
    )


def offer(make, signal, amount, currency="EUR", trial_days=0):
    make.connection.execute(
        "insert into billing.price (signal_id, amount_minor, currency, trial_days, valid_from)"
        " values (%s, %s, %s, %s, %s)",
        [signal.id, amount, currency, trial_days, NOW - timedelta(days=1)],
    )


def returns(make, signal, values, first=SLOT - timedelta(days=60)):
    with make.connection.cursor() as cursor:
        cursor.executemany(
            "insert into score.rule_return values (%s, %s, %s, %s, 0, %s, 0)",
            [
                (signal.id, first + timedelta(hours=hour), NOW, value, value)
                for hour, value in enumerate(values)
            ],
        )


@pytest.fixture
def market(make, ada, bob):
    """Six signals: three with a headline, one of them half known, and three without."""
    made = {name: make.signal(ada, name) for name in ("alpha", "beta", "gamma", "delta")}
    made |= {name: make.signal(bob, name) for name in ("surf", "hidden")}
    make.connection.execute(
        "update registry.signal set visibility = 'private' where id = %s", [made["hidden"].id]
    )
    make.connection.execute(
        "update registry.signal set created_at = %s where id = %s",
        [NOW - timedelta(days=1), made["delta"].id],
    )
    headline(make, made["alpha"], 10, sharpe=1.5, max_drawdown=0.3, skill=0.1, hit_rate=0.5)
    headline(make, made["beta"], 400, sharpe=-0.5, max_drawdown=0.1, skill=0.1, hit_rate=0.6)
    why = {"sharpe": {"reason": "12 live days; 30 are needed"}}
    headline(make, made["gamma"], 12, measures=why, skill=0.02)
    words(make, made["alpha"], "Momentum of currencies", "Trend following over hours")
    words(make, made["surf"], "Waves", "Mean reversion after large moves")
    offer(make, made["alpha"], 900)
    offer(make, made["beta"], 100, "USD", trial_days=7)
    offer(make, made["surf"], 4000, trial_days=30)
    return made


def listed(client, headers=None, **parameters):
    answer = client.get("/v1/signals", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return [signal["name"] for signal in answer.json()["items"]]


WORDS = {
    "momentum": ["alpha"],
    "currency trends": ["alpha"],
    "moves mean": ["surf"],
    "reversions": ["surf"],
    "bob": ["surf"],
    "ada/al": ["alpha"],
    "ada momen": ["alpha"],
    "momentum waves": [],
    "%": [],
    "_": [],
    '"mean reversion" -large': [],
    "'; drop table registry.signal; --": [],
    "&|!():*<->\\": [],
    "hidden": [],
}


@pytest.mark.usefixtures("market")
def test_words_are_found_by_part_and_by_stem_in_any_order_and_operators_are_only_words(client):
    assert {q: listed(client, q=q) for q in WORDS} == WORDS


@pytest.mark.usefixtures("market")
def test_filters_leave_what_has_what_they_ask_for_and_never_what_is_unknown(client, bob):
    assert listed(client, provider="bob") == ["surf"]
    assert listed(client, bob.headers, provider="bob", sort="name") == ["hidden", "surf"]
    assert listed(client, horizon=4, symbol="EURUSD", provider="bob") == ["surf"]
    assert listed(client, horizon=5) == listed(client, symbol="GBPUSD") == []
    assert listed(client, max_price_minor=1000) == ["alpha"]
    assert listed(client, max_price_minor=1000, currency="USD") == ["beta"]
    assert listed(client, currency="USD") == ["beta"]
    assert "alpha" not in listed(client, trial=True)
    assert listed(client, trial=False) == ["alpha"]
    assert listed(client, min_live_days=12, sort="name") == ["beta", "gamma"]
    assert listed(client, min_skill=0.1, sort="name") == ["alpha", "beta"]
    assert listed(client, max_drawdown=0.2) == ["beta"]


@pytest.mark.usefixtures("market")
def test_sorts_say_what_they_say_with_unknowns_last_in_both_directions(client):
    assert listed(client, sort="name") == ["alpha", "beta", "delta", "gamma", "surf"]
    assert listed(client, sort="sharpe-desc")[:2] == ["alpha", "beta"]
    assert listed(client, sort="sharpe")[:2] == ["beta", "alpha"]
    assert listed(client, sort="skill")[0] == "gamma"
    assert listed(client, sort="drawdown")[:2] == ["beta", "alpha"]
    assert listed(client, sort="live_age")[:3] == ["alpha", "gamma", "beta"]
    assert listed(client, sort="live_age-desc")[:3] == ["beta", "gamma", "alpha"]
    assert listed(client, sort="price")[0] == "alpha"
    assert listed(client, sort="price")[-1] == listed(client, sort="price-desc")[-1] == "beta"
    assert listed(client, sort="price", currency="USD") == ["beta"]
    assert listed(client, sort="newest")[0] == listed(client, sort="newest-desc")[-1] == "delta"


@pytest.mark.usefixtures("market")
def test_pages_of_one_join_to_the_whole_in_every_sort_and_a_foreign_cursor_is_refused(client):
    for each in (sort + end for sort in SORTS for end in ("", "-desc")):
        joined, cursor = [], None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = client.get("/v1/signals", params={"limit": 1, "sort": each, **more}).json()
            joined += [signal["name"] for signal in page["items"]]
            if page["next"] is None:
                break
            cursor = page["next"]
        assert joined == listed(client, sort=each)
        assert len(joined) == len(set(joined)) == 5
        other = "name" if "name" not in each else "skill"
        refused = client.get("/v1/signals", params={"sort": other, "cursor": cursor})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_cursor")


@pytest.mark.usefixtures("market")
def test_a_headline_shows_its_numbers_and_says_why_others_are_missing(client):
    shown = {name: client.get(f"/v1/signals/ada/{name}").json()["headline"] for name in
             ("alpha", "gamma", "delta")}  # fmt: skip
    assert (shown["alpha"]["sharpe"], shown["alpha"]["live_slots"]) == (1.5, 500)
    assert shown["alpha"]["reasons"] == {}
    assert shown["gamma"]["sharpe"] is None
    assert shown["gamma"]["reasons"]["sharpe"] == "12 live days; 30 are needed"
    assert (shown["delta"]["as_of"], shown["delta"]["live_since"]) == (None, None)
    assert set(shown["delta"]["reasons"]) == {"sharpe", "max_drawdown", "skill", "hit_rate"}


def test_a_record_too_short_for_a_rank_still_shows_what_it_has_so_far(client, make, market):
    why = {"reason": "12 live days; 30 are needed"}
    sharpe = {"value": 1.2, "count": 288, "low": -0.4, "high": 2.9}
    measures = {
        "sharpe": why,
        "live": {"sharpe": sharpe, "total_return": {"value": 0.02, "count": 288}, "crps": {}},
        "afterwards": {"total_return": {"value": 0.3, "count": 900}, "volatility": {}},
    }
    headline(make, market["delta"], 12, measures=measures)
    shown = client.get("/v1/signals/ada/delta").json()["headline"]
    assert (shown["sharpe"], shown["reasons"]["sharpe"]) == (None, why["reason"])
    assert shown["so_far"]["sharpe"] == {**sharpe, "reason": None}
    assert shown["so_far"]["total_return"]["value"] == 0.02
    assert shown["afterwards"]["total_return"]["count"] == 900
    assert (set(shown["so_far"]), set(shown["afterwards"])) == (
        {"sharpe", "total_return"}, {"total_return"},
    )  # fmt: skip
    assert client.get("/v1/signals/ada/gamma").json()["headline"]["so_far"] == {}


@pytest.fixture
def earned(make, market):
    """Returns of three signals that overlap in part: 400 hours of each, 300 of all."""
    random = np.random.default_rng(7)
    base = random.normal(0.0002, 0.01, 500)
    series = {
        "alpha": base[:400],
        "beta": base[:400] * 0.5 + random.normal(0, 0.01, 400),
        "surf": random.normal(0.0004, 0.02, 400),
    }
    for name, values in series.items():
        late = timedelta(hours=100 if name == "surf" else 0)
        returns(make, market[name], [float(v) for v in values], SLOT - timedelta(days=60) + late)
    return {"alpha": series["alpha"], "beta": series["beta"],
            "surf": np.concatenate([np.full(100, np.nan), series["surf"]])[:400]}  # fmt: skip


def test_a_comparison_correlates_each_pair_over_the_hours_that_both_have(client, earned):
    url = "/v1/signals/compare?signals=ada/alpha,bob/surf,ada/beta"
    found = client.get(url).json()
    assert [s["signal"] for s in found["signals"]] == ["ada/alpha", "bob/surf", "ada/beta"]
    assert found["signals"][0]["offer"]["amount_minor"] == 900
    pairs = {(pair["a"], pair["b"]): pair for pair in found["correlations"]}
    assert list(pairs) == [
        ("ada/alpha", "bob/surf"), ("ada/alpha", "ada/beta"), ("bob/surf", "ada/beta"),
    ]  # fmt: skip
    assert [pair["hours"] for pair in pairs.values()] == [300, 400, 300]
    for (a, b), pair in pairs.items():
        x, y = earned[a.split("/")[1]], earned[b.split("/")[1]]
        both = ~(np.isnan(x) | np.isnan(y))
        assert pair["correlation"] == pytest.approx(np.corrcoef(x[both], y[both])[0, 1], abs=1e-12)
        assert pair["reason"] is None


def test_too_few_hours_and_returns_that_stand_still_are_null_with_a_reason(client, make, market):
    returns(make, market["alpha"], [0.01] * 200)
    returns(make, market["beta"], [0.001 * (hour % 7) for hour in range(200)])
    returns(make, market["surf"], [0.001 * (hour % 5) for hour in range(167)])
    url = "/v1/signals/compare?signals=ada/alpha,ada/beta,bob/surf,ada/delta"
    reasons = {
        (pair["a"], pair["b"]): (pair["hours"], pair["correlation"], pair["reason"])
        for pair in client.get(url).json()["correlations"]
    }
    assert reasons["ada/alpha", "ada/beta"] == (
        200, None, "a return did not vary in the hours in common",
    )  # fmt: skip
    assert reasons["ada/beta", "bob/surf"] == (
        167, None, "167 hours in common; at least 168 are needed",
    )  # fmt: skip
    assert reasons["bob/surf", "ada/delta"][:2] == (0, None)


@pytest.mark.usefixtures("market")
def test_a_private_signal_stays_unknown_in_comparisons_and_portfolios(client, ada, bob):
    for url in (
        "/v1/signals/compare?signals=ada/alpha,bob/hidden",
        "/v1/signals/ada/alpha/marginal?held=ada/beta,bob/hidden",
        "/v1/signals/bob/hidden/marginal?held=ada/beta",
    ):
        absent = url.replace("hidden", "nothing")
        refused, never = client.get(url, headers=ada.headers), client.get(absent)
        assert (refused.status_code, never.status_code) == (404, 404)
        assert refused.text.replace("hidden", "nothing") == never.text
        assert client.get(url, headers=bob.headers).status_code == 200


def test_a_comparison_of_none_one_or_six_is_refused_by_name(client):
    for signals in (
        "",
        "ada/alpha",
        "a/b,c/d,e/f,g/h,i/j,k/l",
        "ada,alpha",
        "a/b,c/d\n",
        "a/b c/d",
    ):
        answer = client.get("/v1/signals/compare", params={"signals": signals})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "signals")


def sharpe(values, per_year):
    return float(np.mean(values) / np.std(values, ddof=1) * math.sqrt(per_year))


def test_a_signals_margin_is_the_change_of_the_portfolios_sharpe_over_common_hours(client, earned):
    found = client.get("/v1/signals/bob/surf/marginal?held=ada/alpha,ada/beta").json()
    kept = slice(100, 400)
    held = (earned["alpha"][kept] + earned["beta"][kept]) / 2
    added = earned["surf"][kept]
    with_it = (2 * held + added) / 3
    assert (found["hours"], found["held"]) == (300, ["ada/alpha", "ada/beta"])
    assert found["correlation"] == pytest.approx(np.corrcoef(held, added)[0, 1], abs=1e-12)
    assert found["sharpe_held"] == pytest.approx(sharpe(held, 8760), rel=1e-10)
    assert found["sharpe_with"] == pytest.approx(sharpe(with_it, 8760), rel=1e-10)
    assert found["sharpe_change"] == pytest.approx(
        sharpe(with_it, 8760) - sharpe(held, 8760), rel=1e-9
    )
    assert found["reason"] is None


def test_without_a_list_the_portfolio_is_what_i_subscribe_to_less_the_signal_itself(
    client, make, market, bob
):
    url = "/v1/signals/ada/delta/marginal"
    eve = make.person("eve")
    nothing = client.get(url, headers=eve.headers).json()
    assert (nothing["held"], nothing["sharpe_change"]) == ([], None)
    assert nothing["reason"] == "nothing else is held"
    make.subscription(eve, market["gamma"])
    make.subscription(eve, market["delta"])
    mine = client.get(url, headers=eve.headers).json()
    assert mine["held"] == ["ada/gamma"]
    assert mine["reason"] == "0 hours in common; at least 168 are needed"
    assert mine == client.get(f"{url}?held=ada/delta,ada/gamma").json()
    assert client.get(url, headers=bob.headers).json()["held"] == []
    assert client.get(url).status_code == 401


def test_sharpe_is_annualised_by_the_hours_that_the_signals_measures_name(client, make, earned):
    url = "/v1/signals/ada/beta/marginal?held=ada/alpha"
    plain = client.get(url).json()
    make.connection.execute(
        "update score.performance set measures = %s",
        [json.dumps({"hours_per_year": {"value": 6240}})],
    )
    found = client.get(url).json()
    assert (plain["hours_per_year"], found["hours_per_year"]) == (8760, 6240)
    assert found["sharpe_held"] == pytest.approx(sharpe(earned["alpha"], 6240), rel=1e-10)
