"""What people are known by, as fields of request bodies."""

from typing import Annotated

from msgspec import Meta

Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$(?!\n)", max_length=254)]
Handle = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$(?!\n)")]
NewPassword = Annotated[str, Meta(min_length=12, max_length=1024)]
ShownPassword = Annotated[str, Meta(max_length=1024)]
"""As given at login: a wrong one is wrong, however long."""
ShownCode = Annotated[str, Meta(max_length=40)]
"""Six digits of an authenticator, or a recovery code."""
ShownToken = Annotated[str, Meta(max_length=2000)]
