"""Checkpoints stamped by a time-stamping authority: openssl's own, over HTTP."""

import subprocess
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from assets.transparency.anchors import (
    AnchorError,
    Authority,
    anchor_newest,
    anchors,
    check,
    read_roots,
)
from sql.roles import LOG
from tests.assets.transparency.processes import PUBLISHER
from tests.waiting import until

CONFIGURATION = """
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
[tsa_certificate]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[root_certificate]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
"""


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Root and key of an authority, and another root that has signed nothing."""
    made = tmp_path_factory.mktemp("tsa")
    configuration = made / "tsa.cnf"
    configuration.write_text(CONFIGURATION.format(folder=made))
    (made / "serial").write_text("01\n")
    for name in ("root", "other"):
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", made / f"{name}.key", "-out", made / f"{name}.pem", "-days", "30"),
            *("-subj", f"/CN={name}", "-config", configuration, "-extensions", "root_certificate"),
        )
    openssl(
        *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj"),
        *("/CN=tsa", "-keyout", made / "tsa.key", "-out", made / "tsa.csr"),
    )
    openssl(
        *("x509", "-req", "-in", made / "tsa.csr", "-CA", made / "root.pem", "-CAkey"),
        *(made / "root.key", "-CAcreateserial", "-days", "30", "-out", made / "tsa.pem"),
        *("-extfile", configuration, "-extensions", "tsa_certificate"),
    )
    return made


@pytest.fixture
def authority(folder):
    class Replies(BaseHTTPRequestHandler):
        def do_POST(self):
            query = folder / "query"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            reply = openssl(
                *("ts", "-reply", "-config", folder / "tsa.cnf", "-section", "tsa_config"),
                *("-queryfile", query, "-signer", folder / "tsa.pem"),
                *("-inkey", folder / "tsa.key"),
            )
            self.send_response(200 if self.path == "/" else 503)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Replies) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield Authority(f"http://127.0.0.1:{server.server_port}/", read_roots(folder / "root.pem"))
        server.shutdown()
        thread.join()


def test_a_checkpoint_is_stamped_once_and_the_stamp_holds(database, chains, cover, authority):
    chains.append(3)
    cover(chains.IN_TIME)
    with database.connect(LOG) as connection:
        stamped_at = anchor_newest(connection, authority, chains.IN_TIME)
        assert abs(stamped_at - datetime.now(UTC)) < timedelta(minutes=1)
        assert anchor_newest(connection, authority, chains.IN_TIME) is None
        (anchor,) = anchors(connection, authority.roots)
    assert (anchor.size, anchor.stamped_at, anchor.fault) == (3, stamped_at, None)


def test_a_stamp_over_another_note_altered_or_of_another_authority_does_not_hold(
    database, chains, cover, authority, folder
):
    chains.append(3)
    cover(chains.IN_TIME)
    with database.connect(LOG) as connection:
        anchor_newest(connection, authority, chains.IN_TIME)
        token, note = connection.execute(
            "select a.token, c.note from transparency.anchor a, transparency.checkpoint c"
        ).fetchone()
        check(token, note, authority.roots)
        other = read_roots(folder / "other.pem")
        altered = bytearray(token)
        altered[-5] ^= 1
        for wrong in (
            (token, note + b"x", authority.roots),
            (token, note, other),
            (token, note, ()),
            (bytes(altered), note, authority.roots),
            (token[:-9], note, authority.roots),
            (b"", note, authority.roots),
        ):
            with pytest.raises(AnchorError):
                check(*wrong)
        assert [one.fault is None for one in anchors(connection, other)] == [False]


def test_an_authority_that_fails_is_named_and_nothing_is_stored(database, chains, cover, authority):
    chains.append(3)
    cover(chains.IN_TIME)
    with database.connect(LOG) as connection:
        for url in ("http://127.0.0.1:9/", authority.url + "down"):
            with pytest.raises(AnchorError, match=url):
                anchor_newest(connection, Authority(url, authority.roots), chains.IN_TIME)
        assert list(anchors(connection, authority.roots)) == []


def test_the_publisher_has_its_first_proven_checkpoint_stamped(running, chains, authority, folder):
    chains.append(3)
    running.environment |= {
        "SIGNALBOX_LOG_TSA_URL": authority.url,
        "SIGNALBOX_LOG_TSA_ROOTS": str(folder / "root.pem"),
    }
    running.start(PUBLISHER, LOG)
    stamped = "select c.size from transparency.anchor a join transparency.checkpoint c"
    until(lambda: running.ask(f"{stamped} on c.id = a.checkpoint_id") == [(3,)])
