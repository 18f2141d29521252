"""Objects that nothing refers to any more, recorded in the transaction that makes them so.

`shared.polling.garbage` deletes them later.
"""

from sqlalchemy import Connection, text


def discard(connection: Connection, *prefixes: str, in_s: float = 0) -> None:
    """Schedule the deletion of all objects under these prefixes, in `in_s` seconds or later.

    If a prefix is already recorded, its time always changes, so that a collector that has just claimed it notices.
    """
    query = text("""
        INSERT INTO garbage (prefix, due_at)
        SELECT prefix, clock_timestamp() + make_interval(secs => :in_s)
        FROM unnest(CAST(:prefixes AS text[])) AS prefix ORDER BY prefix
        ON CONFLICT (prefix) DO UPDATE SET due_at = greatest(
            garbage.due_at + interval '1 microsecond', excluded.due_at
        )
    """)
    if prefixes:
        connection.execute(query, {"prefixes": list(prefixes), "in_s": in_s})
