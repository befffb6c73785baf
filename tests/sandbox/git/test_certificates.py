"""Signed pushes: only a registered key's signature and a fresh nonce count; git says G to more."""

import subprocess
import uuid

import pytest

from tests.sandbox.git.people import Work


class Signer:
    """A working copy whose pushes are signed by an SSH key of its own."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.key = work.folder.with_suffix(".key")
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self.key]
        subprocess.run(make, check=True)
        work.git("config", "gpg.format", "ssh")
        work.git("config", "user.signingKey", str(self.key))
        work.git("config", "push.gpgSign", "true")
        shown = ["ssh-keygen", "-lf", self.key]
        listed = subprocess.run(shown, check=True, capture_output=True, text=True)
        self.fingerprint = listed.stdout.split()[1]

    def register(self, house, person) -> None:
        house.ask(
            "insert into account.signing_key (id, user_id, name, public_key, fingerprint,"
            " created_at) values (%s, %s, 'laptop', %s, %s, now()) returning id",
            uuid.uuid4(), person.id, self.key.with_suffix(".key.pub").read_text(),
            self.fingerprint,
        )  # fmt: skip

    def revoke(self, house) -> None:
        house.ask(
            "update account.signing_key set revoked_at = now() where fingerprint = %s returning id",
            self.fingerprint,
        )


@pytest.fixture
def signer(work) -> Signer:
    work.commit()
    return Signer(work)


def audited(house, action: str) -> list[dict]:
    query = "select detail from audit.event where action = %s order by id desc limit 1"
    return [detail for (detail,) in house.ask(query, action)]


def test_a_push_signed_by_an_unregistered_key_is_declined_although_git_says_g(house, signer):
    pushed = signer.work.push("main")
    assert pushed.refused
    assert f"is signed by {signer.fingerprint}, which is not one of your keys" in pushed.text
    assert signer.work.remote_refs() == {}
    assert signer.fingerprint in audited(house, "push.decline")[0]["reason"]


def test_a_push_signed_by_another_providers_key_is_declined(house, bob, signer):
    signer.register(house, bob)
    assert "which is not one of your keys" in signer.work.push("main").text
    assert signer.work.remote_refs() == {}


def test_a_push_signed_by_a_registered_key_is_taken_and_kept_until_the_key_is_revoked(
    house, ada, signer
):
    signer.register(house, ada)
    pushed = signer.work.push("main")
    assert not pushed.refused, pushed.text
    (kept,) = audited(house, "push.sign")
    assert kept["key"] == signer.fingerprint
    assert "BEGIN SSH SIGNATURE" in kept["certificate"]
    assert signer.work.git("rev-parse", "HEAD") in kept["certificate"]
    signer.revoke(house)
    signer.work.commit({"more.py": "x = 1\n"})
    assert "which is not one of your keys" in signer.work.push("main").text
    signer.work.git("config", "push.gpgSign", "false")
    unsigned = signer.work.push("main")
    assert not unsigned.refused, unsigned.text


def test_a_signature_that_does_not_hold_is_declined(house, ada, signer):
    signer.register(house, ada)
    forger = signer.key.with_suffix(".sh")
    # Signs something else than what it is given.
    forger.write_text(
        '#!/bin/sh\nfor last; do :; done\necho evil >>"$last"\nexec ssh-keygen "$@"\n'
    )
    forger.chmod(0o700)
    signer.work.git("config", "gpg.ssh.program", str(forger))
    pushed = signer.work.push("main")
    assert "the push's signature does not hold: sign with an SSH key" in pushed.text
    assert signer.work.remote_refs() == {}


def test_a_push_whose_nonce_is_stale_is_declined_although_git_says_g(tight):
    ada = tight.person("signing")
    work = tight.work(ada, "stale")
    work.commit()
    signer = Signer(work)
    signer.register(tight, ada)
    hook = work.folder / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    # Runs after git was given the nonce, and before it signs.
    hook.write_text("#!/bin/sh\nsleep 5\n")
    hook.chmod(0o755)
    pushed = work.push("main")
    assert "the push's certificate is not fresh (slop): push again" in pushed.text
    assert work.remote_refs() == {}
    hook.unlink()
    again = work.push("main")
    assert not again.refused, again.text
