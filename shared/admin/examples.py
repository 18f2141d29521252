"""The example pictures of a new site's gallery."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection

from shared.accounts import store as user_store
from shared.api.schemas import JobRequest
from shared.gallery import store as gallery_store
from shared.jobs import submission_store
from shared.jobs.resolution import find_defaults, new_job
from shared.services import Services

OWNER_EMAIL = "gallery@easel.invalid"
REQUESTS = Path(__file__).with_name("examples.json")


def list_examples() -> list[JobRequest]:
    """Read the example requests."""
    return TypeAdapter(list[JobRequest]).validate_json(REQUESTS.read_bytes())


def seed_examples(services: Services) -> int:
    """Submit the example requests, unless that was done before; return how many.

    They belong to a user who cannot log in and are published in advance, so the gallery shows each when it has
    succeeded.
    """
    examples = list_examples()
    with services.db.begin() as connection:
        if user_store.find_by_email(connection, OWNER_EMAIL):
            return 0
        user = user_store.create(connection, OWNER_EMAIL, "no password")
        for job_id in submit_all(services, connection, user.id, examples):
            gallery_store.publish_when_done(connection, job_id)
    services.wake_ups.wake()
    return len(examples)


def submit_all(
    services: Services, connection: Connection, user_id: UUID, requests: Sequence[JobRequest]
) -> tuple[UUID, ...]:
    """Queue the jobs of a new user, whom no limit prevents; return their ids, in the order of the requests."""
    own, most = find_defaults(services), len(requests)
    jobs = [new_job(request, None, b"", services.addresses, own) for request in requests]
    queued = submission_store.queue_all(connection, user_id, jobs, is_group=False, max_queued=most, jobs_per_day=most)
    assert queued is not None, "a new user is within the limits"
    return queued.ids
