"""Objects that nothing refers to any more: written down in the transaction that makes them so.

`shared.polling.garbage` deletes them later.
"""

from sqlalchemy import Connection, text


def discard(connection: Connection, prefix: str, *, in_s: float = 0) -> None:
    """Have every object under this prefix deleted, `in_s` seconds from now."""
    query = text("""
        INSERT INTO garbage (prefix, due_at) VALUES (:prefix, clock_timestamp() + make_interval(secs => :in_s))
        ON CONFLICT (prefix) DO UPDATE SET due_at = greatest(garbage.due_at, excluded.due_at)
    """)
    connection.execute(query, {"prefix": prefix, "in_s": in_s})
