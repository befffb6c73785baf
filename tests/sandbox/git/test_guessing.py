"""Guessed keys: whoever guesses waits, and nobody else does."""

import base64
import http.client

import pytest

from sandbox.git.limits import MAX_WRONG_KEYS
from sql.api_key import new_key


def told(house, handle: str, key: str, address: str) -> tuple[int, str | None]:
    """Status and Retry-After, asked from an address that a proxy on this machine names."""
    connection = http.client.HTTPConnection(house.host, house.port, timeout=30)
    shown = base64.b64encode(f"x:{key}".encode()).decode()
    headers = {"Authorization": f"Basic {shown}", "X-Forwarded-For": address}
    path = f"/git/{handle}/guessed.git/info/refs?service=git-receive-pack"
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["Retry-After"]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("first", "neighbour"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1::1", "2001:db8:1::ffff")],
    ids=["IPv4", "IPv6, from all of a network"],
)
def test_guessing_keys_is_told_429_after_a_while_and_blocks_nobody_else(
    house, bob, first, neighbour
):
    known = house.with_key(bob, "read", "push")
    assert told(house, "bob", known.key, first)[0] == 200
    for _ in range(MAX_WRONG_KEYS):
        assert told(house, "bob", new_key("test").text, first)[0] == 401
    status, wait = told(house, "bob", new_key("test").text, neighbour)
    assert status == 429
    assert 0 < int(wait) <= 60
    # A colleague at the same address whose key was right before, and everybody elsewhere.
    assert told(house, "bob", known.key, neighbour)[0] == 200
    assert told(house, "bob", bob.key, "198.51.100.1")[0] == 200
    # Unless that key is revoked meanwhile.
    house.ask("update account.api_key set revoked_at = now() where id = %s returning id",
              known.key.split("_")[2])  # fmt: skip
    assert told(house, "bob", known.key, first)[0] == 401
    assert told(house, "bob", known.key, first)[0] == 429
