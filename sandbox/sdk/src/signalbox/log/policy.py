"""Whom to believe: a policy file as in c2sp.org/tlog-policy.

    log     <vkey> [url]
    witness <name> <vkey> [url]
    group   <name> <all | any | number> <name>...
    quorum  <name | none>

The file has one convention of ours: the members of the group `monitors` are
cosigners who read every leaf; every other witness vouches only that the log grew.
A checkpoint's evidence time is when its quorum was reached: of a witness the time
in its cosignature, of a group that asks for k the k-th of its members' times.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from signalbox.log.checkpoint import Checkpoint, open_checkpoint
from signalbox.log.cosignature import cosigned_at
from signalbox.log.errors import NoteError, PolicyError, QuorumError
from signalbox.log.note import COSIGNATURE, ED25519, Note, VerifierKey, parse_vkey

MAX_POLICY_BYTES = 64 * 1024
MONITORS = "monitors"
NONE = "none"
OWN_WORD = "log-itself"
THRESHOLD = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True)
class Party:
    """A log or a cosigner: its key, and where it is reached."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """Counts as having cosigned when `threshold` of its members have."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """A parsed policy.

    Attributes:
        logs: keys of the log; several while it changes its key.
        witnesses: cosigners by the policy's own names for them.
        groups: by name.
        quorum: name of a witness or group, or `none`.
    """

    logs: tuple[Party, ...]
    witnesses: Mapping[str, Party] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    @property
    def log_keys(self) -> tuple[VerifierKey, ...]:
        return tuple(log.key for log in self.logs)

    @property
    def monitors(self) -> tuple[str, ...]:
        """Names of cosigners who read every leaf."""
        return self.groups[MONITORS].members if MONITORS in self.groups else ()

    @property
    def independent(self) -> tuple[str, ...]:
        """Names of cosigners in the quorum whose key is not the log's own."""
        own = {log.key.public for log in self.logs}
        return tuple(
            name
            for name in self._reachable(self.quorum)
            if self.witnesses[name].key.public not in own
        )

    @property
    def summary(self) -> str:
        """What the quorum is worth, for people."""
        if not self.independent:
            return (
                "the log's own key alone: nobody else vouches that everybody is shown the same"
                " log, or when"
            )
        watching = [name for name in self.independent if name in self.monitors]
        told = f"{len(self.independent)} cosigners beside the log ({', '.join(self.independent)})"
        return told + (f", of whom {', '.join(watching)} read every leaf" if watching else "")

    def text(self) -> str:
        """As a file."""
        lines = [f"# {self.summary}"]
        lines += [_line("log", log.key.vkey, log.url) for log in self.logs]
        lines += [
            _line("witness", name, one.key.vkey, one.url) for name, one in self.witnesses.items()
        ]
        lines += [
            _line("group", name, str(one.threshold), *one.members)
            for name, one in self.groups.items()
        ]
        return "\n".join([*lines, f"quorum {self.quorum}", ""])

    def reached(self, times: Mapping[str, int]) -> int | None:
        """When the quorum was reached, or None.

        Args:
            times: of each witness that cosigned, by name, in seconds since 1970, UTC.
        """
        return self._time(self.quorum, times)

    def _time(self, name: str, times: Mapping[str, int]) -> int | None:
        if name not in self.groups:
            return times.get(name)
        group = self.groups[name]
        known = sorted(
            time for one in group.members if (time := self._time(one, times)) is not None
        )
        return known[group.threshold - 1] if len(known) >= group.threshold else None

    def _reachable(self, name: str) -> list[str]:
        if name not in self.groups:
            return [name] if name in self.witnesses else []
        return [found for one in self.groups[name].members for found in self._reachable(one)]


@dataclass(frozen=True)
class Evidence:
    """A checkpoint under a policy.

    Attributes:
        checkpoint: signed by the log.
        note: as received.
        times: when each witness of the policy cosigned it, seconds since 1970, UTC.
        reached_at: when the quorum was there; None where the policy asks for none.
    """

    checkpoint: Checkpoint
    note: Note
    times: Mapping[str, int]
    reached_at: int | None


def open_evidence(data: bytes, policy: Policy, *, require_quorum: bool = True) -> Evidence:
    """Read a checkpoint and check every signature of it that the policy knows.

    Raises:
        NoteError: it is no note, or a known signature does not hold.
        CheckpointError: it is of another log.
        QuorumError: the policy's quorum is not there.
    """
    checkpoint, note = open_checkpoint(data, policy.log_keys)
    times: dict[str, int] = {}
    for name, witness in policy.witnesses.items():
        time = cosigned_at(note, witness.key)
        if time is not None:
            times[name] = time
    reached = policy.reached(times)
    if require_quorum and reached is None and policy.quorum != NONE:
        raise QuorumError(
            f"the checkpoint of size {checkpoint.size} lacks its quorum {policy.quorum!r}: it is"
            f" cosigned by {', '.join(times) or 'nobody that the policy knows'}"
        )
    return Evidence(checkpoint, note, times, reached)


def own_word_policy(log_keys: Collection[VerifierKey], url: str | None = None) -> Policy:
    """The default: the log's key alone, which also dates its checkpoints."""
    logs = tuple(Party(key, url) for key in log_keys)
    dating = {
        OWN_WORD + (f"-{place}" if place else ""): Party(
            VerifierKey(key.name, COSIGNATURE, key.public)
        )
        for place, key in enumerate(log_keys)
    }
    return Policy(logs, dating, {"quorum": Group(1, tuple(dating))}, "quorum")


def parse_policy(text: str) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: names the line and its fault.
    """
    if len(text.encode()) > MAX_POLICY_BYTES:
        raise PolicyError(f"a policy has {MAX_POLICY_BYTES} bytes at most")
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), start=1):
        words = re.split(r"[ \t]+", line.strip(" \t"))
        if words[0] == "" or words[0].startswith("#"):
            continue
        try:
            reader.take(words)
        except (PolicyError, NoteError) as error:
            raise PolicyError(f"policy, line {number}: {error}") from None
    if not reader.logs:
        raise PolicyError("the policy names no log: add a line `log <vkey>`")
    if reader.quorum is None:
        raise PolicyError("the policy has no quorum: add a line `quorum <name>` or `quorum none`")
    return Policy(tuple(reader.logs), reader.witnesses, reader.groups, reader.quorum)


class _Reader:
    def __init__(self) -> None:
        self.logs: list[Party] = []
        self.witnesses: dict[str, Party] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._grouped: set[str] = set()

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                log = Party(_key(vkey, ED25519), *url)
                self._refuse_twice(log, self.logs)
                self.logs.append(log)
            case ["witness", name, vkey, *url] if len(url) <= 1:
                witness = Party(_key(vkey, COSIGNATURE), *url)
                self._refuse_twice(witness, self.witnesses.values())
                self._refuse_known(name)
                self.witnesses[name] = witness
            case ["group", name, threshold, *members] if members:
                self._refuse_known(name)
                self.groups[name] = self._group(threshold, members)
            case ["quorum", name] if self.quorum is None:
                self.quorum = name if name == NONE else self._known(name)
            case _:
                raise PolicyError(
                    f"{' '.join(words)[:80]!r} is none of: log <vkey> [url]; witness <name> <vkey>"
                    " [url]; group <name> <all|any|number> <name>...; quorum <name|none>, once"
                )

    def _group(self, threshold: str, members: list[str]) -> Group:
        for name in members:
            self._known(name)
            if name in self._grouped:
                raise PolicyError(f"{name!r} is a member of a group already")
            self._grouped.add(name)
        needed = {"all": len(members), "any": 1}.get(threshold) or (
            int(threshold) if THRESHOLD.fullmatch(threshold) else 0
        )
        if not 1 <= needed <= len(members):
            raise PolicyError(f"{threshold!r} is not all, any or 1 to {len(members)}")
        return Group(needed, tuple(members))

    def _known(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise PolicyError(f"{name!r} is no witness or group of a line above")
        return name

    def _refuse_known(self, name: str) -> None:
        if name in self.witnesses or name in self.groups or name == NONE:
            raise PolicyError(f"the name {name!r} is taken")

    @staticmethod
    def _refuse_twice(party: Party, others: Collection[Party]) -> None:
        if any(one.key.public == party.key.public for one in others):
            raise PolicyError(f"the key of {party.key.name} stands there twice")


def _key(vkey: str, kind: int) -> VerifierKey:
    key = parse_vkey(vkey)
    if key.type != kind:
        raise PolicyError(f"the key of {key.name} has type {key.type}, not {kind}")
    return key


def _line(*words: str | None) -> str:
    return " ".join(word for word in words if word)
