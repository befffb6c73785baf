"""What a client raises.

ClientError
  ApiError          the platform said no, and why
  UnreachableError  it did not answer, or not as a platform would
"""

from typing import Any

import httpx


class ClientError(Exception):
    """Base of everything that a client raises of itself."""


class UnreachableError(ClientError):
    """No answer, or none of a platform: check the address, or try again later."""


class ApiError(ClientError):
    """The platform refused; branch on `code`.

    Attributes:
        code: as docs/errors.md lists it; unknown ones may come.
        status: of HTTP.
        detail: what to do next, for people.
        request_id: quote it when you report a problem.
        errors: the fields at fault, as `{"field": ..., "message": ...}`.
        retry_after_s: seconds after which it may succeed; None: not said.
    """

    def __init__(
        self,
        code: str,
        status: int,
        detail: str,
        request_id: str | None = None,
        errors: tuple[dict[str, str], ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{code} ({status}): {detail}" + f" [{request_id}]" * bool(request_id))
        self.code = code
        self.status = status
        self.detail = detail
        self.request_id = request_id
        self.errors = errors
        self.retry_after_s = retry_after_s


def refusal(answer: httpx.Response, retry_after_s: float | None) -> ClientError:
    """The error of an answer that is no success, whose body was read."""
    problem = _problem(answer)
    if problem is None:
        return _no_platform(answer)
    return ApiError(
        code=str(problem["code"]),
        status=answer.status_code,
        detail=str(problem.get("detail", "")),
        request_id=answer.headers.get("x-request-id"),
        errors=tuple(problem.get("errors") or ()),
        retry_after_s=retry_after_s,
    )


def document(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of a success.

    Raises:
        UnreachableError: it is none; something else than a platform answered.
    """
    try:
        read = answer.json()
    except ValueError:
        raise _no_platform(answer) from None
    if not isinstance(read, dict):
        raise _no_platform(answer)
    return read


def _no_platform(answer: httpx.Response) -> UnreachableError:
    return UnreachableError(
        f"{answer.url.copy_with(query=None)} answered {answer.status_code} and not as a"
        " platform would; check the address"
    )


def _problem(answer: httpx.Response) -> dict[str, Any] | None:
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        problem = answer.json()
    except ValueError:
        return None
    return problem if isinstance(problem, dict) and "code" in problem else None
