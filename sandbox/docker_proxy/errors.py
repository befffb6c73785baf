"""Why a request goes no further."""

from http import HTTPStatus


class RefusedError(Exception):
    """What was asked is not what this socket is for.

    Attributes:
        field: the part of the request that is wrong, such as `HostConfig.Privileged`.
        why: what may stand there.
        status: of the answer.
    """

    def __init__(self, field: str, why: str, status: int = HTTPStatus.FORBIDDEN) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why
        self.status = status


class DaemonError(Exception):
    """Docker's daemon does not answer, or not in HTTP."""
