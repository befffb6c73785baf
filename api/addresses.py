"""Where a request comes from: an IPv4 address whole, of an IPv6 address the first 56 bits.

Whoever has one IPv6 address has 2^72 of them. The header that names a client counts
only where a proxy sent it that SIGNALBOX_TRUSTED_PROXIES names.
"""

import ipaddress
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from litestar.datastructures import Headers
from litestar.types import Scope

from sql.configuration import ConfigurationError

IPV6_PREFIX = 56
HEADER = "x-forwarded-for"

Address = IPv4Address | IPv6Address


class Addresses:
    """Tells where requests come from.

    Args:
        trusted_proxies: addresses and networks, by commas.

    Raises:
        ConfigurationError: one of them is neither.
    """

    def __init__(self, trusted_proxies: str) -> None:
        self._trusted = _networks(trusted_proxies)

    def of(self, scope: Scope) -> str:
        """The address that limits count: as text, `2001:db8:0:100::/56` of an IPv6 one."""
        client = scope.get("client")
        peer = client[0] if client else ""
        if not self._trusted:
            return shortened(peer)
        return shortened(self._behind_proxies(peer, Headers.from_scope(scope).getall(HEADER, [])))

    def _behind_proxies(self, peer: str, headers: list[str]) -> str:
        # From the right: what stands left of the first stranger, that stranger may have written.
        named = [part.strip() for header in headers for part in header.split(",")]
        nearest = peer
        while named and self._is_trusted(nearest):
            nearest = named.pop()
        return nearest

    def _is_trusted(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._trusted)


@lru_cache(maxsize=4096)
def shortened(text: str) -> str:
    """An address as limits count it.

    >>> shortened("192.0.2.7"), shortened("2001:db8:0:1ff::7"), shortened("::ffff:192.0.2.7")
    ('192.0.2.7', '2001:db8:0:100::/56', '192.0.2.7')
    """
    address = _parsed(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX), strict=False))
    return str(address) if address else text


def _parsed(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigurationError(f"SIGNALBOX_TRUSTED_PROXIES: {error}") from None
