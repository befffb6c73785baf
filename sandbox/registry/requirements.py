"""A wrong line of `requirements.txt` refuses the push; what is wrong, the contract says."""

from packaging.requirements import Requirement

from sandbox.registry.errors import RequirementError
from signalbox import requirements
from signalbox.requirements import RequirementsError


def parse_requirements(text: str) -> list[Requirement]:
    """Parse strictly; see `signalbox.requirements`.

    Raises:
        RequirementError: naming the line.
    """
    try:
        return requirements.parse_requirements(text)
    except RequirementsError as error:
        raise RequirementError(error.line, error.text, error.problem) from None
