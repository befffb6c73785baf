"""Where nothing is ever sent: whatever is not the public internet, by whichever name."""

import asyncio
import datetime as dt
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from api.webhooks.sending import Patience, Sender
from api.webhooks.targets import Resolver, Targets, is_public
from tests.waiting import until

INSIDE = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://localhost/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[fd00::1]/",
    "https://[ff02::1]/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
]
FORMS = [
    "http://9.9.9.9/",
    "ftp://9.9.9.9/",
    "file:///etc/passwd",
    "//9.9.9.9/",
    "9.9.9.9",
    "https://",
    "https://user@9.9.9.9/",
    "https://user:password@9.9.9.9/",
    "https://9.9.9.9/#part",
    "https://9.9.9.9:25/",
    "https://9.9.9.9:80/",
    "https://9.9.9.9:99999/",
    "https://9.9.9.9/\r\nHost: inside",
    "https://ex\u00e4mple.org/",
    "https://no-such-name.invalid/",
    "x" * 501,
]


def create(client, person, url):
    body = {"url": url, "events": ["forecast"]}
    return client.post("/v1/webhooks", json=body, headers=person.headers)


def test_a_target_that_is_not_public_is_refused_when_it_is_named(client, ada):
    for url in (*INSIDE, *FORMS):
        answer = create(client, ada, url)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), url
    made = create(client, ada, "https://9.9.9.9/hook")
    assert made.status_code == 201
    assert create(client, ada, "https://[2620:fe::fe]:8443/").status_code == 201
    path = f"/v1/webhooks/{made.json()['id']}"
    for url in (INSIDE[0], FORMS[0]):
        assert client.patch(path, json={"url": url}, headers=ada.headers).status_code == 400
    assert client.get(path, headers=ada.headers).json()["url"] == "https://9.9.9.9/hook"


def test_what_a_database_holds_is_refused_when_it_is_sent(client, make, ada):
    """Named before the rules were strict, or written by hand."""
    made = create(client, ada, "https://9.9.9.9/hook").json()
    make.connection.execute("update account.webhook set url = 'https://127.0.0.1/hook'")
    path = f"/v1/webhooks/{made['id']}"
    client.post(f"{path}/ping", headers=ada.headers)

    def answered():
        items = client.get(f"{path}/deliveries", headers=ada.headers).json()["items"]
        return [one for one in items if one["last_error"] or one["last_status"]]

    (delivery,) = until(answered, 30)
    assert delivery["last_status"] is None
    assert "not public" in delivery["last_error"]


@pytest.mark.parametrize(
    ("address", "public"),
    [("9.9.9.9", True), ("::ffff:9.9.9.9", True), ("2620:fe::fe", True), ("fe80::1%eth0", False)],
)
def test_an_address_is_public_or_not(address, public):
    assert is_public(address) is public


def post(resolve, url, *, private=False, patience=None):
    async def story():
        sender = Sender(Targets(private=private, resolve=resolve), patience)
        try:
            return await sender.post(url, {"X-Test": "1"}, b"{}")
        finally:
            await sender.close()

    return asyncio.run(story())


def answers(*rounds):
    """A resolver that answers another time otherwise; and what it was asked."""
    asked = []

    async def resolve(host, _):
        asked.append(host)
        return list(rounds[min(len(asked), len(rounds)) - 1])

    return resolve, asked


def test_the_attack_of_rebinding_a_name_after_it_was_judged_reaches_nothing(receiver):
    """One look judges and connects: a second answer is not asked for, and would be judged."""
    resolve, asked = answers(["9.9.9.9"], ["127.0.0.1"])
    targets = Targets(private=False, resolve=resolve)
    assert asyncio.run(targets.addresses("rebind.example", receiver.port)) == ["9.9.9.9"]
    outcome = post(resolve, f"https://rebind.example:{receiver.port}/")
    assert (outcome.status, len(asked)) == (None, 2)
    assert "not public" in outcome.error
    assert receiver.is_quiet(0.1)


def test_one_private_address_among_public_ones_is_enough_to_refuse(receiver):
    resolve, asked = answers(["9.9.9.9", "127.0.0.1"])
    outcome = post(resolve, f"https://mixed.example:{receiver.port}/")
    assert "not public" in outcome.error
    assert len(asked) == 1


def test_the_connection_goes_to_the_judged_address_under_the_targets_name(receiver):
    resolve, asked = answers(["127.0.0.1"], ["203.0.113.1"])
    outcome = post(resolve, f"http://hooks.example:{receiver.port}/a?b=c", private=True)
    assert (outcome.status, outcome.error, asked) == (200, None, ["hooks.example"])
    assert receiver.next().headers["host"] == f"hooks.example:{receiver.port}"


def self_signed(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1)).sign(key, SHA256())
    )  # fmt: skip
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    return path


def test_tls_asks_for_the_targets_name_and_believes_no_certificate_of_its_own_making(tmp_path):
    named = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    context.sni_callback = lambda _, name, __: named.append(name)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def shake():
            connection, _ = server.accept()
            with connection, pytest.raises(ssl.SSLError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=shake)
        thread.start()
        resolve, _ = answers(["127.0.0.1"])
        port = server.getsockname()[1]
        outcome = post(resolve, f"https://hooks.example:{port}/", private=True)
        thread.join(5)
    assert named == ["hooks.example"]
    assert outcome.status is None
    assert "certificate" in outcome.error.lower()


def test_a_target_that_does_not_answer_is_left_and_one_that_never_ends_is_cut(receiver):
    resolve = Resolver()
    patience = Patience(connect_s=0.5, whole_s=0.4)
    stop = threading.Event()
    receiver.answer = lambda _: stop.wait(3) and (200, {}, b"")
    outcome = post(resolve, receiver.url, private=True, patience=patience)
    stop.set()
    assert (outcome.status, outcome.error) == (None, "no answer within 0.4 s")
    assert 350 <= outcome.latency_ms < 1500

    async def slow_name(*_):
        await asyncio.sleep(5)

    outcome = post(slow_name, receiver.url, private=True, patience=Patience(0.2, 3))
    assert outcome.error == "no connection within 0.2 s"
    receiver.answer = lambda _: (500, {}, b"\x00<x>" * 3_000_000)
    outcome = post(resolve, receiver.url, private=True)
    assert outcome.status == 500
    assert len(outcome.error) <= 300
    assert "\x00" not in outcome.error
