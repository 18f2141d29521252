"""SQL that the outboxes share: a row for each job, group or account whose message is to be sent at `due_at`.

Exports share it too: files instead of messages.

A claim postpones its row, so that another process sends the message if this one dies. The end of its lease names the
claim: `attempts` does not, since a job that is requeued ends again with another row, whose attempts begin again.
"""

from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import Connection, text

Outbox = Literal["mails", "group_mails", "account_mails", "webhooks", "pushes", "exports"]

MAIL_OUTBOXES: tuple[Outbox, ...] = ("mails", "group_mails", "account_mails")

NOW = "(SELECT clock_timestamp())"
"""SQL: the time, read once. Compared with the function itself, every row would be looked at."""


_SOONEST = " UNION ALL ".join(
    f"SELECT '{name}' AS outbox, min(due_at) AS due_at FROM {name}" for name in get_args(Outbox)
)
# The first entry of each index; a condition on `due_at` might look at every row that waits.
DUE_OUTBOXES = f"SELECT outbox FROM ({_SOONEST}) AS soonest WHERE due_at <= {NOW}"
"""SQL: the names of the outboxes of which a message is due now."""


def key_of(outbox: Outbox) -> str:
    """Return the column that names what an outbox's row is about."""
    return {"group_mails": "group_id", "account_mails": "id", "exports": "id"}.get(outbox, "job_id")


def count_due(connection: Connection, outbox: Outbox, most: int) -> int:
    """Return how many messages are due now, counted up to `most`."""
    query = text(f"SELECT count(*) FROM (SELECT FROM {outbox} WHERE due_at <= {NOW} LIMIT :most) few")
    return int(connection.execute(query, {"most": most}).scalar_one())


def drop(connection: Connection, outbox: Outbox, row_id: UUID, due_at: datetime) -> None:
    """Delete a claimed row. `due_at` is the claim's, so that the row about a later end stays."""
    query = text(f"DELETE FROM {outbox} WHERE {key_of(outbox)} = :row_id AND due_at = :due_at")
    connection.execute(query, {"row_id": row_id, "due_at": due_at})


def postpone(connection: Connection, outbox: Outbox, row_id: UUID, due_at: datetime, delay_s: float) -> None:
    """Schedule another attempt. `due_at` is the claim's, so that a row that was claimed again is not changed."""
    query = text(f"""
        UPDATE {outbox} SET due_at = clock_timestamp() + make_interval(secs => :delay_s)
        WHERE {key_of(outbox)} = :row_id AND due_at = :due_at
    """)
    connection.execute(query, {"row_id": row_id, "due_at": due_at, "delay_s": delay_s})


def drop_old(connection: Connection, outbox: Outbox, limit: int) -> list[UUID]:
    """Delete rows whose message could not be sent for a day, at most so many; return what they were about."""
    key = key_of(outbox)
    query = text(f"""
        DELETE FROM {outbox} WHERE {key} IN (
            SELECT {key} FROM {outbox} WHERE created_at < {NOW} - interval '1 day'
            LIMIT :limit FOR UPDATE SKIP LOCKED
        ) RETURNING {key}
    """)
    return list(connection.execute(query, {"limit": limit}).scalars())
