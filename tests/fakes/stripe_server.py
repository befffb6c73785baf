"""The HTTP of tests/fakes/stripe.py: its API, and signed webhooks that it sends."""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.fakes.stripe import FakeStripe

KEY = "sk_test_fake"
WEBHOOK_SECRET = b"whsec_fake"
LISTS = {
    "subscriptions": "subscription",
    "invoices": "invoice",
    "refunds": "refund",
    "disputes": "dispute",
}
ONE = re.compile(
    r"/v1/(?:checkout/sessions|customers|subscriptions|invoices|charges|refunds|disputes)/(\w+)"
)
BALANCE = re.compile(r"/v1/customers/(\w+)/balance_transactions")


class StripeServer:
    """A `FakeStripe` behind a port of its own; `is_down` makes every request fail."""

    def __init__(self, now: int) -> None:
        self.stripe, self.is_down = FakeStripe(now), False
        self.made: dict[str, dict] = {}
        self.requests: list[str] = []
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                with server.lock:
                    status, said = server.answer(self.command, self.path, body, self.headers)
                content = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the base class looks for them

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.stripe.url = self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, method: str, path: str, body: str, headers) -> tuple[int, dict]:
        self.requests.append(f"{method} {path}")
        if self.is_down:
            return 500, {"error": {"message": "down"}}
        if headers["Authorization"] != f"Bearer {KEY}" or headers["Stripe-Version"] != "2024-06-20":
            return 401, {"error": {"message": "Invalid API Key provided"}}
        url, form = urlsplit(path), dict(parse_qsl(body))
        key = headers.get("Idempotency-Key")
        if key in self.made:
            return 200, self.made[key]
        said = self.route(method, url.path, dict(parse_qsl(url.query)), form)
        if said is None:
            return 404, {"error": {"message": f"No such thing: {url.path}"}}
        if key:
            self.made[key] = said
        return 200, said

    def route(self, method: str, path: str, query: dict, form: dict) -> dict | None:
        stripe = self.stripe
        one = ONE.fullmatch(path)
        if one:
            found = stripe.objects.get(one[1])
            if found and method == "POST":
                stripe.change(found, form)
            if found and method == "DELETE":
                stripe.end(found)
            return found
        customer = BALANCE.fullmatch(path)
        if customer and method == "POST":
            stripe.objects[customer[1]]["balance"] += int(form["amount"])
            return stripe.add("cbtxn", "customer_balance_transaction", amount=int(form["amount"]))
        if (method, path) == ("POST", "/v1/checkout/sessions"):
            return stripe.check_out(form)
        if (method, path) == ("POST", "/v1/billing_portal/sessions"):
            return {"url": f"{self.url}/portal/{form['customer']}"}
        if (method, path) == ("POST", "/v1/refunds"):
            return stripe.refund(form["charge"], int(form["amount"]))
        return self.listed(path.rpartition("/")[2], query)

    def listed(self, noun: str, query: dict) -> dict:
        """Newest first, a page at a time, as Stripe does."""
        found = self.stripe.all(LISTS[noun])[::-1]
        found = [one for one in found if one["created"] >= int(query.get("created[gte]", 0))]
        if "charge" in query:
            found = [one for one in found if one["charge"] == query["charge"]]
        if "starting_after" in query:
            ids = [one["id"] for one in found]
            found = found[ids.index(query["starting_after"]) + 1 :]
        limit = min(int(query.get("limit", 10)), 3)
        return {"object": "list", "data": found[:limit], "has_more": len(found) > limit}


def signed(event: dict, *, secret: bytes = WEBHOOK_SECRET, at: float | None = None):
    """Body and headers of a webhook, as Stripe signs it."""
    body = json.dumps(event).encode()
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    header = f"t={stamp},v1={digest},v0={'0' * 64}"
    return body, {"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"}


def deliver(api_url: str, event: dict, **signing) -> httpx.Response:
    body, headers = signed(event, **signing)
    return httpx.post(
        f"{api_url}/v1/billing/webhook/stripe", content=body, headers=headers, timeout=30
    )


@contextmanager
def stripe_server(now: int) -> Iterator[StripeServer]:
    server = StripeServer(now)
    try:
        yield server
    finally:
        server.close()
