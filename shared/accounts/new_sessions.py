"""Making a session for a user who has just proved who they are."""

from datetime import datetime

from sqlalchemy import Connection

from shared.accounts import account_mails, known_devices, session_store
from shared.accounts.store import User
from shared.accounts.tokens import new_token, token_hash
from shared.core.limits import DAY_S
from shared.services import Services


def open_session(
    services: Services,
    connection: Connection,
    user: User,
    device: str | None,
    *,
    authenticated_at: float | None = None,
) -> tuple[str, datetime]:
    """Return the token of a new session and when it ends; a mail reports a device that is new to the account.

    authenticated_at: when the user signed in at the provider, in seconds since 1970, if it said so.
    """
    is_new = known_devices.record(connection, user.id, device)
    accepts_mail = user.mail_stopped in (None, "unsubscribed")  # other stops are those of mail servers and complaints
    if is_new and accepts_mail and services.may_mail(confirmed=user.confirmed):
        account_mails.add(connection, "new_device", user.email, user.id, device=device)
    token = new_token()
    expires_at = session_store.create(
        connection,
        user.id,
        token_hash(token) or b"",
        device=device,
        lifetime_s=services.settings.session_days * DAY_S,
        idle_s=services.settings.session_idle_days * DAY_S,
        authenticated_at=authenticated_at,
    )
    return token, expires_at
