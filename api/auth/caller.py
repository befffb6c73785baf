"""The person behind a request, and what their credential may do."""

import uuid
from dataclasses import dataclass
from typing import Literal

Scope = Literal["read", "push"]


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        scopes: of the API key used; None: signed in with a password, may do all they may.
    """

    user_id: uuid.UUID
    handle: str
    role: str
    scopes: frozenset[str] | None = None

    @property
    def is_operator(self) -> bool:
        return self.role == "operator"
