"""Words of the document: what tags and names in paths mean, and an example of each body."""

from typing import Any

TAGS: dict[str, str] = {
    "account": "Your account: what is held about you, letters, leaving.",
    "admin": "For operators of the installation.",
    "api keys": "Keys for programs, with scopes and an end.",
    "audit": "What you did, and what was done to what is yours.",
    "auth": "Registering, signing in and out, second factors.",
    "bars": "Market data, as known best now or at an instant.",
    "billing": "Checkout, invoices, refunds, events of payment providers.",
    "data-source keys": "Keys of market data vendors, sealed so that this API cannot open them.",
    "events": "What happens, as it happens.",
    "forecasts": "What signals forecast, for those who are entitled; what is revealed, for all.",
    "health": "Whether the process runs, and reaches its database.",
    "log": "The transparency log: checkpoints, tiles, proofs, evidence.",
    "performance": "How signals did, as far as it is proven.",
    "provider": "What a provider has: signals at a glance, what they earn.",
    "signals": "The catalogue, and what providers do with their signals.",
    "signing keys": "SSH keys by which pushes are signed.",
    "subscriptions": "Subscribing, and how it ends.",
    "webhooks": "Addresses of yours that events are posted to, signed.",
    "versions": "Immutable versions of a signal, their runs, logs and provenance.",
}

# By the name in the path: meaning, example.
NAMED_IN_PATHS: dict[str, tuple[str, Any]] = {
    "provider": ("Handle of the provider", "ada"),
    "name": ("Name of the signal, second half of provider/name", "tide"),
    "version": ("Its tag", "v1.0.0"),
    "key_id": ("Id of an API key", "0123456789abcdef"),
    "month": ("A calendar month, UTC", "2026-01"),
    "number": ("Of an invoice", "2026-000001"),
    "tile": ("Level and index, see c2sp.org/tlog-tiles", "0/000.p/1"),
}

_PASSWORD = "correct horse battery staple"  # noqa: S105 - an example
_TOKEN = "A" * 43
_SSH_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
EXAMPLES: dict[str, dict[str, Any]] = {
    "AcceptedTerms": {"version": "2026-01"},
    "AccountDeletion": {"password": _PASSWORD},
    "EmailChange": {"email": "ada@example.com", "password": _PASSWORD},
    "ForgottenPassword": {"email": "ada@example.org"},
    "Login": {"email": "ada@example.org", "password": _PASSWORD},
    "MailToken": {"token": f"mt_{_TOKEN}"},
    "NewApiKey": {"name": "my bot", "scopes": ["read"], "expires_in_days": 90},
    "NewDataSourceKey": {"name": "live", "source": "alpaca", "key": "PKEXAMPLE:0123456789"},
    "NewName": {"name": "my other bot"},
    "NewOffer": {"amount_minor": 2900, "currency": "EUR", "trial_days": 14},
    "NewRefund": {"invoice": "2026-000001", "amount_minor": 500},
    "NewSignal": {"name": "tide", "title": "Tide"},
    "NewSigningKey": {
        "name": "laptop",
        "public_key": f"ssh-ed25519 {_SSH_KEY}",
    },
    "NewSubscription": {"signal": "ada/tide"},
    "NewWebhook": {"url": "https://example.org/signalbox", "events": ["forecast"]},
    "PasswordChange": {"old_password": _PASSWORD, "new_password": f"{_PASSWORD} of mine"},
    "PasswordReset": {"token": f"mt_{_TOKEN}", "password": _PASSWORD},
    "PayoutRun": {"month": "2026-01"},
    "Reason": {"why": "It drifts since the weekend"},
    "RefreshToken": {"refresh_token": _TOKEN},
    "Registration": {"email": "eve@example.org", "password": _PASSWORD, "handle": "eve"},
    "SignalChange": {"title": "Tide, refitted"},
    "TotpConfirmation": {"code": "123456"},
    "TotpEnrolment": {"password": _PASSWORD},
    "TotpRemoval": {"password": _PASSWORD, "code": "123456"},
    "WebhookChange": {"is_enabled": True},
}
