"""Why a push is refused: always theirs, always the one thing to mend."""


class RefusedError(Exception):
    """The submission breaks a rule; the message says which and what to do."""


class RequirementError(RefusedError):
    """A line of requirements.txt is not a plain name with specifiers."""

    def __init__(self, line: int, text: str, problem: str) -> None:
        self.line = line
        super().__init__(f"requirements.txt line {line}: {problem} (found: {text[:80]!r})")


class TreeError(RefusedError):
    """The commit's tree holds what may not be published."""


class LockError(RefusedError):
    """The requirements cannot be locked from wheels."""


class SmokeError(RefusedError):
    """The model did not answer validly in the sandbox."""


class BuildError(Exception):
    """Ours: the platform could not build; the push may be repeated."""
