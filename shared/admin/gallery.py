"""What the operators of a site decide about published pictures."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from shared.core.errors import NotFound
from shared.gallery import store as gallery_store
from shared.services import Services


@dataclass(frozen=True)
class Decision:
    """What a decision has changed: whether the job, and how many open reports it closed."""

    changed: bool
    closed: int


def list_shown(services: Services, *, limit: int) -> list[Row[Any]]:
    """The latest jobs of the gallery (id, prompt, published_at, images), the latest first."""
    with services.db.statement() as connection:
        return gallery_store.list_shown(connection, after=None, limit=limit)


def list_reported(services: Services, *, limit: int) -> list[Row[Any]]:
    """Jobs with open reports, as `gallery_store.list_reported` has them."""
    with services.db.statement() as connection:
        return gallery_store.list_reported(connection, limit=limit)


def take_down(services: Services, job_id: UUID) -> Decision:
    """Take a job out of the gallery for good, kill the links of its pictures, and close its reports. Its owner keeps
    it, and cannot publish it again. Raises NotFound."""
    with services.db.begin() as connection:
        changed = gallery_store.take_down(connection, job_id)
        _require_job(connection, job_id)
        return Decision(changed, gallery_store.close_reports(connection, job_id))


def restore(services: Services, job_id: UUID) -> Decision:
    """Undo a take-down: the job is shown again where it stood, unless its owner has taken it back. Raises NotFound."""
    with services.db.begin() as connection:
        changed = gallery_store.restore(connection, job_id)
        _require_job(connection, job_id)
        return Decision(changed, 0)


def dismiss(services: Services, job_id: UUID) -> Decision:
    """Close a job's reports and leave the job as it is. Raises NotFound."""
    with services.db.begin() as connection:
        _require_job(connection, job_id)
        return Decision(False, gallery_store.close_reports(connection, job_id))


def _require_job(connection: Connection, job_id: UUID) -> None:
    if gallery_store.find_taken_down(connection, job_id) is None:
        raise NotFound
