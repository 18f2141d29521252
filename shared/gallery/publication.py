"""Publication of a job's pictures in the gallery by its owner, and appeals against an operator's decision."""

from uuid import UUID

from sqlalchemy import Connection

from shared.accounts.auth import Credential, require_user
from shared.core.errors import NoAppeal, NotFound, NotSucceeded, TakenDown
from shared.gallery import reviews
from shared.gallery import store as gallery_store
from shared.jobs import store as job_store
from shared.jobs.records import JobRecord
from shared.jobs.states import State
from shared.services import Services


def publish(services: Services, credential: Credential, job_id: UUID) -> JobRecord:
    """Publish the pictures of a job and return the job. Publishing it again changes nothing.

    With EASEL_REVIEW=before it waits for an operator, unless one has approved the pictures before.

    Raises:
        NotFound: The user has no such job.
        TakenDown: An operator has taken the job down, or its pictures show a likeness that was deleted.
        NotSucceeded: The job has no pictures.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        published = _publish(connection, job_id, user.id, services.settings.review)
        job = job_store.find_view(connection, job_id, user.id)
        if job is None:
            raise NotFound
        if not published:
            if gallery_store.find_taken_down(connection, job_id):
                raise TakenDown
            if job.state != State.SUCCEEDED or not job.images:
                raise NotSucceeded
    return job


def _publish(connection: Connection, job_id: UUID, user_id: UUID, review: str) -> bool:
    """Publish the job, or have it wait; return False if nothing changed."""
    if not gallery_store.lock_publishable(connection, job_id, user_id):
        return False
    is_public = review != "before" or reviews.is_approved(connection, job_id)
    if not is_public and reviews.is_waiting(connection, job_id):
        return False
    if is_public:
        gallery_store.publish(connection, job_id)
    else:
        gallery_store.touch(connection, job_id)
    if review == "off":
        reviews.withdraw(connection, job_id)  # what waited while the setting was another
    elif not reviews.is_approved(connection, job_id):
        reviews.ask(connection, job_id, is_public=is_public)
    return True


def withdraw(services: Services, credential: Credential, job_id: UUID) -> JobRecord:
    """Take a job out of the gallery and return the job's view; a job that is not published stays as it is.

    The stable links of its pictures go on working, since their ids are the permission. Reports stay open.

    Raises:
        NotFound: The user has no such job.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        if not gallery_store.lock_own(connection, job_id, user.id):
            raise NotFound
        was_waiting = reviews.withdraw(connection, job_id)
        if not gallery_store.withdraw(connection, job_id) and was_waiting:
            gallery_store.touch(connection, job_id)
        return _view(connection, job_id, user.id)


def appeal(services: Services, credential: Credential, job_id: UUID, words: str) -> JobRecord:
    """Ask the operators to look again at a job that they refused or took down; return the job.

    Raises:
        NotFound: The user has no such job.
        NoAppeal: There is no such decision, or the user has appealed before.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        if not gallery_store.lock_own(connection, job_id, user.id):
            raise NotFound
        if not reviews.appeal(connection, job_id, words):
            raise NoAppeal
        gallery_store.touch(connection, job_id)
        return _view(connection, job_id, user.id)


def _view(connection: Connection, job_id: UUID, user_id: UUID) -> JobRecord:
    job = job_store.find_view(connection, job_id, user_id)
    if job is None:
        raise NotFound
    return job
