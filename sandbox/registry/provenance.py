"""Where a version came from: an in-toto statement about its image, signed by the platform.

The statement (https://in-toto.io/Statement/v1) has the image as its subject and a SLSA v1
provenance predicate: what was pushed, what was resolved, which builder made it and when. It is
kept in a DSSE envelope (https://github.com/secure-systems-lab/dsse), whose signature is over the
payload's type and bytes, so that nobody has to agree on how JSON is written to check it.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from sandbox.registry.lock import Lock
from signalbox.leaf import canonical
from sql.configuration import ConfigurationError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:signalbox:build:git-push:v1"
NOT_OTHERS = 0o077


@dataclass(frozen=True)
class Signer:
    """The platform's key, and the name under which it builds.

    Attributes:
        builder: who vouches, as a URI: the address of this installation.
    """

    key: Ed25519PrivateKey
    builder: str

    @property
    def key_id(self) -> str:
        """sha256 (hex) of the public key in DER form."""
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    @property
    def public_key(self) -> str:
        """The public key in PEM form."""
        form = PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(Encoding.PEM, form).decode()

    def sign(self, statement: Mapping[str, Any]) -> str:
        """A DSSE envelope around a statement, as JSON."""
        payload = canonical(statement)
        signature = self.key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
        envelope = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": self.key_id, "sig": base64.b64encode(signature).decode()},
            ],
        }
        return canonical(envelope).decode()

    def publish_key(self, connection: psycopg.Connection[Any], now: datetime) -> None:
        """Keep the public half where the API finds it."""
        connection.execute(
            "insert into registry.signing_key (key_id, public_key, since) values (%s, %s, %s)"
            " on conflict (key_id) do nothing",
            [self.key_id, self.public_key, now],
        )


def read_signer(path: Path, builder: str) -> Signer:
    """The key of a PEM file that nobody else may read.

    Raises:
        ConfigurationError: it is absent, open to others, or no Ed25519 key.
    """
    name = "SIGNALBOX_PROVENANCE_KEY_FILE"
    make = f"openssl genpkey -algorithm ed25519 -out {path} && chmod 600 {path}"
    if not path.is_file():
        raise ConfigurationError(f"{name}: no file {path}; make one: {make}")
    if path.stat().st_mode & NOT_OTHERS:
        raise ConfigurationError(f"{name}: others may read {path}; run: chmod 600 {path}")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{name}: {path} holds no Ed25519 key; make one: {make}")
    return Signer(key, builder)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What a DSSE signature is over.

    >>> pre_authentication_encoding("t", b"hi")
    b'DSSEv1 1 t 2 hi'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True)
class Built:
    """What a statement speaks of; `reserved_at` (UTC) is when the push began."""

    label: str
    commit: str
    tree_digest: str
    base_digest: str
    lock: Lock
    image_digest: str
    scan: Mapping[str, Any]
    reserved_at: datetime


def statement(built: Built, builder: str) -> dict[str, Any]:
    """The in-toto statement of a build: image, source, base, every wheel, builder."""
    signal, _, version = built.label.partition("@")
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": built.label, "digest": _sha256(built.image_digest)}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"signal": signal, "tag": version, "commit": built.commit},
                "internalParameters": {"lock": built.lock.digest, "scan": dict(built.scan)},
                "resolvedDependencies": [
                    {
                        "name": "source",
                        "uri": f"{builder}/git/{signal}.git",
                        "digest": {"gitCommit": built.commit, **_sha256(built.tree_digest)},
                    },
                    {"name": "base", "digest": _sha256(built.base_digest)},
                    *(
                        {
                            "uri": f"pkg:pypi/{package.name}@{package.version}",
                            "digest": {"sha256": package.sha256},
                        }
                        for package in built.lock.packages
                    ),
                ],
            },
            "runDetails": {
                "builder": {"id": builder},
                "metadata": {
                    "invocationId": f"{built.label}/{built.commit}",
                    "startedOn": _time(built.reserved_at),
                },
            },
        },
    }


def _sha256(digest: str) -> dict[str, str]:
    return {"sha256": digest.removeprefix("sha256:")}


def _time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
