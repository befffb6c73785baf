"""Why nothing is signed."""

from typing import Literal

Refusal = Literal["malformed", "other_log", "behind", "shrunk", "forked", "inconsistent",
                  "no_state", "no_key"]  # fmt: skip


class RefusedError(RuntimeError):
    """The signer was asked and will not sign.

    Attributes:
        code: which rule.
        why: for people; says what to do next.
    """

    def __init__(self, code: Refusal, why: str) -> None:
        super().__init__(f"the signer refuses ({code}): {why}")
        self.code = code
        self.why = why


class SignerUnavailableError(RuntimeError):
    """Nobody answers at the signer's socket, or not in its language."""
