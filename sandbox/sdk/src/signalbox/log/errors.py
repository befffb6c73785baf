"""What can be wrong with what a log shows. Each message names the first fault."""


class LogError(ValueError):
    """Something a log or a cosigner shows is not what it should be."""


class ProofError(LogError):
    """A Merkle proof does not prove it."""


class TileError(LogError):
    """A tile, its path or an entry bundle is malformed or not there."""


class NoteError(LogError):
    """A signed note or a key is malformed, or a signature does not verify."""


class CheckpointError(LogError):
    """A note's text is no checkpoint, or one of another log."""


class PolicyError(LogError):
    """A policy file is malformed; names the line."""


class QuorumError(LogError):
    """A checkpoint lacks the signatures that the policy asks for."""


class LeafError(LogError):
    """A leaf's body is not what its kind allows."""


class BundleError(LogError):
    """An evidence bundle is malformed."""


class StateError(LogError):
    """A file in which something was to be remembered is torn, edited or of something else."""


class RuleError(LogError):
    """The leaves of a signal break a rule of the log.

    Attributes:
        code: which rule, one word of `docs/subscriber/verify.md`.
    """

    def __init__(self, code: str, problem: str) -> None:
        self.code = code
        super().__init__(problem)


class VerificationError(LogError):
    """Evidence does not hold.

    Attributes:
        code: what does not, one word of `docs/subscriber/verify.md`.
    """

    def __init__(self, code: str, problem: str) -> None:
        self.code = code
        super().__init__(problem)
