"""Theirs or ours: what a run ends with when it does not end with forecasts.

    Exception
     +-- Missed                     theirs: recorded, never raised past `run.py`
     +-- SandboxError               ours: raised, retried, alerted
          +-- SandboxUnavailableError
          +-- ImageAbsentError
          +-- DiskFullError

A model that crashes, hangs or answers nonsense is a recorded outcome of its
slot. An engine that is gone is not: nothing was learnt about the model, so
nothing may be recorded about it.
"""

from typing import Literal

MissedKind = Literal["timeout", "out_of_memory", "exit", "error", "invalid", "refused"]


class Missed(Exception):  # noqa: N818 - an outcome with a name in the glossary, not an error of ours
    """The model gave no acceptable forecast for a slot.

    Attributes:
        kind: `timeout` (the step's deadline passed), `out_of_memory`, `exit` (the
            process ended early), `error` (the model raised), `invalid` (the answer
            or the protocol is broken; the first fault is named), `refused` (the
            model died of a read it may not make).
        detail: what happened, in one line, for the provider to read.
    """

    def __init__(self, kind: MissedKind, detail: str) -> None:
        self.kind: MissedKind = kind
        self.detail = detail
        super().__init__(kind, detail)

    def __str__(self) -> str:
        """As stored in `forecast.slot_record.reason`."""
        return f"{self.kind}: {self.detail}"


class SandboxError(Exception):
    """The sandbox failed, not the model. Retry the slot; nothing is recorded."""


class SandboxUnavailableError(SandboxError):
    """No engine answers, or it cannot start a sandbox; says what to do."""

    def __init__(self, engine: str, problem: str, remedy: str) -> None:
        self.engine = engine
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{engine} engine: {problem}. {remedy}")


class ImageAbsentError(SandboxError):
    """The version's image is not on this machine."""

    def __init__(self, engine: str, digest: str, missing: str) -> None:
        self.engine = engine
        self.digest = digest
        self.missing = missing
        super().__init__(
            f"{engine} engine: image {digest} is absent ({missing}). "
            "Rebuild it from the registry's record of the version, then run the slot again."
        )


class DiskFullError(SandboxError):
    """The host has no room to start a sandbox."""

    def __init__(self, engine: str, problem: str) -> None:
        self.engine = engine
        self.problem = problem
        super().__init__(
            f"{engine} engine: no space left ({problem}). "
            "Free space on the engine's disk, then run the slot again."
        )
