"""Publication of a job's pictures in the gallery by its owner."""

from uuid import UUID

from shared.accounts.auth import Credential, require_user
from shared.core.errors import NotFound, NotSucceeded, TakenDown
from shared.gallery import store as gallery_store
from shared.jobs import store as job_store
from shared.jobs.records import JobRecord
from shared.jobs.states import State
from shared.services import Services


def publish(services: Services, credential: Credential, job_id: UUID) -> JobRecord:
    """Publish the pictures of a job and return the job. Publishing it again changes nothing.

    Raises:
        NotFound: The user has no such job.
        TakenDown: An operator has taken the job down, or its pictures show a likeness that was deleted.
        NotSucceeded: The job has no pictures.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        published = gallery_store.publish(connection, job_id, user.id)
        job = job_store.find_view(connection, job_id, user.id)
        if job is None:
            raise NotFound
        if not published:
            if gallery_store.find_taken_down(connection, job_id):
                raise TakenDown
            if job.state != State.SUCCEEDED or not job.images:
                raise NotSucceeded
    return job


def withdraw(services: Services, credential: Credential, job_id: UUID) -> JobRecord:
    """Take a job out of the gallery and return the job's view; a job that is not published stays as it is.

    The stable links of its pictures go on working, since their ids are the permission.

    Raises:
        NotFound: The user has no such job.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        gallery_store.withdraw(connection, job_id, user.id)
        job = job_store.find_view(connection, job_id, user.id)
    if job is None:
        raise NotFound
    return job
