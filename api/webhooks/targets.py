"""Which addresses webhooks may go to: those of the public internet.

Whoever names a target would otherwise have this process ask what only this machine and
its neighbours may. So a name is resolved here, every address that it has must be public,
and the connection is made to one of these addresses and not to the name: a second look at
the name could give another answer. The name serves for TLS and `Host` alone.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpcore
import httpx

URL_CHARACTERS = 500
HIGHEST_SYSTEM_PORT, HTTPS_PORT = 1023, 443
# Between processes of one machine, names of it, and what the rest of the world never gives out.
GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
# Addresses of IPv4 in another dress: a gateway would unpack them (6to4, Teredo, NAT64).
CARRIERS = tuple(
    ipaddress.ip_network(one)
    for one in ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")
)

Resolve = Callable[[str, int], Awaitable[list[str]]]


class BadTargetError(ValueError):
    """Nothing is sent there; says why, for the webhook's owner."""


class Resolver:
    """The system's resolver, in threads of its own: a slow name holds up nobody but webhooks."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="webhook-names")

    async def __call__(self, host: str, port: int) -> list[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]


class Targets:
    """The rules of one installation.

    Args:
        private: allow http, and every address: for machines on which nothing is to be guarded.
        resolve: name and port to addresses.
    """

    def __init__(self, *, private: bool, resolve: Resolve) -> None:
        self._private = private
        self._resolve = resolve

    def read(self, text: str) -> httpx.URL:
        """The address of a webhook, by its form alone.

        Raises:
            BadTargetError: as `addresses`.
        """
        if len(text) > URL_CHARACTERS or not text.isascii() or not text.isprintable():
            raise BadTargetError(f"write an address of up to {URL_CHARACTERS} ASCII characters")
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            raise BadTargetError("it is not an address") from None
        if url.scheme != "https" and not (self._private and url.scheme == "http"):
            raise BadTargetError("it has to begin with https://")
        if not url.host or url.userinfo or url.fragment:
            raise BadTargetError("write it as https://host/path, without user, password or #")
        port = port_of(url)
        if port not in range(1, 65536):
            raise BadTargetError(f"there is no port {port}")
        if not self._private and port <= HIGHEST_SYSTEM_PORT and port != HTTPS_PORT:
            raise BadTargetError(f"of the ports below 1024 only {HTTPS_PORT} is possible")
        return url

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where a name leads to.

        Raises:
            BadTargetError: nowhere, or to an address that is not public.
        """
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise BadTargetError(f"{host} was not found: {error}") from None
        if not found:
            raise BadTargetError(f"{host} was not found")
        if not self._private and not all(is_public(address) for address in found):
            raise BadTargetError(f"{host} leads to an address that is not public")
        return list(dict.fromkeys(found))


def port_of(url: httpx.URL) -> int:
    return {"https": HTTPS_PORT, "http": 80}[url.scheme] if url.port is None else url.port


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet.

    >>> is_public("9.9.9.9"), is_public("::ffff:9.9.9.9"), is_public("10.0.0.1")
    (True, True, False)
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if address not in GLOBAL_IPV6 or any(address in carrier for carrier in CARRIERS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were judged, never to a name."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._connect = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            with anyio.fail_after(timeout):
                return await self._first(host, port, timeout, local_address, socket_options)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host} took more than {timeout} s") from None

    async def _first(
        self,
        host: str,
        port: int,
        timeout: float | None,  # noqa: ASYNC109 - as above
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        """To the first of its addresses that takes a connection."""
        error: Exception = BadTargetError(f"{host} was not found")
        for address in await self._targets.addresses(host, port):
            try:
                return await self._connect.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as refused:
                error = refused
        raise error

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
