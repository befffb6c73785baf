"""GET /account/link: where the links of our letters lead.

What is behind `#` stays in the browser until the person presses the button: a mail
scanner that opens every link uses up no token, and no log ever holds one.
"""

import base64
import hashlib

from litestar import Response, get

from api.auth.guards import anyone
from api.auth.middleware import IGNORES_CREDENTIALS

SCRIPT = """
const [kind, token] = location.hash.slice(1).split("=");
history.replaceState(null, "", location.pathname);
const paths = {confirm_email: "confirm", change_email: "email/confirm",
  reset_password: "password/reset"};
const form = document.querySelector("form"), said = document.querySelector("output");
const password = document.querySelector("label");
if (!(kind in paths) || !token) {
  form.hidden = true;
  said.textContent = "Open the whole link of the letter.";
}
if (kind !== "reset_password") password.remove();
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = {token, ...Object.fromEntries(new FormData(form))};
  const answer = await fetch("/v1/auth/" + paths[kind], {method: "POST",
    headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
  said.textContent = answer.ok ? "Done. You may close this page."
    : (await answer.json()).detail;
  form.hidden = answer.ok;
});
"""
PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signalbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}}
input,button{{font:inherit;padding:.5rem 1rem}}</style>
</head><body><main><h1>Signalbox</h1>
<noscript><p>This page needs JavaScript.</p></noscript>
<form><p><label>New password, 12 characters or more
<input type="password" name="password" minlength="12" maxlength="1024" required
autocomplete="new-password"></label></p>
<p><button type="submit">Confirm</button></p></form>
<p><output></output></p></main>
<script>{SCRIPT}</script></body></html>
"""
SCRIPT_DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; script-src 'sha256-{SCRIPT_DIGEST}';"
    " style-src 'unsafe-inline'; connect-src 'self'; form-action 'none';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


@get("/account/link", guards=[anyone], opt={IGNORES_CREDENTIALS: True},
     media_type="text/html", tags=["account"])  # fmt: skip
async def show_mail_link() -> Response[str]:
    """The page that a letter's link opens."""
    return Response(PAGE, media_type="text/html", headers=HEADERS)
