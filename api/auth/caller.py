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
        session_id: of the login; None: an API key.
        has_totp: that login took a second factor.
    """

    user_id: uuid.UUID
    handle: str
    role: str
    scopes: frozenset[str] | None = None
    session_id: uuid.UUID | None = None
    has_totp: bool = False

    @property
    def is_operator(self) -> bool:
        return self.role == "operator"
