"""Links to the checkout: a browser has no bearer token, so the link carries a pass.

The pass is a JWT of its own audience: it opens one person's one subscription,
for ten minutes, and is no access token.
"""

import uuid

from api.auth import access_tokens
from api.installation import Context
from api.problems import Problem


def link(context: Context, subscription_id: uuid.UUID, user_id: uuid.UUID) -> str:
    secret = context.installation.secret
    token = access_tokens.issue(secret, user_id, context.world_now, _audience(subscription_id))
    return f"{context.settings.api_url}/checkout/{subscription_id}?pass={token}"


def holder(context: Context, subscription_id: uuid.UUID, token: str | None) -> uuid.UUID:
    """Whose subscription the pass opens.

    Raises:
        Problem: not_found; the link is forged, for another subscription, or too old.
    """
    secret, now = context.installation.secret, context.world_now
    try:
        return access_tokens.verify(secret, token or "", now, _audience(subscription_id))
    except access_tokens.InvalidTokenError:
        raise Problem(
            "not_found", "The link is wrong or older than ten minutes: GET /v1/subscriptions."
        ) from None


def _audience(subscription_id: uuid.UUID) -> str:
    return f"signalbox-checkout:{subscription_id}"
