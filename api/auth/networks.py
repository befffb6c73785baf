"""Where a request comes from, as much of it as is kept.

An address is shortened to its network: /24 of IPv4, /56 of IPv6, which is what one
household or office has. Nothing longer is stored.
"""

import ipaddress
from dataclasses import dataclass
from typing import Any

from litestar import Request

UNKNOWN = "unknown"
IPV4_BITS = 24
IPV6_BITS = 56
USER_AGENT_CHARACTERS = 200


@dataclass(frozen=True)
class Seen:
    """What a request shows of its device, for people to recognise it by."""

    network: str
    user_agent: str


def seen(request: Request[Any, Any, Any]) -> Seen:
    agent = request.headers.get("user-agent", "")
    printable = "".join(character for character in agent if character.isprintable())
    return Seen(network_of(_address(request)), printable[:USER_AGENT_CHARACTERS])


def _address(request: Request[Any, Any, Any]) -> str:
    """As limits count it: of who asked a trusted proxy, where one stands before us."""
    return str(request.app.state.installation.limits.addresses.of(request.scope))


def network_of(address: str) -> str:
    """The network of an address.

    >>> network_of("203.0.113.77"), network_of("2001:db8:1:2345::1")
    ('203.0.113.0/24', '2001:db8:1:2300::/56')
    >>> network_of("::ffff:203.0.113.77"), network_of("")
    ('203.0.113.0/24', 'unknown')
    >>> network_of("2001:db8:1:2300::/56")
    '2001:db8:1:2300::/56'
    """
    try:
        parsed = ipaddress.ip_interface(address).ip
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = IPV4_BITS if parsed.version == 4 else IPV6_BITS  # noqa: PLR2004 - IP's own numbers
    return str(ipaddress.ip_network((parsed, bits), strict=False))
