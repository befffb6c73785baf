"""An invoice as a page to print: no script, nothing loaded, its own style by hash."""

import base64
import hashlib
import html
from datetime import datetime

from api.invoices.stored import InvoiceDetail

STYLE = (
    "body{font:1rem/1.5 system-ui;max-width:42rem;margin:3rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem 0;"
    "border-bottom:1px solid #ccc}td:last-child,th:last-child{text-align:right}"
    "@media print{body{margin:0}}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}';"
    " form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Invoice {number} - Signalbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style>
</head><body><main><h1>Invoice {number}</h1>
<p>For {subscriber}<br>Issued {issued_at}<br>Paid {paid_at} by {payment_provider}</p>
<table><thead><tr><th>What</th><th>{currency}</th></tr></thead>
<tbody>
{rows}
</tbody></table>
{note}</main></body></html>
"""
NO_MONEY = "<p>TEST PAYMENT - no money moved.</p>\n"


def page_of(invoice: InvoiceDetail) -> str:
    """The invoice as HTML; every text of people's is escaped."""
    rows = [(line.description, line.amount_minor) for line in invoice.lines]
    rows.append(("Paid", invoice.amount_minor - invoice.credit_minor))
    rows.extend(
        (f"{back.kind.capitalize()} {_day(back.happened_at)}", -back.amount_minor)
        for back in invoice.reversals
    )
    return PAGE.format(
        style=STYLE,
        number=html.escape(invoice.number),
        subscriber=html.escape(invoice.subscriber),
        issued_at=_day(invoice.issued_at),
        paid_at=_day(invoice.paid_at),
        payment_provider=html.escape(invoice.payment_provider),
        currency=html.escape(invoice.currency),
        rows="\n".join(
            f"<tr><td>{html.escape(text)}</td><td>{money(amount)}</td></tr>"
            for text, amount in rows
        ),
        note=NO_MONEY if invoice.payment_provider == "manual" else "",
    )


def money(amount_minor: int) -> str:
    """Hundredths as a decimal number.

    >>> money(2900), money(-5), money(0)
    ('29.00', '-0.05', '0.00')
    """
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
