"""Provenance and bills of materials, read and checked by other people's code."""

import base64
from datetime import UTC, datetime

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from sandbox.registry.lock import Lock
from sandbox.registry.provenance import Built, Signer, read_signer, statement
from sandbox.registry.sbom import bill_of_materials
from sql.configuration import ConfigurationError

BUILDER = "https://signals.example.org"
LOCK = Lock(f"six==1.17.0 --hash=sha256:{'1' * 64}\n")
BUILT = Built(
    label="ada/tide@v1.0.0",
    commit="c" * 40,
    tree_digest="sha256:" + "2" * 64,
    base_digest="sha256:" + "3" * 64,
    lock=LOCK,
    image_digest="sha256:" + "4" * 64,
    scan={"is_scanned": False},
    reserved_at=datetime(2026, 1, 5, 12, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def signer():
    return Signer(Ed25519PrivateKey.generate(), BUILDER)


def their_key(signer: Signer) -> SSlibKey:
    return SSlibKey.from_crypto(load_pem_public_key(signer.public_key.encode()), signer.key_id)


def test_securesystemslib_verifies_the_envelope_and_in_toto_reads_the_statement(signer):
    envelope = Envelope.from_dict(msgspec.json.decode(signer.sign(statement(BUILT, BUILDER))))
    assert set(envelope.verify([their_key(signer)], 1)) == {signer.key_id}
    said = msgspec.json.decode(envelope.payload)
    theirs = Statement([], "", {})
    ParseDict(said, theirs.pb)
    theirs.validate()
    assert said["subject"] == [{"name": "ada/tide@v1.0.0", "digest": {"sha256": "4" * 64}}]
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    wheels = [
        one
        for one in said["predicate"]["buildDefinition"]["resolvedDependencies"]
        if one.get("uri", "").startswith("pkg:pypi/")
    ]
    assert wheels == [{"uri": "pkg:pypi/six@1.17.0", "digest": {"sha256": "1" * 64}}]


@pytest.mark.parametrize("field", ["payload", "payloadType", "signature"])
def test_an_envelope_with_one_byte_changed_is_refused(signer, field):
    raw = msgspec.json.decode(signer.sign(statement(BUILT, BUILDER)))
    if field == "payload":
        payload = base64.b64decode(raw["payload"]).replace(b"v1.0.0", b"v1.0.1")
        raw["payload"] = base64.b64encode(payload).decode()
    elif field == "payloadType":
        raw["payloadType"] = "application/vnd.in-toto+jsom"
    else:
        signature = bytearray(base64.b64decode(raw["signatures"][0]["sig"]))
        signature[0] ^= 1
        raw["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(raw).verify([their_key(signer)], 1)


def test_an_envelope_signed_by_somebody_else_is_refused(signer):
    other = Signer(Ed25519PrivateKey.generate(), BUILDER)
    envelope = Envelope.from_dict(msgspec.json.decode(other.sign(statement(BUILT, BUILDER))))
    with pytest.raises(VerificationError):
        envelope.verify([their_key(signer)], 1)


def pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_key_that_others_may_read_is_not_used(tmp_path, signer):
    path = tmp_path / "key"
    path.write_bytes(pem(signer.key))
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(ConfigurationError, match=r"others may read .*chmod 600"):
            read_signer(path, BUILDER)
    path.chmod(0o600)
    assert read_signer(path, BUILDER).key_id == signer.key_id


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_key_that_is_none_is_refused_with_how_to_make_one(tmp_path, content):
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="openssl genpkey -algorithm ed25519"):
        read_signer(path, BUILDER)


def test_the_bill_of_materials_is_valid_under_the_official_schema(registry):
    bill = msgspec.json.encode(bill_of_materials(registry.locked)).decode()
    validator = JsonStrictValidator(SchemaVersion.V1_5)
    assert validator.validate_str(bill) is None
    broken = bill.replace('"SHA-256"', '"SHA-257"')
    assert validator.validate_str(broken) is not None
