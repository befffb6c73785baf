"""GET /healthz: the process runs. GET /readyz: it reaches its database."""

import msgspec
from litestar import get

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS
from api.installation import RequestContext

OPT = {IGNORES_CREDENTIALS: True}


class Health(msgspec.Struct, frozen=True):
    status: str


@get("/healthz", guards=[anyone], opt=OPT, tags=["health"])
async def healthz() -> Health:
    return Health("ok")


@get("/readyz", guards=[anyone], opt=OPT, tags=["health"])
async def readyz(context: RequestContext) -> Health:
    async with context.transaction() as connection:
        await connection.execute("select 1 from registry.signal limit 1")
    return Health("ready")
