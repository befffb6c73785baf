"""A process that dies, and a secret that is lost."""

import base64
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from api.webhooks.signing import SealedElsewhereError, WebhookSecrets, new_secret
from tests.api.conftest import SECRET
from tests.api.house import housing
from tests.api.server import serving
from tests.api.webhooks.receiver import receiving
from tests.waiting import until


@pytest.fixture(scope="module")
def house(postgres, tmp_path_factory):
    """Its own: a process of it is killed."""
    folder = tmp_path_factory.mktemp("house")
    with housing(
        postgres, folder, "test_house_of_crashes", SIGNALBOX_WEBHOOK_TARGETS="private"
    ) as house:
        yield house


def senders(port):
    """Processes of ours that hold a connection to a port of this machine."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = {f"socket:[{line[9]}]" for line in lines if line[2].endswith(f":{port:04X}")}
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if ours & set(descriptors(pid))]


def descriptors(pid):
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            yield str(entry.readlink())


def test_who_reads_the_database_cannot_sign(house, receiver, hook):
    made = hook(house.person(), receiver)
    (sealed, row) = house.make.connection.execute(
        "select secret, row_to_json(w)::text from account.webhook w where id = %s", [made.id]
    ).fetchone()
    secret = base64.b64decode(made.secret.removeprefix("whsec_"))
    assert secret not in sealed
    assert made.secret not in row
    assert secret.hex() not in row


def test_a_secret_opens_in_its_own_row_and_under_its_own_key_alone():
    secrets, key = WebhookSecrets(SECRET), new_secret()
    mine, other = "a", "b"
    sealed = secrets.seal(key, mine, mine)
    assert secrets.open(sealed, mine, mine) == key
    for opening in (
        lambda: secrets.open(sealed, other, mine),
        lambda: secrets.open(sealed, mine, other),
        lambda: secrets.open(sealed[:-1], mine, mine),
        lambda: WebhookSecrets(b"x" * 32).open(sealed, mine, mine),
    ):
        with pytest.raises(SealedElsewhereError):
            opening()


def test_a_webhook_whose_secret_is_lost_is_disabled_and_its_owner_told(house, hook):
    with receiving() as quiet:
        made = hook(house.person(), quiet)
        house.make.connection.execute(
            "update account.webhook set secret = 'x' where id = %s", [made.id]
        )
        made.call("POST", "/ping")
        until(lambda: made.call("GET").json()["disabled_why"] == "secret")
        assert quiet.is_quiet(0.1)
        assert "rotate-secret" in made.letters()[0][1]
        rotated = made.call("POST", "/rotate-secret").json()["secret"]
        # The old one, which is lost, is not needed to go on.
        made.call("PATCH", is_enabled=True)
        assert quiet.next().is_signed_with(rotated)


def test_a_process_killed_between_sending_and_noting_it_leaves_it_to_another_under_the_same_id(
    house, receiver, hook
):
    """The last test here: the process that dies may be the house's."""
    person = house.person()
    made = hook(person, receiver)
    killed = []

    def answer(_):
        # Who sent it does not live to hear that it arrived.
        if not killed:
            killed.extend(senders(receiver.port))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
        return 200, {}, b""

    receiver.answer = answer
    execute = house.make.connection.execute
    with serving(house.settings, SIGNALBOX_WEBHOOK_TARGETS="private"):
        execute(
            "insert into account.webhook_delivery (id, webhook_id, user_id, type, created_at,"
            " state, next_attempt_at)"
            " values (gen_random_uuid(), %s, %s, 'ping', now(), 'pending', now())",
            [made.id, person.id],
        )
        first = receiver.next()
        until(lambda: killed)
        state = "select state, attempts from account.webhook_delivery where webhook_id = %s"
        assert execute(state, [made.id]).fetchone() == ("pending", 0)
        # The lease of who died runs out.
        execute("update account.webhook set not_before = now() where id = %s", [made.id])
        assert receiver.next().id == first.id
        until(lambda: execute(state, [made.id]).fetchone() == ("delivered", 1))
        assert len(killed) == 1
