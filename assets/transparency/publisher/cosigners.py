"""Ask witnesses and monitors for their cosignatures, by c2sp.org/tlog-witness.

Each keeps the largest tree that it has seen and wants to be shown that ours
extends it. Which one that is it says itself, by a 409, where we guess wrong.
"""

import base64
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg

from assets.transparency.publisher.publish import COSIGNATURE, Signed
from assets.transparency.publisher.tree import stored_tree
from signalbox.log.cosignature import verify_cosignature
from signalbox.log.errors import LogError
from signalbox.log.merkle import consistency_proof
from signalbox.log.note import Note, Signature, parse_signature
from signalbox.log.policy import Party, Policy
from sql.clock import Clock

logger = logging.getLogger("signalbox.log")

SECONDS = 10.0  # a monitor reads every new leaf before it answers
ROUNDS = 2  # the second one with the size that it named
MAX_ANSWER_BYTES = 16 * 1024


@dataclass(frozen=True)
class _Said:
    """What came of one request: a signature, the size it has seen, or a fault."""

    signature: Signature | None = None
    size: int | None = None
    fault: str | None = None


class Cosigners:
    """The cosigners of a policy, and what each has seen last."""

    def __init__(self, policy: Policy, http: httpx.Client | None = None) -> None:
        self._parties: Mapping[str, Party] = {
            name: one for name, one in policy.witnesses.items() if one.url
        }
        self._seen = dict.fromkeys(self._parties, 0)
        self._http = http or httpx.Client(timeout=SECONDS, follow_redirects=False)
        self.faults: dict[str, str] = {}

    def ask(self, connection: psycopg.Connection[Any], signed: Signed, clock: Clock) -> Signed:
        """Show a checkpoint to those that have not signed it, all at once; store what they sign.

        A cosigner that fails is logged and kept in `faults`; nothing is raised for it.
        """
        waiting = [
            name for name, one in self._parties.items() if not signed.note.of(one.key)
        ]  # fmt: skip
        lines: list[Signature] = []
        for _ in range(ROUNDS):
            if not waiting:
                break
            bodies = {name: self._body(connection, signed, name) for name in waiting}
            with ThreadPoolExecutor(len(waiting)) as pool:
                answers = list(
                    pool.map(self._post, waiting, bodies.values(), [signed] * len(waiting))
                )
            again = []
            for name, said in zip(waiting, answers, strict=True):
                if said.signature is not None:
                    lines.append(said.signature)
                    self._store(connection, signed, name, said.signature, clock())
                elif said.size is not None and said.size <= signed.size:
                    self._seen[name] = said.size
                    again.append(name)
                else:
                    self._fail(name, said)
            waiting = again
        note = Note(signed.note.text, (*signed.note.signatures, *lines))
        return Signed(signed.id, signed.size, note, signed.has_quorum)

    def _body(self, connection: psycopg.Connection[Any], signed: Signed, name: str) -> bytes:
        old = self._seen[name]
        proof = consistency_proof(old, signed.size, stored_tree(connection, signed.size))
        hashes = "".join(base64.b64encode(one).decode() + "\n" for one in proof)
        return f"old {old}\n{hashes}\n".encode() + signed.note.encode()

    def _post(self, name: str, body: bytes, signed: Signed) -> _Said:
        party = self._parties[name]
        try:
            answer = self._http.post(f"{str(party.url).rstrip('/')}/add-checkpoint", content=body)
            return _read(answer, party, signed.note.text)
        except (httpx.HTTPError, LogError) as error:
            return _Said(fault=f"{type(error).__name__}: {error}")

    def _store(
        self, connection: psycopg.Connection[Any], signed: Signed, name: str, one: Signature,
        now: datetime,
    ) -> None:  # fmt: skip
        key = self._parties[name].key
        at = datetime.fromtimestamp(verify_cosignature(key, signed.note.text, one), UTC)
        connection.execute(
            COSIGNATURE, [signed.id, one.name, one.key_id, at, one.line.rstrip("\n"), now]
        )
        self._seen[name] = signed.size
        self.faults.pop(name, None)

    def _fail(self, name: str, said: _Said) -> None:
        fault = said.fault or f"it has seen size {said.size}, and this is a smaller log"
        if self.faults.get(name) != fault:
            logger.warning("no cosignature from %s: %s", name, fault)
        self.faults[name] = fault


def _read(answer: httpx.Response, party: Party, text: str) -> _Said:
    if len(answer.content) > MAX_ANSWER_BYTES:
        return _Said(fault=f"its answer has {len(answer.content)} bytes")
    if answer.status_code == httpx.codes.CONFLICT:
        return _Said(size=int(answer.text)) if answer.text.strip().isdecimal() else _Said(
            fault="it answers 409 without a size"
        )  # fmt: skip
    if answer.status_code != httpx.codes.OK:
        return _Said(fault=f"it answers {answer.status_code}: {answer.text[:200]}")
    return _Said(signature=_own(answer.text.splitlines(), party, text))


def _own(lines: Sequence[str], party: Party, text: str) -> Signature | None:
    """The line of this party's key, which must hold."""
    for line in lines:
        one = parse_signature(line)
        if (one.name, one.key_id) == (party.key.name, party.key.key_id):
            verify_cosignature(party.key, text, one)
            return one
    raise LogError(f"no line of its answer is signed by {party.key.name}")
