"""What goes wrong, as RFC 9457 problem details with a stable `code`.

`docs/errors.md` explains every code; a test holds the two together. Clients
branch on `code`; `detail` is for people and says what to do next.
"""

from http import HTTPStatus

import msgspec

MEDIA_TYPE = "application/problem+json"

CODES: dict[str, tuple[int, str]] = {
    "invalid_request": (400, "The request is not valid"),
    "invalid_json": (400, "The body is not JSON"),
    "invalid_msgpack": (400, "The body is not MessagePack"),
    "invalid_cursor": (400, "The cursor is not one of ours"),
    "invalid_event_id": (400, "The event id is not one of ours"),
    "invalid_mail_token": (400, "The link does not work any more"),
    "nul_byte": (400, "Text with a NUL byte"),
    "not_signed_in": (401, "Not signed in"),
    "invalid_token": (401, "The credentials are not valid"),
    "invalid_credentials": (401, "E-mail or password is wrong"),
    "invalid_refresh_token": (401, "The refresh token is not valid"),
    "refresh_token_reused": (401, "The refresh token was used before"),
    "totp_required": (401, "The account has a second factor"),
    "invalid_totp": (401, "The code is not valid"),
    "invalid_signature": (401, "The webhook's signature is not valid"),
    "forbidden": (403, "Not allowed"),
    "foreign_origin": (403, "A page of another address asks"),
    "insufficient_scope": (403, "The API key lacks a scope"),
    "not_owner": (403, "Not the owner"),
    "not_operator": (403, "Not an operator"),
    "totp_required_for_operators": (403, "Operators need a second factor"),
    "email_unconfirmed": (403, "The e-mail address is not confirmed"),
    "terms_not_accepted": (403, "The terms of service are not accepted"),
    "subscription_required": (403, "Subscription required"),
    "data_source_keys_disabled": (403, "Data-source keys are disabled"),
    "manual_payments_disabled": (403, "Manual payments are disabled"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "not_acceptable": (406, "No acceptable media type"),
    "email_taken": (409, "The e-mail address is taken"),
    "handle_taken": (409, "The handle is taken"),
    "invalid_state": (409, "The version is not in a state for that"),
    "signal_taken": (409, "The signal exists"),
    "signing_key_taken": (409, "The signing key is registered"),
    "already_subscribed": (409, "Already subscribed"),
    "own_signal": (409, "This is your own signal"),
    "no_offer": (409, "The signal is not on offer"),
    "invalid_subscription_state": (409, "The subscription is not in a state for that"),
    "month_not_over": (409, "The month is not over"),
    "no_proposal": (409, "There is nothing to consent to"),
    "notice_too_short": (409, "The notice is too short"),
    "not_refundable": (409, "So much cannot go back"),
    "wrong_payment_provider": (409, "Another payment provider keeps the subscription"),
    "totp_enabled": (409, "The account has a second factor"),
    "totp_not_enabled": (409, "The account has no second factor"),
    "too_many_webhooks": (409, "Too many webhooks"),
    "webhook_disabled": (409, "The webhook is disabled"),
    "account_in_use": (409, "The account cannot be deleted yet"),
    "idempotency_key_in_use": (409, "The request with this key is being answered"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "The body has the wrong media type"),
    "idempotency_key_reused": (422, "The key was used for another request"),
    "rate_limited": (429, "Too many requests"),
    "too_many_streams": (429, "Too many streams are open"),
    "too_many_attempts": (429, "Too many attempts"),
    "internal_error": (500, "The server failed"),
    "payment_provider_unavailable": (503, "The payment provider does not answer"),
    "database_unavailable": (503, "The database does not answer"),
    "passwords_busy": (503, "Too many passwords to check"),
}


class FieldError(msgspec.Struct, frozen=True):
    field: str
    message: str


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldError, ...] = ()


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """Ends a request with a problem document.

    Attributes:
        code: a key of `CODES`.
        detail: what to do next, for people.
        errors: the fields at fault, if any.
        retry_after_s: seconds after which it may succeed, for the header Retry-After.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        *,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s

    def details(self) -> ProblemDetails:
        status, title = CODES[self.code]
        return ProblemDetails(
            type=f"urn:signalbox:error:{self.code}",
            title=title,
            status=HTTPStatus(status),
            detail=self.detail,
            code=self.code,
            errors=self.errors,
        )


def invalid_field(field: str, message: str) -> Problem:
    """The problem of one parameter or field whose value is not acceptable."""
    return Problem("invalid_request", f"{field}: {message}", (FieldError(field, message),))
