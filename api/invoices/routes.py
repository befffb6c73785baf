"""GET /v1/invoices, /v1/invoices/{number}: as JSON, or as a page to print."""

from typing import Annotated, Any

from litestar import Request, Response, Router, get
from litestar.params import FromPath
from msgspec import Meta

from api.auth.guards import signed_in
from api.installation import RequestContext
from api.invoices import stored
from api.invoices.page import HEADERS, page_of
from api.invoices.stored import Invoice, InvoiceDetail
from api.pages import Cursor, Limit, Page, read_cursor
from api.pages import page_of as cut

Year = Annotated[int, Meta(ge=0, le=9999)]
Sequence = Annotated[int, Meta(ge=0, le=2**31 - 1)]


@get("/", guards=[signed_in("read")])
async def list_invoices(
    context: RequestContext, limit: Limit = 100, cursor: Cursor = None
) -> Page[Invoice]:
    """Your invoices as a subscriber, newest first."""
    after = read_cursor(cursor, tuple[Year, Sequence])
    async with context.transaction() as connection:
        found = await stored.of_person(connection, context.person.user_id, after, limit + 1)
    return cut(found, limit, _key)


@get("/{number:str}", guards=[signed_in("read")])
async def get_invoice(
    number: FromPath[str], context: RequestContext, request: Request[Any, Any, Any]
) -> Response[InvoiceDetail]:
    """With its lines. `Accept: text/html` answers with a page to print."""
    async with context.transaction() as connection:
        invoice = await stored.one(connection, context.person.user_id, number)
    if request.accept.best_match(["application/json", "text/html"]) == "text/html":
        page: Response[Any] = Response(page_of(invoice), media_type="text/html", headers=HEADERS)
        return page
    return Response(invoice, headers={"Vary": "Accept"})


def _key(invoice: Invoice) -> tuple[int, int]:
    year, _, sequence = invoice.number.partition("-")
    return int(year), int(sequence)


router = Router("/v1/invoices", route_handlers=[list_invoices, get_invoice], tags=["billing"])
