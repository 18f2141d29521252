"""The queue's length and the places in it, from the table `queue_depth` (see `shared.core.tables`)."""

from sqlalchemy import Connection, text

WAITING_CHANGES = 256
"""How many changes of the queue `fold` lets collect."""

QUEUED = "(SELECT coalesce(sum(jobs), 0)::bigint FROM queue_depth WHERE protocols IS NOT NULL)"
"""SQL: how many jobs are queued."""


def count_queued(connection: Connection) -> int:
    """Return how many jobs are queued."""
    return int(connection.execute(text(f"SELECT {QUEUED}")).scalar_one())


def fold(connection: Connection, at_least: int = WAITING_CHANGES) -> None:
    """Merge the changes of the queue into its buckets, once there are at least so many.

    Does nothing while another transaction does it. Readers and writers do not wait for it.
    """
    connection.execute(text("SELECT fold_queue_depth(:at_least)"), {"at_least": at_least})
