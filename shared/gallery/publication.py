"""What a job's owner does with it in public: shows its pictures in the gallery, and takes them back."""

from typing import Any
from uuid import UUID

from shared.accounts.auth import Credential, require_user
from shared.core.errors import NotFound, NotSucceeded, TakenDown
from shared.gallery import store as gallery_store
from shared.jobs import store as job_store
from shared.jobs.states import State
from shared.jobs.views import image_signer, job_view
from shared.services import Services


def publish(services: Services, credential: Credential, job_id: UUID) -> dict[str, Any]:
    """Show the pictures of a job in the gallery; doing it again changes nothing. Returns the job's view.

    Raises NotFound, TakenDown once an operator has taken the job down, NotSucceeded where there are no pictures to
    show.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        published = gallery_store.publish(connection, job_id, user.id)
        row = job_store.find_view(connection, job_id, user.id)
        if row is None:
            raise NotFound
        if not published:
            if gallery_store.find_taken_down(connection, job_id):
                raise TakenDown
            if row.state != State.SUCCEEDED or not row.images:
                raise NotSucceeded
    return job_view(row, image_signer(services))


def take_back(services: Services, credential: Credential, job_id: UUID) -> dict[str, Any]:
    """Show the pictures of a job no longer; fine for a job that is not shown. Returns the job's view. Raises NotFound.

    The stable links of its pictures go on working: their ids are the permission, and whoever has one keeps it.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        gallery_store.take_back(connection, job_id, user.id)
        row = job_store.find_view(connection, job_id, user.id)
    if row is None:
        raise NotFound
    return job_view(row, image_signer(services))
