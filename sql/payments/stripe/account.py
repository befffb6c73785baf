"""An account at Stripe, by the settings of a process."""

from dataclasses import dataclass
from pathlib import Path

from sql.configuration import ConfigurationError
from sql.payments.stripe.client import StripeClient

URL = "https://api.stripe.com"


@dataclass(frozen=True)
class StripeAccount:
    """What the API needs of Stripe: to ask, and to know who speaks."""

    client: StripeClient
    webhook_secret: bytes


def open_account(
    url: str, key_file: str | None, webhook_secret_file: str | None
) -> StripeAccount | None:
    """None without a key: this installation has no account at Stripe.

    Raises:
        ConfigurationError: a file cannot be read, or only one of the two is set.
    """
    client = open_client(url, key_file)
    if client is None:
        return None
    if not webhook_secret_file:
        raise ConfigurationError(
            "SIGNALBOX_STRIPE_WEBHOOK_SECRET_FILE is not set: without it no payment is heard of"
        )
    secret = _secret_in(webhook_secret_file, "SIGNALBOX_STRIPE_WEBHOOK_SECRET_FILE")
    return StripeAccount(client, secret)


def open_client(url: str, key_file: str | None) -> StripeClient | None:
    """For those who only ask.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    if not key_file:
        return None
    return StripeClient(url, _secret_in(key_file, "SIGNALBOX_STRIPE_KEY_FILE").decode())


def _secret_in(file: str, setting: str) -> bytes:
    path = Path(file)
    secret = path.read_bytes().strip() if path.is_file() else b""
    if not secret:
        raise ConfigurationError(f"{setting}: {path} is absent or empty; write the secret to it")
    return secret
