"""SQL for the devices that an account was signed in from lately: browser and system, as sessions have them."""

from uuid import UUID

from sqlalchemy import Connection, text

MOST_DEVICES = 20
"""Known devices of an account. Beyond them the one that was used the longest ago leaves."""

_RECORD = text("""
WITH known AS (
    SELECT count(*) AS n FROM known_devices WHERE user_id = :user_id
), recorded AS (
    INSERT INTO known_devices AS d (user_id, device) VALUES (:user_id, :device)
    ON CONFLICT (user_id, device) DO UPDATE SET last_used_at = clock_timestamp()
    RETURNING old.user_id IS NULL AS is_new
)
SELECT is_new, n FROM recorded, known
""")
_TRIM = text("""
DELETE FROM known_devices WHERE user_id = :user_id AND device IN (
    SELECT device FROM known_devices WHERE user_id = :user_id ORDER BY last_used_at DESC OFFSET :most
)
""")


def record(connection: Connection, user_id: UUID, device: str | None) -> bool:
    """Record that a user signs in; return whether the account has known devices, and this is none of them.

    device: as sessions have it; all that cannot be recognized are one.
    """
    is_new, known = connection.execute(_RECORD, {"user_id": user_id, "device": device or ""}).one()
    if is_new and known >= MOST_DEVICES:
        connection.execute(_TRIM, {"user_id": user_id, "most": MOST_DEVICES})
    return bool(is_new and known)


def delete_all(connection: Connection, user_id: UUID) -> None:
    """Know no device of a user any more."""
    connection.execute(text("DELETE FROM known_devices WHERE user_id = :user_id"), {"user_id": user_id})
