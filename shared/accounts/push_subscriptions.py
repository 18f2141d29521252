"""The browsers in which a user is notified."""

from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts.auth import Credential, require_user
from shared.accounts.push_endpoints import find_endpoint_refusal
from shared.api.push_schemas import PushSubscription
from shared.core.errors import InvalidRequest, Unavailable
from shared.services import Services

MOST = 10
"""The browsers of a user; another one replaces the one that subscribed first."""


def get_key(services: Services, credential: Credential) -> str:
    """Return the key that browsers need to subscribe. Raises Unavailable until the poller has made it."""
    with services.db.statement() as connection:
        require_user(connection, credential)
        key = connection.execute(text("SELECT application_key FROM push_keys")).scalar_one_or_none()
    if key is None:
        raise Unavailable("The site's keys for push services are not made yet. Its poller makes them.")
    return str(key)


def count(connection: Connection, user_id: UUID) -> int:
    """Return in how many browsers a user is notified."""
    query = text("SELECT count(*) FROM push_subscriptions WHERE user_id = :user_id")
    return int(connection.execute(query, {"user_id": user_id}).scalar_one())


def add(services: Services, credential: Credential, wanted: PushSubscription) -> None:
    """Notify this browser when a job has ended. A browser that another user had is this user's from now on.

    Raises:
        InvalidRequest: The endpoint is not one that this site sends to.
    """
    refusal = find_endpoint_refusal(services.settings, wanted.endpoint)
    if refusal is not None:
        raise InvalidRequest(fields=(refusal,))
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        _add(connection, user.id, wanted)


def _add(connection: Connection, user_id: UUID, wanted: PushSubscription) -> None:
    connection.execute(text("SELECT FROM users WHERE id = :user_id FOR UPDATE"), {"user_id": user_id})
    given = {"endpoint": wanted.endpoint, "p256dh": wanted.keys.p256dh, "auth": wanted.keys.auth}
    query = text("""
        INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth) VALUES (:user_id, :endpoint, :p256dh, :auth)
        ON CONFLICT (endpoint) DO UPDATE SET user_id = excluded.user_id, p256dh = excluded.p256dh,
            auth = excluded.auth, created_at = excluded.created_at
    """)
    connection.execute(query, given | {"user_id": user_id})
    oldest = text("""
        DELETE FROM push_subscriptions WHERE id IN (
            SELECT id FROM push_subscriptions WHERE user_id = :user_id ORDER BY created_at DESC, id OFFSET :most
        )
    """)
    connection.execute(oldest, {"user_id": user_id, "most": MOST})


def remove_all(connection: Connection, user_id: UUID) -> None:
    """Notify a user in no browser any more."""
    connection.execute(text("DELETE FROM push_subscriptions WHERE user_id = :user_id"), {"user_id": user_id})


def remove(services: Services, credential: Credential, endpoint: str) -> None:
    """Stop notifying this browser of the user; an unknown one is not notified anyway."""
    query = text("DELETE FROM push_subscriptions WHERE user_id = :user_id AND endpoint = :endpoint")
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        connection.execute(query, {"user_id": user.id, "endpoint": endpoint})
