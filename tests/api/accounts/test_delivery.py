"""Letters leave the outbox over a real socket, or stay there until they can."""

import asyncio
import email
import email.policy
import ipaddress
import socket
import ssl
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.installation import install
from api.mail import outbox
from api.mail.delivery import GIVEN_UP_AFTER, deliver_one
from api.mail.letters import TEMPLATES, Kind, render
from api.mail.smtp import mail_server
from sql.configuration import ConfigurationError

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SENDER = "Signalbox <post@signalbox.example>"


@asynccontextmanager
async def installed(settings, port=1, **changes):
    """An installation whose mail server listens at a port, and that server as it is asked."""
    smtp = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": SENDER} | changes
    installation = install(msgspec.structs.replace(settings, **smtp))
    await installation.pool.open()
    try:
        yield installation, mail_server(installation.settings)
    finally:
        await installation.pool.close()


async def put(installation, person, subject="Hello", text="secret words\n", address=None):
    async with installation.transaction(None, NOW) as connection:
        await outbox.put(connection, NOW, person.id, "test", subject, text, address)


def row(make):
    return make.connection.execute(
        "select sent_at, text, attempts, last_error, next_attempt_at from account.mail"
    ).fetchone()


def test_a_letter_is_delivered_once_and_its_words_are_forgotten(
    settings, make, ada, postbox, mail_server_of
):
    async def run(port):
        async with installed(settings, port) as (installation, server):
            await put(installation, ada, subject="Grüße", text="Weiß\n" * 3)
            assert await deliver_one(installation, server, NOW)
            assert not await deliver_one(installation, server, NOW + timedelta(days=1))

    with mail_server_of(postbox) as port:
        asyncio.run(run(port))
    (content,) = postbox.contents
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert (message["To"], message["Subject"]) == ("ada@example.org", "Grüße")
    assert message["From"] == SENDER
    assert message.get_content().replace("\r\n", "\n") == "Weiß\n" * 3
    assert row(make) == (NOW, "", 0, None, None)


def test_a_letter_of_an_act_that_was_rolled_back_is_never_sent(settings, make, ada):
    async def run():
        async with (
            installed(settings) as (installation, _),
            installation.transaction(None, NOW) as connection,
        ):
            await outbox.put(connection, NOW, ada.id, "test", "s", "t")
            raise ValueError("the act went wrong")

    with pytest.raises(ValueError, match="the act went wrong"):
        asyncio.run(run())
    assert row(make) is None


def test_an_outage_of_the_mail_server_delays_letters_ever_longer_and_loses_none(
    settings, make, ada, postbox, mail_server_of
):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def fail():
        async with installed(settings, port) as (installation, server):
            await put(installation, ada)
            waits, now = [], NOW
            for _ in range(9):
                assert await deliver_one(installation, server, now)
                assert not await deliver_one(installation, server, now)
                again_at = row(make)[4]
                waits.append(int((again_at - now).total_seconds()))
                now = again_at
            assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900]
            return now

    async def recover(now):
        async with installed(settings, port) as (installation, server):
            assert await deliver_one(installation, server, now)

    now = asyncio.run(fail())
    assert "refused" in row(make)[3]
    with mail_server_of(postbox, port=port):
        asyncio.run(recover(now))
    assert len(postbox.contents) == 1
    assert row(make)[:3] == (now, "", 9)


def test_a_letter_that_nobody_takes_for_days_is_given_up(settings, make, ada):
    async def run():
        async with installed(settings) as (installation, server):
            await put(installation, ada)
            late = NOW + GIVEN_UP_AFTER + timedelta(seconds=1)
            assert await deliver_one(installation, server, late)
            assert not await deliver_one(installation, server, late + timedelta(days=9))

    asyncio.run(run())
    assert row(make)[4] is None


@pytest.mark.parametrize("mood", ["recipient_answer", "answer"])
def test_a_server_that_says_never_is_asked_once_and_one_that_says_later_again(
    settings, make, ada, postbox, mood, mail_server_of
):
    async def run(port):
        async with installed(settings, port) as (installation, server):
            await put(installation, ada)
            setattr(postbox, mood, "451 later")
            assert await deliver_one(installation, server, NOW)
            later = row(make)[4]
            assert later == NOW + timedelta(seconds=10)
            setattr(postbox, mood, "550 no such mailbox")
            assert await deliver_one(installation, server, later)

    with mail_server_of(postbox) as port:
        asyncio.run(run(port))
    _, _, attempts, why, again_at = row(make)
    assert (attempts, again_at) == (2, None)
    assert "550 no such mailbox" in why


def test_whoever_dies_while_sending_sends_again_under_the_same_message_id(
    settings, make, ada, postbox, mail_server_of
):
    async def run(port):
        async with installed(settings, port) as (installation, server):
            await put(installation, ada)
            dying = asyncio.create_task(deliver_one(installation, server, NOW))
            assert await asyncio.to_thread(postbox.has_data.wait, 20)
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)
            return await deliver_one(installation, server, NOW)

    # The answer to DATA takes long enough for the sender to die before it.
    handle = postbox.handle_DATA

    async def slow(*arguments):
        answer = await handle(*arguments)
        await asyncio.sleep(0.2)
        return answer

    postbox.handle_DATA = slow
    with mail_server_of(postbox) as port:
        assert asyncio.run(run(port))
    ids = [email.message_from_bytes(content)["Message-ID"] for content in postbox.contents]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert row(make)[0] == NOW


def test_many_who_deliver_at_once_deliver_each_letter_once(settings, ada, postbox, mail_server_of):
    async def run(port):
        async with installed(settings, port) as (installation, server):
            for number in range(12):
                await put(installation, ada, subject=str(number))

            async def deliver():
                while await deliver_one(installation, server, NOW):
                    pass

            await asyncio.gather(*(deliver() for _ in range(4)))

    with mail_server_of(postbox) as port:
        asyncio.run(run(port))
    subjects = [email.message_from_bytes(content)["Subject"] for content in postbox.contents]
    assert sorted(subjects, key=int) == [str(number) for number in range(12)]


def test_a_line_break_in_a_subject_or_an_address_adds_no_header_and_no_recipient(
    settings, make, ada, postbox, mail_server_of
):
    async def run(port):
        async with installed(settings, port) as (installation, server):
            await put(installation, ada, subject="Hi\r\nBcc: mallory@example.org")
            await put(installation, ada, address="ada@example.org\r\nRCPT TO:<mallory@example.org>")
            assert await deliver_one(installation, server, NOW)
            assert await deliver_one(installation, server, NOW)

    with mail_server_of(postbox) as port:
        asyncio.run(run(port))
    assert postbox.received == []
    errors = make.connection.execute("select last_error, next_attempt_at from account.mail")
    assert all(why and again_at is None for why, again_at in errors.fetchall())


def test_a_password_is_shown_to_this_machine_and_else_only_under_tls(
    settings, ada, postbox, tmp_path, mail_server_of
):
    (tmp_path / "password").write_text("s3cret\n")
    asked = []

    def authenticate(_server, _session, _envelope, _mechanism, data):
        asked.append((data.login, data.password))
        return AuthResult(success=True)

    options = {"authenticator": authenticate, "auth_require_tls": False}

    async def run(port):
        changes = {
            "smtp_url": f"smtp://post@127.0.0.1:{port}",
            "smtp_password_file": str(tmp_path / "password"),
        }
        async with installed(settings, port, **changes) as (installation, server):
            assert "s3cret" not in repr(server)
            await put(installation, ada)
            assert await deliver_one(installation, server, NOW)
            elsewhere = mail_server(
                msgspec.structs.replace(
                    installation.settings, smtp_url=f"smtp://post@127.0.0.2:{port}"
                )
            )
            await put(installation, ada)
            assert await deliver_one(installation, elsewhere, NOW)

    # Every loopback address leads to it; only one of them is called this machine.
    with mail_server_of(postbox, **options) as port:
        asyncio.run(run(port))
    assert asked == [(b"post", b"s3cret")]
    assert len(postbox.received) == 1


def test_a_server_whose_certificate_is_not_believed_gets_no_letter(
    settings, make, ada, postbox, tmp_path, mail_server_of
):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))

    async def run(port):
        url = {"smtp_url": f"smtp://127.0.0.1:{port}"}
        async with installed(settings, port, **url) as (installation, server):
            await put(installation, ada)
            assert await deliver_one(installation, server, NOW)

    with mail_server_of(postbox, tls_context=context) as port:
        asyncio.run(run(port))
    assert postbox.received == []
    assert "certificate" in row(make)[3].lower()


def self_signed(folder):
    """Certificate and key of 127.0.0.1 by nobody's authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert", folder / "key"


def test_the_api_delivers_in_the_background(client_with, make, postbox, mail_server_of):
    with mail_server_of(postbox) as port:
        client = client_with(smtp_url=f"smtp://127.0.0.1:{port}", mail_from=SENDER)
        body = {"email": "eve@example.org", "password": "correct horse battery", "handle": "eve"}
        assert client.post("/v1/auth/register", json=body).status_code == 201
        deadline = time.monotonic() + 20
        while row(make)[0] is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert b"/account/link#confirm_email" in postbox.contents[0].replace(b"=\r\n", b"")
    assert row(make)[1] == ""


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"smtp_url": "mail.example.org"}, "SIGNALBOX_SMTP_URL"),
        ({"smtp_url": "smtp://post:password@mail.example.org"}, "SIGNALBOX_SMTP_PASSWORD_FILE"),
        ({"smtp_url": "smtp://mail.example.org"}, "SIGNALBOX_MAIL_FROM"),
        (
            {"smtp_url": "smtps://post@mail.example.org", "mail_from": SENDER},
            "SIGNALBOX_SMTP_PASSWORD_FILE",
        ),
    ],
)
def test_a_wrong_setting_of_mail_is_named_at_the_start(settings, changes, named):
    with pytest.raises(ConfigurationError, match=named):
        mail_server(msgspec.structs.replace(settings, **changes))


def test_every_kind_of_letter_has_a_template_and_every_template_a_kind():
    values = {"handle": "ada", "api_url": "http://a", "link": "http://a/l", "left": "3"}
    kinds = Kind.__args__
    assert {f"{kind}.txt" for kind in kinds} == {path.name for path in TEMPLATES.iterdir()}
    for kind in kinds:
        subject, text = render(kind, values)
        assert subject
        assert text.startswith("Hello ada,")
        assert "$" not in subject + text
