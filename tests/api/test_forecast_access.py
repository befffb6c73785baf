"""Forecasts go to those who are entitled, and to nobody else."""

from datetime import UTC, datetime, timedelta

import pytest

ROUTES = ["/forecasts", "/forecasts/latest"]


def test_reading_the_latest_without_a_token_is_401(client, tide):
    answer = client.get(f"{tide.path}/forecasts/latest")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("route", ROUTES)
def test_reading_without_a_subscription_is_403_and_says_how_to_get_one(client, tide, bob, route):
    answer = client.get(tide.path + route, headers=bob.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "subscription_required")
    assert "POST /v1/subscriptions" in answer.json()["detail"]


@pytest.mark.parametrize("route", ["", *ROUTES, "/performance", "/versions", "/versions/v1.0.0"])
def test_a_private_signal_of_somebody_else_looks_as_if_it_did_not_exist(
    client, make, ada, bob, route
):
    secret = make.signal(ada, "secret", visibility="private")
    missing = client.get(f"/v1/signals/ada/absent{route}", headers=bob.headers)
    hidden = client.get(secret.path + route, headers=bob.headers)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text == missing.text.replace("absent", "secret")


@pytest.mark.parametrize("state", ["trialing", "active", "past_due"])
def test_a_subscription_whose_period_is_over_reads_nothing(client, make, tide, bob, state):
    make.subscription(bob, tide, state, ends=datetime.now(UTC) - timedelta(seconds=1))
    answer = client.get(f"{tide.path}/forecasts", headers=bob.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "subscription_required")
    assert client.get("/v1/forecasts/latest", headers=bob.headers).json()["items"] == []


@pytest.mark.parametrize("state", ["incomplete", "canceled", "expired"])
def test_an_unpaid_or_ended_subscription_reads_nothing(client, make, tide, bob, state):
    make.subscription(bob, tide, state)
    assert client.get(f"{tide.path}/forecasts", headers=bob.headers).status_code == 403


def test_a_subscription_to_one_signal_does_not_open_another(client, make, tide, ada, bob):
    other = make.signal(ada, "ebb")
    make.slot(other)
    make.subscription(bob, tide)
    assert client.get(f"{other.path}/forecasts", headers=bob.headers).status_code == 403
    items = client.get("/v1/forecasts/latest", headers=bob.headers).json()["items"]
    assert {row["signal"] for row in items} == {"ada/tide"}


def test_a_provider_reads_their_own_private_signal(client, make, ada):
    own = make.signal(ada, "secret", visibility="private")
    make.slot(own)
    answer = client.get(f"{own.path}/forecasts", headers=ada.headers)
    assert len(answer.json()["items"]) == 2


def test_who_paid_keeps_reading_a_signal_that_was_unpublished(client, make, tide, ada, bob):
    make.subscription(bob, tide)
    assert client.post(f"{tide.path}/unpublish", headers=ada.headers).status_code == 200
    assert client.get(f"{tide.path}/forecasts", headers=bob.headers).status_code == 200
    assert client.get(tide.path).status_code == 404
