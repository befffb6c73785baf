"""An answer that breaks a rule of its manifest is a miss; the rules are the contract's."""

from collections.abc import Iterable

from sandbox.runner.errors import Missed
from signalbox import Forecast, Manifest
from signalbox.answer import AnswerCheck as Rules
from signalbox.answer import InvalidAnswerError


class AnswerCheck:
    """The rules that one manifest sets for every answer."""

    def __init__(self, manifest: Manifest) -> None:
        self._rules = Rules(manifest)

    def checked(self, rows: Iterable[Forecast]) -> tuple[Forecast, ...]:
        """The answer in canonical form: manifest order, 6 significant digits.

        Raises:
            Missed: `invalid`, naming the first fault.
        """
        try:
            return self._rules.checked(rows)
        except InvalidAnswerError as fault:
            raise Missed("invalid", str(fault)) from None


def checked(rows: Iterable[Forecast], manifest: Manifest) -> tuple[Forecast, ...]:
    """As `AnswerCheck.checked`, once."""
    return AnswerCheck(manifest).checked(rows)
