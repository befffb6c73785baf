"""Signing keys: an SSH key is registered by its owner, seen by its owner, and revoked for good."""

import subprocess

import pytest


@pytest.fixture(scope="module")
def ssh_key(tmp_path_factory):
    """A public key's line and its fingerprint, both by ssh-keygen."""
    path = tmp_path_factory.mktemp("ssh") / "key"
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada@laptop", "-f", path]
    subprocess.run(make, check=True)
    shown = subprocess.run(["ssh-keygen", "-lf", path], check=True, capture_output=True, text=True)
    return path.with_suffix(".pub").read_text(), shown.stdout.split()[1]


def register(client, person, line):
    body = {"name": "laptop", "public_key": line}
    return client.post("/v1/signing-keys", json=body, headers=person.headers)


def test_a_registered_key_has_the_fingerprint_that_ssh_keygen_shows_and_no_comment(
    client, ada, ssh_key
):
    line, fingerprint = ssh_key
    made = register(client, ada, line)
    assert made.status_code == 201, made.text
    assert made.json()["fingerprint"] == fingerprint
    listed = client.get("/v1/signing-keys", headers=ada.headers).json()["items"]
    assert [(key["fingerprint"], key["public_key"]) for key in listed] == [
        (fingerprint, line.removesuffix(" ada@laptop\n"))
    ]


def test_a_key_registered_twice_is_told_409_until_it_is_revoked(client, ada, ssh_key):
    made = register(client, ada, ssh_key[0]).json()
    again = register(client, ada, ssh_key[0])
    assert (again.status_code, again.json()["code"]) == (409, "signing_key_taken")
    gone = client.delete(f"/v1/signing-keys/{made['id']}", headers=ada.headers)
    assert gone.status_code == 204
    assert register(client, ada, ssh_key[0]).status_code == 201


def test_another_persons_signing_key_is_neither_seen_nor_revoked(client, ada, bob, ssh_key):
    made = register(client, ada, ssh_key[0]).json()
    assert client.get("/v1/signing-keys", headers=bob.headers).json()["items"] == []
    answer = client.delete(f"/v1/signing-keys/{made['id']}", headers=bob.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAA",
        "ssh-dss AAAAB3NzaC1kc3M=",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
        'cert-authority,principals="x" ssh-ed25519 AAAA',
    ],
)
def test_what_is_no_public_key_is_told_400_and_what_is_expected(client, ada, line):
    answer = register(client, ada, line)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["errors"][0]["field"] == "public_key"


def test_no_api_key_registers_a_signing_key(client, ada, ssh_key):
    body = {"name": "machine", "scopes": ["read", "push"]}
    made = client.post("/v1/api-keys", json=body, headers=ada.headers).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    answer = client.post(
        "/v1/signing-keys", json={"name": "x", "public_key": ssh_key[0]}, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
