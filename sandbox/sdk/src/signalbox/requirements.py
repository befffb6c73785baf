"""`requirements.txt`: names, extras, specifiers and markers, and nothing else.

pip's format can name files, URLs, other indexes and editable folders, each a way
to have something fetched or run on the platform's machine. So it is parsed here,
and the locker is handed only what came through.
"""

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

MAX_LINES = 200
MAX_LINE_LENGTH = 300


class RequirementsError(ValueError):
    """A line of requirements.txt is not a plain name with specifiers."""

    def __init__(self, line: int, text: str, problem: str) -> None:
        self.line = line
        self.text = text
        self.problem = problem
        super().__init__(f"requirements.txt line {line}: {problem} (found: {text[:80]!r})")


def parse_requirements(text: str) -> list[Requirement]:
    """Parse strictly; comments and blank lines are passed over.

    Raises:
        RequirementsError: naming the line.

    >>> [str(r) for r in parse_requirements("numpy>=2  # arrays")]
    ['numpy>=2']
    """
    requirements: dict[int, Requirement] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if number > MAX_LINES:
            raise RequirementsError(number, line, f"more than {MAX_LINES} lines")
        plain = line.split(" #", 1)[0].strip()
        if not plain or plain.startswith("#"):
            continue
        requirements[number] = _parse_line(number, plain)
    _refuse_twins(requirements)
    return list(requirements.values())


def _parse_line(number: int, plain: str) -> Requirement:
    if len(plain) > MAX_LINE_LENGTH:
        raise RequirementsError(number, plain, f"longer than {MAX_LINE_LENGTH} characters")
    if not plain.isascii() or not plain.isprintable():
        raise RequirementsError(number, plain, "only printable ASCII may stand here")
    if plain.startswith("-"):
        raise RequirementsError(number, plain, "options are not taken; name packages only")
    if "$" in plain or "\\" in plain:
        raise RequirementsError(number, plain, "variables and continuations are not taken")
    try:
        requirement = Requirement(plain)
    except InvalidRequirement as error:
        first = str(error).splitlines()[0]
        raise RequirementsError(number, plain, f"not a name with specifiers: {first}") from None
    if requirement.url:
        raise RequirementsError(number, plain, "URLs and paths are not taken; name a release")
    return requirement


def _refuse_twins(requirements: dict[int, Requirement]) -> None:
    seen: set[str] = set()
    for number, requirement in requirements.items():
        key = f"{canonicalize_name(requirement.name)};{requirement.marker}"
        if key in seen:
            raise RequirementsError(number, str(requirement), "this package stands twice")
        seen.add(key)
