"""Settings of the API's process, and the secret it signs with."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sql.configuration import ConfigurationError
from sql.payments.stripe.account import URL as STRIPE_URL

SECRET_BYTES_AT_LEAST = 32


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read from SIGNALBOX_ and the field in capitals.

    Attributes:
        database_url: of role signalbox_api, `postgresql+psycopg://...`.
        secret_key_file: path of a file whose content signs tokens and webhooks.
        demo_clock: path of the demo clock's file; never set in production.
        live_deadline_minutes: how long after its slot a forecast still counts as live.
        git_url: where providers push; shown with each signal.
        api_url: where people reach this API; checkout links begin with it.
        allow_manual_payments: allow payments in which no money moves in production too.
        database_connections: requests that are in the database at once.
        rate_limits: where limits are counted; `postgres` where several processes serve.
        trusted_proxies: addresses and networks, by commas, whose X-Forwarded-For is believed.
        data_public_key_file: seals data-source keys; without one none are taken.
        smtp_url: mail server, `smtp[s]://user@host:port`; without one mail stays in the outbox.
        smtp_password_file: path of the file with that user's password.
        mail_from: in whose name mail is sent.
        confirm_email: what an account needs before it may pay or publish.
        operators_need_totp: refuse operators who signed in without a second factor.
        terms_version: of the terms of service in force; empty: there are none.
        password_hashes: argon2 hashes computed at once, each in 19 MiB.
        stripe_key_file: path of a file with the secret key of an account at Stripe.
        stripe_webhook_secret_file: path of a file with the secret of our endpoint there.
        grace_days: access after a paid period whose renewal failed.
        streams_per_person: open GET /v1/stream of one person in one process.
        metrics_token_file: path of the file with the token of GET /metrics.
        webhook_targets: where webhooks may go; `private` allows http and every address.
        dagster_url: where operators reach Dagster; told to them alone.
    """

    database_url: str
    secret_key_file: str
    environment: Literal["production", "demo", "test"] = "production"
    demo_clock: str | None = None
    live_deadline_minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 10
    git_url: str = "http://127.0.0.1:8701"
    api_url: str = "http://127.0.0.1:8700"
    allow_manual_payments: bool = False
    database_connections: Annotated[int, msgspec.Meta(ge=2, le=200)] = 16
    rate_limits: Literal["memory", "postgres", "off"] = "memory"
    trusted_proxies: str = ""
    data_public_key_file: str | None = None
    smtp_url: str | None = None
    smtp_password_file: str | None = None
    mail_from: str | None = None
    confirm_email: Literal["required", "optional"] | None = None
    operators_need_totp: bool | None = None
    terms_version: Annotated[str, msgspec.Meta(max_length=40)] = ""
    password_hashes: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    stripe_key_file: str | None = None
    stripe_webhook_secret_file: str | None = None
    stripe_url: str = STRIPE_URL
    grace_days: Annotated[int, msgspec.Meta(ge=0, le=3)] = 3
    streams_per_person: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 10
    metrics_token_file: str | None = None
    webhook_targets: Literal["public", "private"] = "public"
    dagster_url: Annotated[str, msgspec.Meta(pattern="^https?://")] | None = None

    @property
    def grace(self) -> timedelta:
        return timedelta(days=self.grace_days)

    @property
    def manual_payments_allowed(self) -> bool:
        return not self.is_production or self.allow_manual_payments

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def email_must_be_confirmed(self) -> bool:
        if self.confirm_email is None:
            return self.is_production
        return self.confirm_email == "required"

    @property
    def operators_must_have_totp(self) -> bool:
        return self.is_production if self.operators_need_totp is None else self.operators_need_totp


class ListenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the API listens."""

    api_host: str = "127.0.0.1"
    api_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8700


def read_secret(settings: ApiSettings) -> bytes:
    """The signing secret.

    Raises:
        ConfigurationError: the file is absent, or the secret too short for HS256.
    """
    path = Path(settings.secret_key_file)
    if not path.is_file():
        raise ConfigurationError(
            f"SIGNALBOX_SECRET_KEY_FILE: no file {path}; make one: openssl rand -hex 32 > {path}"
        )
    secret = path.read_bytes().strip()
    if len(secret) < SECRET_BYTES_AT_LEAST:
        raise ConfigurationError(
            f"SIGNALBOX_SECRET_KEY_FILE: {path} holds {len(secret)} bytes, but HS256 needs at"
            f" least {SECRET_BYTES_AT_LEAST}; make one: openssl rand -hex 32 > {path}"
        )
    return secret
