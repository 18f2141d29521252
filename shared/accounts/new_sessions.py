"""Making a session for a user who has just proved who they are."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts import session_store
from shared.accounts.tokens import new_token, token_hash
from shared.core.limits import DAY_S
from shared.services import Services


def open_session(
    services: Services,
    connection: Connection,
    user_id: UUID,
    device: str | None,
    *,
    authenticated_at: float | None = None,
) -> tuple[str, datetime]:
    """Return the token of a new session and when it ends.

    authenticated_at: when the user signed in at the provider, in seconds since 1970, if it said so.
    """
    token = new_token()
    expires_at = session_store.create(
        connection,
        user_id,
        token_hash(token) or b"",
        device=device,
        lifetime_s=services.settings.session_days * DAY_S,
        idle_s=services.settings.session_idle_days * DAY_S,
        authenticated_at=authenticated_at,
    )
    return token, expires_at
