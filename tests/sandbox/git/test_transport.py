"""HTTP: who is let in, what is answered to whom, and what is no git at all."""

import base64
import http.client
import os
import socket
import time

import pytest

from tests.waiting import until

COMMANDS = "application/x-git-receive-pack-request"


def ask(house, path: str, key: str | None, *, method: str = "GET", **options) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(house.host, house.port, timeout=30)
    headers = dict(options.get("headers", {}))
    if key is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"x:{key}".encode()).decode()
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        body = options.get("body", b"")
        if "Content-Length" not in headers and body:
            headers["Content-Length"] = str(len(body))
        for name, text in headers.items():
            connection.putheader(name, text)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def refs_of(handle: str, name: str, service: str = "git-receive-pack") -> str:
    return f"/git/{handle}/{name}.git/info/refs?service={service}"


@pytest.mark.parametrize("service", ["git-receive-pack", "git-upload-pack"])
@pytest.mark.parametrize("flaw", ["none", "wrong", "malformed", "other", "revoked", "expired"])
def test_a_missing_wrong_revoked_or_expired_key_is_told_401(house, ada, flaw, service):
    keys = {
        "none": lambda: None,
        "wrong": lambda: ada.key[:-4] + ("aaaa" if not ada.key.endswith("aaaa") else "bbbb"),
        "malformed": lambda: "' or 1=1 --",
        "other": lambda: ada.key.replace("sk_test_", "sk_production_"),
        "revoked": lambda: house.with_key(ada, "read", "push", ended="revoked_at").key,
        "expired": lambda: house.with_key(ada, "read", "push", ended="expires_at").key,
    }
    status, text = ask(house, refs_of("ada", "closed", service), keys[flaw]())
    assert status == 401
    assert b"give an API key with scope push as the password" in text
    assert not house.repository(ada, "closed").exists()


def test_a_bearer_token_or_broken_header_is_told_401(house, ada):
    for header in (f"Bearer {ada.key}", "Basic", "Basic !!!", "Basic /w=="):
        headers = {"Authorization": header}
        assert ask(house, refs_of("ada", "closed"), None, headers=headers)[0] == 401


def test_a_key_without_the_scope_push_is_told_403(house, ada):
    reader = house.with_key(ada, "read")
    status, text = ask(house, refs_of("ada", "closed"), reader.key)
    assert (status, text) == (403, b"this API key lacks the scope push\n")
    work = house.work(reader, "closed")
    work.commit()
    assert "403" in work.push("main").text


@pytest.mark.parametrize("name", ["private", "absent"])
def test_another_providers_repository_is_told_404_whether_it_exists_or_not(house, ada, bob, name):
    if name == "private":
        assert ask(house, refs_of("ada", name), ada.key)[0] == 200
    for service in ("git-receive-pack", "git-upload-pack"):
        status, text = ask(house, refs_of("ada", name, service), bob.key)
        assert (status, text) == (404, b"no such repository among yours\n")
        status, _ = ask(
            house, f"/git/ada/{name}.git/{service}", bob.key, method="POST", body=b"0000"
        )
        assert status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/git/ada/../bob/x.git/info/refs?service=git-receive-pack",
        "/git/ada/..%2f..%2fetc.git/info/refs?service=git-receive-pack",
        "/git/ada/%2e%2e/%2e%2e/etc/passwd",
        "/git/ada/.hooks.git/info/refs?service=git-receive-pack",
        "/git/../../etc/passwd",
        "/git/ada//etc/passwd",
        "/git/ada/tide.git/../../../etc/passwd",
        "/git/ada/tide%00.git/info/refs?service=git-receive-pack",
        "/git/ada/tide%0a.git/info/refs?service=git-receive-pack",
        "/git/ada/Tide.git/info/refs?service=git-receive-pack",
        "/git/ada/tide.git/HEAD",
        "/git/ada/tide.git/config",
        "/git/ada/tide.git/objects/info/packs",
        "/git/ada/tide.git/objects/00/00000000000000000000000000000000000000",
        "/git/ada/tide.git/info/refs",
        "/git/ada/tide.git/info/refs?service=git-upload-archive",
        "/git/ada/tide.git/info/refs?service=git-receive-pack&service=git-upload-archive",
        "/git/ada/tide.git/git-upload-archive",
        "/",
    ],
)
def test_path_traversal_and_dumb_files_are_told_404(house, ada, path):
    assert ask(house, path, ada.key)[0] == 404


def test_a_get_of_a_service_is_told_405(house, ada):
    assert ask(house, "/git/ada/tide.git/git-receive-pack", ada.key)[0] == 405


def push_path(name: str) -> str:
    return f"/git/ada/{name}.git/git-receive-pack"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "br"])
def test_a_compressed_flood_of_commands_is_told_415(house, ada, encoding):
    headers = {"Content-Encoding": encoding, "Content-Type": COMMANDS}
    answer = ask(
        house, push_path("flood"), ada.key, method="POST", headers=headers, body=b"\x1f\x8b"
    )
    assert answer[0] == 415


def test_a_body_announced_too_long_is_told_413_before_it_is_sent(house, ada):
    headers = {"Content-Length": str(27 * 1024 * 1024), "Content-Type": COMMANDS}
    status, text = ask(house, push_path("long"), ada.key, method="POST", headers=headers)
    assert (status, text) == (413, b"a push is at most 26 MB\n")


@pytest.mark.parametrize("length", ["-1", "1e9", "abc", "0x10"])
def test_a_length_that_is_no_number_is_told_400(house, ada, length):
    headers = {"Content-Length": length, "Content-Type": COMMANDS}
    status, _ = ask(house, push_path("odd"), ada.key, method="POST", headers=headers)
    assert status == 400


GARBAGE = {
    "noise": os.urandom(10_000),
    "nothing": b"0000",
    "a length of four hex f": b"ffff" + b"x" * 100,
    "a length that is too short": b"0001",
    "no hexadecimal": b"zzzz",
    "a command without a pack": (
        b"00870000000000000000000000000000000000000000 "
        b"1111111111111111111111111111111111111111 refs/heads/main\0 report-status side-band-64k"
        b"0000"
    ),
    "HTML": b"<html>" * 1000,
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_garbage_body_publishes_nothing_and_the_server_still_serves(house, ada, body):
    began = time.monotonic()
    status, answer = ask(
        house, push_path("garbage"), ada.key, method="POST", body=body,
        headers={"Content-Type": COMMANDS},
    )  # fmt: skip
    assert time.monotonic() - began < 10
    assert status < 500
    assert b"unpack ok" not in answer
    assert ask(house, refs_of("ada", "garbage"), ada.key)[0] == 200
    assert house.versions("garbage") == {}


def test_a_wrong_content_type_is_told_415(house, ada):
    headers = {"Content-Type": "text/plain"}
    status, _ = ask(
        house, push_path("typed"), ada.key, method="POST", body=b"0000", headers=headers
    )
    assert status == 415


def test_bytes_that_are_no_http_are_closed_and_the_server_still_serves(house):
    with socket.create_connection((house.host, house.port), 10) as connection:
        connection.sendall(os.urandom(2000) + b"\r\n\r\n")
        connection.settimeout(10)
        assert connection.recv(1024).startswith((b"HTTP/1.1 400", b""))
    assert house.is_serving()


def test_a_body_that_stops_half_way_ends_its_workers(house, ada):
    credentials = base64.b64encode(f"x:{ada.key}".encode()).decode()
    head = (
        f"POST {push_path('half')} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\n"
        f"Content-Type: {COMMANDS}\r\nContent-Length: 1000000\r\n\r\n0087"
    )
    with socket.create_connection((house.host, house.port), 10) as connection:
        connection.sendall(head.encode())
        until(lambda: any("receive-pack" in line for line in house.workers()))
    until(lambda: house.workers() == [], 10)
    objects = house.repository(ada, "half") / "objects"
    until(lambda: not list(objects.glob("*incoming*")), 5)
    assert house.is_serving()


def test_twenty_slow_bodies_do_not_keep_others_from_being_answered(house, ada):
    credentials = base64.b64encode(f"x:{ada.key}".encode()).decode()
    head = (
        f"POST {push_path('slow')} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\n"
        f"Content-Type: {COMMANDS}\r\nContent-Length: 1000000\r\n\r\n0"
    )
    slow = [socket.create_connection((house.host, house.port), 10) for _ in range(20)]
    try:
        for connection in slow:
            connection.sendall(head.encode())
        began = time.monotonic()
        assert ask(house, refs_of("ada", "quick"), ada.key)[0] == 200
        assert time.monotonic() - began < 10
    finally:
        for connection in slow:
            connection.close()
    until(lambda: house.workers() == [], 20)
