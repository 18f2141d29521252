"""SQL for the record of what could not be delivered, which `easel errors` shows."""

from typing import Literal

from sqlalchemy import Connection, text

Kind = Literal["mail", "webhook", "push"]

KEPT_DAYS = 90


def record(connection: Connection, kind: Kind, code: str, *, failures: int = 1, given_up: int = 0) -> None:
    """Count failed attempts at deliveries, and the deliveries that are given up."""
    query = text("""
        INSERT INTO delivery_errors AS e (day, kind, code, failures, given_up)
        VALUES ((now() AT TIME ZONE 'utc')::date, :kind, :code, :failures, :given_up)
        ON CONFLICT (day, kind, code) DO UPDATE SET failures = e.failures + excluded.failures,
            given_up = e.given_up + excluded.given_up, last_at = excluded.last_at
    """)
    connection.execute(query, {"kind": kind, "code": code, "failures": failures, "given_up": given_up})


def drop_old(connection: Connection) -> None:
    """Delete the records of more than KEPT_DAYS days ago."""
    query = text("DELETE FROM delivery_errors WHERE day < (now() AT TIME ZONE 'utc')::date - :days")
    connection.execute(query, {"days": KEPT_DAYS})
