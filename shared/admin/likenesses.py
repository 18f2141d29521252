"""What operators do with likenesses: list them, and delete one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.core.errors import NotFound
from shared.likeness import service, store
from shared.services import Services


@dataclass(frozen=True, slots=True)
class LikenessOverview:
    """A likeness in a list. `jobs`: how many have been made with it. Operators see neither its code nor its name."""

    id: UUID
    email: str
    subject: str
    consented_at: datetime
    works: bool
    shared: bool
    jobs: int


_LIST = text("""
SELECT l.job_id, o.email, l.subject, l.consented_at,
    l.adapter_key IS NOT NULL AND l.expires_at > clock_timestamp() AND o.disabled_at IS NULL, l.shared,
    (SELECT count(*) FROM likeness_uses u WHERE u.likeness_id = l.job_id)
FROM likenesses l JOIN users o ON o.id = l.user_id
WHERE CAST(:job_id AS uuid) IS NULL OR l.job_id IN (SELECT u.likeness_id FROM likeness_uses u WHERE u.job_id = :job_id)
ORDER BY l.job_id DESC LIMIT :limit
""")


def list_likenesses(services: Services, *, job_id: UUID | None = None, limit: int) -> list[LikenessOverview]:
    """Return the latest likenesses, newest first; with a job only those that its pictures show."""
    with services.db.statement() as connection:
        return [LikenessOverview(*row) for row in connection.execute(_LIST, {"job_id": job_id, "limit": limit})]


def remove(services: Services, likeness_id: UUID) -> int:
    """Delete a likeness as its owner does; return how many jobs' pictures cannot be public any more.

    Raises:
        NotFound: There is no such likeness.
        StillRunning: Its training has not ended.
    """
    uses = text("SELECT count(*) FROM likeness_uses WHERE likeness_id = :likeness_id")
    with services.db.begin() as connection:
        if store.find_by_job(connection, likeness_id) is None:
            raise NotFound
        service.delete_trained(connection, likeness_id, None)
        return int(connection.execute(uses, {"likeness_id": likeness_id}).scalar_one())
