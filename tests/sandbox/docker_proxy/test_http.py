"""What two readers could read in two ways is refused before anybody reads it."""

import pytest

from sandbox.docker_proxy.errors import RefusedError
from sandbox.docker_proxy.http import parse_head

SMUGGLED = b"GET /containers/json HTTP/1.1\r\nHost: x\r\n\r\n"

HEADS = {
    "both lengths": b"POST /x HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"POST /x HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
    "a list of lengths": b"POST /x HTTP/1.1\r\nContent-Length: 4, 4\r\n\r\n",
    "a signed length": b"POST /x HTTP/1.1\r\nContent-Length: +4\r\n\r\n",
    "another coding": b"POST /x HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "a coding twice": b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: x\r\n\r\n",
    "a folded header": b"POST /x HTTP/1.1\r\nHost: x\r\n Transfer-Encoding: chunked\r\n\r\n",
    "a space before the colon": b"POST /x HTTP/1.1\r\nContent-Length : 4\r\n\r\n",
    "a bare line feed": b"POST /x HTTP/1.1\r\nHost: x\nContent-Length: 4\r\n\r\n",
    "a bare return": b"POST /x HTTP/1.1\r\nHost: x\rContent-Length: 4\r\n\r\n",
    "a NUL": b"POST /x HTTP/1.1\r\nHost: x\0y\r\n\r\n",
    "a letter that is no ASCII": "POST /x HTTP/1.1\r\nHost: \u212a\r\n\r\n".encode(),
    "an absolute target": b"GET http://x/version HTTP/1.1\r\n\r\n",
    "an encoded slash": b"GET /containers%2fjson HTTP/1.1\r\n\r\n",
    "encoded dots": b"GET /v1.41/%2e%2e/version HTTP/1.1\r\n\r\n",
    "dots": b"GET /v1.41/../version HTTP/1.1\r\n\r\n",
    "a dot": b"GET /v1.41/./version HTTP/1.1\r\n\r\n",
    "double slashes": b"GET //version HTTP/1.1\r\n\r\n",
    "double slashes after the version": b"GET /v1.41//version HTTP/1.1\r\n\r\n",
    "a slash at the end": b"GET /version/ HTTP/1.1\r\n\r\n",
    "a semicolon": b"GET /version;x HTTP/1.1\r\n\r\n",
    "a backslash": b"GET /a\\version HTTP/1.1\r\n\r\n",
    "a parameter twice": b"GET /version?all=1&all=0 HTTP/1.1\r\n\r\n",
    "a parameter without a value": b"GET /version?all HTTP/1.1\r\n\r\n",
    "a parameter that is no UTF-8": b"GET /version?all=%ff HTTP/1.1\r\n\r\n",
    "the old HTTP": b"GET /version HTTP/1.0\r\n\r\n",
    "the new HTTP": b"PRI * HTTP/2.0\r\n\r\n",
    "two spaces": b"GET  /version HTTP/1.1\r\n\r\n",
    "an unknown method": b"CONNECT /version HTTP/1.1\r\n\r\n",
    "something expected": b"POST /x HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
    "trailers": b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n",
    "another upgrade": b"POST /x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "an upgrade that is not asked for": b"POST /x HTTP/1.1\r\nUpgrade: tcp\r\n\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_a_head_that_could_be_read_in_two_ways_is_refused(head):
    with pytest.raises(RefusedError):
        parse_head(head)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_its_sender_is_told_and_what_follows_is_not_read(head, proxy, asked):
    status, said = asked(proxy.sandboxes, head + SMUGGLED)
    assert status == 403
    assert "refused by sandbox.docker_proxy: " in said


def test_a_request_behind_another_one_is_never_passed_on(proxy, asked):
    """Pipelined, and hidden in what a caller sends beside an attach that fails."""
    status, said = asked(proxy.sandboxes, b"GET /_ping HTTP/1.1\r\n\r\n" + SMUGGLED)
    assert (status, said) == (200, "OK")
    nobody = "0" * 64
    attach = (
        f"POST /containers/{nobody}/attach?stream=1 HTTP/1.1\r\n"
        "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    ).encode()
    status, said = asked(proxy.sandboxes, attach + SMUGGLED)
    assert status == 404
    assert said == f'{{"message":"No such container: {nobody}"}}\n'


def test_wrong_chunks_are_refused(proxy, asked):
    head = b"POST /containers/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    for body in (b"2;x=1\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}x\r\n0\r\n\r\n",
                 b"-2\r\n{}\r\n0\r\n\r\n", b"2\n{}\n0\n\n\r\n", b"0\r\nX: y\r\n\r\n"):  # fmt: skip
        status, _ = asked(proxy.sandboxes, head + body)
        assert status == 403, body


def test_a_head_or_a_body_without_end_is_refused(proxy, asked):
    assert asked(proxy.sandboxes, b"GET /" + b"a" * 20_000 + b"\r\n\r\n")[0] == 403
    endless = b"POST /containers/create HTTP/1.1\r\nContent-Length: 900000\r\n\r\n" + b" " * 300_000
    assert asked(proxy.sandboxes, endless)[0] == 403
