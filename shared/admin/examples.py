"""The example pictures of a new site's gallery."""

from pathlib import Path
from uuid import UUID

from pydantic import TypeAdapter

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
        for example in examples:
            job = new_job(example, None, b"", services.addresses, find_defaults(services))
            submitted = submission_store.queue(
                connection, user.id, job, max_queued=len(examples), jobs_per_day=len(examples)
            )
            assert submitted is not None, "a new user is within the limits"
            gallery_store.publish_when_done(connection, UUID(submitted.id))
    services.wake_ups.wake()
    return len(examples)
