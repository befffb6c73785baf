"""GET /v1/metrics: what every measure is."""

from typing import Literal, LiteralString

import msgspec
from litestar import get

from api.auth.guards import anyone
from api.installation import RequestContext
from api.rows import fetch_all

DEFINITIONS: LiteralString = """
select name, formula, source, unit, better, over from score.definition order by position, name
"""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """The definition of one measure.

    Attributes:
        name: as measures are keyed; `<level>` stands for a level such as 0.1.
        formula: what is computed.
        source: who says so.
        unit: of the value.
        better: which way is better; null where neither is.
        over: what `count` counts.
    """

    name: str
    formula: str
    source: str
    unit: str
    better: Literal["lower", "higher"] | None
    over: str


class Metrics(msgspec.Struct, frozen=True):
    """Definitions, as the code that computed the stored measures has them."""

    items: list[Metric]


@get("/v1/metrics", guards=[anyone], tags=["performance"])
async def list_metrics(context: RequestContext) -> Metrics:
    """What every measure is: formula, source, unit."""
    async with context.transaction() as connection:
        return Metrics(await fetch_all(connection, Metric, DEFINITIONS, {}))
