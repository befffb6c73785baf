"""A platform's API, as the commands ask it."""

from typing import Any

import click
import httpx

from signalbox.cli.credentials import Login

SECONDS = 30.0


class UnreachableError(click.ClickException):
    """The platform does not answer."""

    exit_code = 3


class RefusedError(click.ClickException):
    """The platform said no, and why.

    Attributes:
        code: of the problem, as docs/errors.md lists it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Platform:
    """One platform, and whom it is asked for.

    Attributes:
        url: of the API, without a slash at the end.
    """

    def __init__(self, url: str, credential: str | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=SECONDS)

    @classmethod
    def of(cls, login: Login) -> "Platform":
        return cls(login.api_url, login.key)

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON document at `path`."""
        return self._ask("GET", path, params=parameters)

    def post(self, path: str, body: object = None) -> Any:
        """What `path` answers to a JSON body, or to none."""
        return self._ask("POST", path, json=body) if body is not None else self._ask("POST", path)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._client.request(method, path, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(
                f"{self.url} does not answer ({error}); check the address, and that it runs"
            ) from None
        if answer.is_success:
            return answer.json()
        raise _refusal(answer)


def _refusal(answer: httpx.Response) -> click.ClickException:
    """As the platform says it: its problem's detail names what to do."""
    try:
        problem = answer.json()
        code, detail = problem["code"], problem["detail"]
        faults = "".join(f"\n  {e['field']}: {e['message']}" for e in problem.get("errors") or ())
    except (ValueError, KeyError, TypeError):
        return click.ClickException(
            f"{answer.url} answered {answer.status_code} and is no Signalbox platform, it seems;"
            " check the address"
        )
    if code == "invalid_token":
        detail += " Or call `signalbox login` again."
    return RefusedError(code, f"{code}: {detail}{faults}")
