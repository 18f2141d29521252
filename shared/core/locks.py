"""The one order in which transactions lock rows, so that no two of them wait for each other.

Jobs first, by their ids; then users, by their ids; then what belongs to a user or a job: tokens, uploads, messages that
are to be sent; garbage at the end. Whoever takes rows in another order, such as those that are due, skips locked ones.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, text

# Those that show a likeness that goes with its job are taken down by a trigger, so they are locked as well.
_DELETED_JOBS = text("""
SELECT FROM jobs WHERE id = ANY(CAST(:job_ids AS uuid[]) || ARRAY(
    SELECT job_id FROM likeness_uses WHERE likeness_id = ANY(:job_ids)
)) ORDER BY id FOR UPDATE
""")
_OWNERS = text("""
SELECT FROM users WHERE id IN (SELECT user_id FROM jobs WHERE id = ANY(:job_ids)) ORDER BY id FOR UPDATE
""")
_USERS = text("SELECT FROM users WHERE id = ANY(:user_ids) ORDER BY id FOR UPDATE")


def lock_users(connection: Connection, user_ids: Collection[UUID]) -> None:
    """Lock users' rows, in the order in which every statement locks them."""
    connection.execute(_USERS, {"user_ids": list(user_ids)})


def lock_for_deletion(connection: Connection, job_ids: Collection[UUID]) -> None:
    """Lock everything that the deletion of these jobs changes and that others change, too.

    Otherwise a deletion would lock the jobs' messages and uploads before their users.
    """
    values = {"job_ids": list(job_ids)}
    connection.execute(_DELETED_JOBS, values)
    connection.execute(_OWNERS, values)
