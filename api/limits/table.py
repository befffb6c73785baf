"""The limits: requests a minute, by class of route and plan; docs/operations/limits.md shows them.

A demonstration and a test are one machine's: everybody comes from one address there, so
each limit is a multiple of production's.
"""

from functools import lru_cache
from typing import Literal

RouteClass = Literal["auth", "read", "bulk", "write", "checkout"]
Plan = Literal["anonymous", "member", "subscriber", "operator"]

PER_MINUTE: dict[RouteClass, dict[Plan, int]] = {
    "auth": {"anonymous": 120, "member": 120, "subscriber": 120, "operator": 120},
    "read": {"anonymous": 600, "member": 1200, "subscriber": 3000, "operator": 6000},
    "bulk": {"anonymous": 120, "member": 240, "subscriber": 600, "operator": 1200},
    "write": {"anonymous": 60, "member": 120, "subscriber": 240, "operator": 600},
    "checkout": {"anonymous": 120, "member": 120, "subscriber": 120, "operator": 120},
}
STRAYS_PER_MINUTE = 120
OUTSIDE_PRODUCTION: dict[RouteClass, int] = {
    "auth": 20, "read": 1000, "bulk": 1000, "write": 100, "checkout": 100,
}  # fmt: skip
STRAYS_OUTSIDE_PRODUCTION = 10

# Files from memory cost less than counting them.
UNLIMITED = ("/healthz", "/readyz", "/assets/{file:str}")
CHECKOUT = ("/checkout/", "/v1/billing/")
# Answers of many rows or of much work.
BULK = (
    "/export", "/forecasts", "/v1/bars", "/evidence", "/performance", "/track-record", "/compare",
    "/marginal",
)  # fmt: skip


@lru_cache(maxsize=1024)
def class_of(path_template: str, method: str) -> RouteClass | None:
    """The class of a route; None: it is not limited.

    >>> class_of("/v1/auth/login", "POST"), class_of("/v1/signals", "GET")
    ('auth', 'read')
    """
    if path_template in UNLIMITED:
        return None
    if path_template.startswith(CHECKOUT):
        return "checkout"
    if method in ("GET", "HEAD", "OPTIONS"):
        return "bulk" if path_template.endswith(BULK) else "read"
    return "auth" if path_template.startswith("/v1/auth/") else "write"


def per_minute(route_class: RouteClass, plan: Plan, environment: str) -> int:
    """How many requests of a class a plan has in a minute, all at once if it likes."""
    factor = 1 if environment == "production" else OUTSIDE_PRODUCTION[route_class]
    return PER_MINUTE[route_class][plan] * factor


def strays_per_minute(environment: str) -> int:
    """How many answers 401, 404 and 405 an asker has in a minute, of one route."""
    return STRAYS_PER_MINUTE * (1 if environment == "production" else STRAYS_OUTSIDE_PRODUCTION)
