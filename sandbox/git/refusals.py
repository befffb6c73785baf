"""What is answered to a request that is not taken."""

BODY_LEFT_UNREAD = (400, 408, 413)


class RefusedRequestError(Exception):
    """Answered with a status and one line of text, which says what to do next.

    Attributes:
        retry_seconds: when to ask again, where that helps.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        ask_password: bool = False,
        retry_seconds: int | None = None,
    ) -> None:
        self.status = status
        self.message = message
        self.ask_password = ask_password
        self.retry_seconds = retry_seconds
        super().__init__(message)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        found = [(b"content-type", b"text/plain; charset=utf-8")]
        if self.ask_password:
            found.append((b"www-authenticate", b'Basic realm="signalbox"'))
        if self.retry_seconds is not None:
            found.append((b"retry-after", str(self.retry_seconds).encode()))
        if self.status in BODY_LEFT_UNREAD:
            found.append((b"connection", b"close"))
        return found
