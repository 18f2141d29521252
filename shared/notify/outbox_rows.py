"""SQL that the outboxes share: a row for each job whose message is to be sent at `due_at`; `attempts` names the claim.

A claim postpones its row, so that another process sends the message if this one dies.
"""

from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, text

Outbox = Literal["mails", "webhooks"]

NOW = "(SELECT clock_timestamp())"
"""SQL: the time, read once. Compared with the function itself, every row would be looked at."""


def drop(connection: Connection, outbox: Outbox, job_id: UUID, attempts: int) -> None:
    """Delete a claimed row. `attempts` is the claim's, so that the row about a later end of the same job stays."""
    query = text(f"DELETE FROM {outbox} WHERE job_id = :job_id AND attempts = :attempts")
    connection.execute(query, {"job_id": job_id, "attempts": attempts})


def postpone(connection: Connection, outbox: Outbox, job_id: UUID, attempts: int, delay_s: float) -> None:
    """Schedule another attempt. `attempts` is the claim's, so that a row that was claimed again is not changed."""
    query = text(f"""
        UPDATE {outbox} SET due_at = clock_timestamp() + make_interval(secs => :delay_s)
        WHERE job_id = :job_id AND attempts = :attempts
    """)
    connection.execute(query, {"job_id": job_id, "attempts": attempts, "delay_s": delay_s})


def drop_old(connection: Connection, outbox: Outbox, limit: int) -> list[UUID]:
    """Delete rows whose message could not be sent for a day, at most so many; return their jobs."""
    query = text(f"""
        DELETE FROM {outbox} WHERE job_id IN (
            SELECT job_id FROM {outbox} WHERE created_at < {NOW} - interval '1 day'
            LIMIT :limit FOR UPDATE SKIP LOCKED
        ) RETURNING job_id
    """)
    return list(connection.execute(query, {"limit": limit}).scalars())
