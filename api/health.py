"""GET /healthz: the process runs. GET /readyz: it reaches its database."""

import msgspec
from litestar import get

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.installation import RequestContext
from api.rows import fetch_one
from sql.coverage import COVERAGE, Coverage

OPT = {IGNORES_CREDENTIALS: True}


class Health(msgspec.Struct, frozen=True):
    status: str


class Readiness(Health, frozen=True):
    """`log`: `covered`, or how many leaves wait for a checkpoint, since when, and what to do."""

    log: str


@get("/healthz", guards=[anyone], opt=OPT, tags=["health"])
async def healthz() -> Health:
    """The process runs; nothing else is asked."""
    return Health("ok")


@get("/readyz", guards=[anyone], opt=OPT, tags=["health"])
async def readyz(context: RequestContext) -> Readiness:
    """Ready even where the log is not covered: what is stored can be read."""
    async with context.transaction() as connection:
        coverage = await fetch_one(connection, Coverage, COVERAGE, [])
    fault = coverage.fault(context.now) if coverage else None
    return Readiness("ready", log=fault or "covered")
