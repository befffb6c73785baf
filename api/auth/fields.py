"""What people are known by, as fields of request bodies."""

from typing import Annotated

from msgspec import Meta

# What counts as a space differs between languages; control characters are none of an address.
WORD = r"[^@\s\x00-\x1f\x7f-\x9f]+"
Email = Annotated[str, Meta(pattern=rf"^{WORD}@{WORD}\.{WORD}$(?!\n)", max_length=254)]
Handle = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$(?!\n)")]
NewPassword = Annotated[str, Meta(min_length=12, max_length=1024)]
ShownPassword = Annotated[str, Meta(max_length=1024)]
"""As given at login: a wrong one is wrong, however long."""
ShownCode = Annotated[str, Meta(max_length=40)]
"""Six digits of an authenticator, or a recovery code."""
ShownToken = Annotated[str, Meta(max_length=2000)]
