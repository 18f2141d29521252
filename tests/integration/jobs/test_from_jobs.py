"""Jobs that start from other jobs' pictures: they wait, start, or fail with the others."""

import threading
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.api.schemas import JobRequest
from shared.core.content_rules import read_rules
from shared.core.errors import InvalidRequest, QueueFull
from shared.jobs import store as job_store
from shared.jobs import submission
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import Event, State
from shared.polling import releases
from tests.support.world import SMALL, World, with_settings


class Owner:
    """A user who submits, cancels and deletes as the API does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.id = world.user()
        self.credential = world.credential(self.id)

    def submit(self, key: str | None = None, **fields: Any) -> UUID:
        request = JobRequest(**{name: value for name, value in (SMALL | fields).items() if value is not None})
        return UUID(submission.submit(self.world.services, self.credential, request, key).id)

    def follow(self, source: UUID, **fields: Any) -> UUID:
        return self.submit(from_job=str(source), **fields)


@pytest.fixture
def owner(world: World) -> Owner:
    return Owner(world)


def refusal(owner: Owner, **fields: Any) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        owner.submit(**fields)
    [field] = caught.value.fields
    return field.field, field.code


def succeed(world: World, source: UUID) -> None:
    """End the source with a picture, without releasing what waits for it."""
    with world.services.db.begin() as connection:
        job_store.move(connection, source, State.GENERATING, Event.STARTED, generator="none")
        job_store.move(connection, source, State.SUCCEEDED, Event.SUCCEEDED)
    world.sql(
        "INSERT INTO images (job_id, index, key, thumbnail_key, width, height, size_bytes)"
        " VALUES (:id, 0, 'a', 'b', 64, 64, 9)",
        id=source,
    )


def test_a_job_waits_for_its_source_and_starts_from_its_picture(world: World, owner: Owner) -> None:
    source = owner.submit()
    follower = owner.follow(source)
    assert world.state(follower) == "held"
    [entry] = [entry for entry in world.timeline(follower) if entry.event == "waiting"]
    assert entry.code == "waits_for_source"
    world.check_books()
    world.finish(source, follower)
    assert (world.state(source), world.state(follower)) == ("succeeded", "succeeded"), world.timeline(follower)
    assert world.events(follower)[:4] == ["accepted", "waiting", "released", "started"]
    world.check_books()
    assert not world.sql("SELECT FROM held_jobs")


def test_a_description_becomes_the_prompt(world: World, owner: Owner) -> None:
    source = owner.submit(describe=True)
    follower = owner.follow(source, prompt=None)
    world.finish(source, follower)
    [image] = world.images(source)
    assert world.state(follower) == "succeeded", world.timeline(follower)
    assert world.row(follower).prompt == image.description.replace("|", " ").strip()
    later = owner.submit(from_image=str(image.id), prompt=None)
    assert world.row(later).prompt == world.row(follower).prompt
    assert world.row(later).settings["from_job"] == str(source)


def test_describe_vary_and_upscale_a_picture(world: World, owner: Owner) -> None:
    source = owner.submit()
    described = owner.follow(source, prompt=None, strength=-2, describe=True)
    varied = owner.follow(source, strength=0.5, seed=7)
    upscaled = owner.follow(source, prompt=None, strength=-1, upscale=2)
    world.finish(source, described, varied, upscaled)
    assert {world.state(job) for job in (described, varied, upscaled)} == {"succeeded"}
    assert world.images(described)[0].description
    assert world.images(upscaled)[0].width == 2 * world.images(source)[0].width


@pytest.mark.parametrize("end", [State.FAILED, State.CANCELLED])
def test_a_job_fails_with_its_source_and_takes_the_next_with_it(world: World, owner: Owner, end: State) -> None:
    source = owner.submit()
    follower = owner.follow(source)
    last = owner.follow(follower)
    if end == State.CANCELLED:
        submission.cancel(world.services, owner.credential, source)
    else:
        with world.services.db.begin() as connection:
            job_store.move(connection, source, end, Event.FAILED, reason=GENERATOR_FAILED)
    assert releases.release(world.services.db) == 1
    assert releases.release(world.services.db) == 1
    assert [world.row(job).error_code for job in (follower, last)] == ["source_failed"] * 2
    world.check_books()
    assert world.sql("SELECT quota_used FROM users") == [(0,)]


def test_a_description_that_a_rule_does_not_allow_is_no_prompt(world: World, owner: Owner) -> None:
    described = owner.submit(describe=True)
    follower = owner.follow(described, prompt=None)
    settled = owner.follow(described, prompt="a dog")
    succeed(world, described)
    world.sql("UPDATE images SET description = 'a Cat on a roof' RETURNING id")
    rules = read_rules('version = "1"\n[[rules]]\nreason = "no"\nwords = ["cat"]')
    assert releases.release(world.services.db, rules) == 2
    assert world.row(follower).error_code == "prompt_rejected"
    assert world.state(settled) == "queued"
    world.check_books()


def test_a_source_that_is_deleted_before_the_release_fails_the_job(world: World, owner: Owner) -> None:
    source = owner.submit()
    follower = owner.follow(source)
    succeed(world, source)
    submission.delete(world.services, owner.credential, source)
    assert releases.release(world.services.db) == 1
    assert world.row(follower).error_code == "source_failed"


def test_a_picture_that_is_deleted_before_it_is_sent_fails_the_job(world: World, owner: Owner) -> None:
    source = owner.submit()
    world.finish(source)
    follower = owner.follow(source)
    assert world.state(follower) == "queued"
    submission.delete(world.services, owner.credential, source)
    world.finish(follower)
    assert world.row(follower).error_code == "source_missing"


def test_a_held_job_can_be_cancelled(world: World, owner: Owner) -> None:
    source = owner.submit()
    follower = owner.follow(source)
    assert submission.cancel(world.services, owner.credential, follower).state == State.CANCELLED
    world.finish(source)
    releases.release(world.services.db)
    assert world.state(follower) == "cancelled"
    assert not world.sql("SELECT FROM held_jobs")
    world.check_books()


def test_only_own_jobs_that_can_have_a_picture_are_sources(world: World, owner: Owner) -> None:
    other = Owner(world)
    assert refusal(owner, from_job=str(other.submit())) == ("from_job", "not_yours")
    assert refusal(owner, from_job=str(uuid4())) == ("from_job", "not_yours")
    assert refusal(owner, from_image=str(uuid4())) == ("from_image", "not_yours")
    source = owner.submit()
    assert refusal(owner, from_job=str(source), prompt=None) == ("prompt", "required")
    submission.cancel(world.services, owner.credential, source)
    assert refusal(owner, from_job=str(source)) == ("from_job", "source_failed")


def test_held_jobs_count_as_waiting_and_a_key_leads_to_the_same_job(world: World, owner: Owner) -> None:
    source = owner.submit()
    follower = owner.follow(source, key="k")
    assert owner.follow(source, key="k") == follower
    limited = with_settings(world.services, max_queued=2)
    with pytest.raises(QueueFull):
        submission.submit(limited, owner.credential, JobRequest(**SMALL, from_job=str(source)), None)
    limited.db.close()


def test_released_jobs_queue_behind_each_other(world: World, owner: Owner) -> None:
    source = owner.submit()
    followers = [owner.follow(source, width=512, height=512, steps=30) for _ in range(4)]
    before = world.sql("SELECT next_turn FROM users")[0][0]
    succeed(world, source)
    assert releases.release(world.services.db) == 4
    rows = [world.row(job) for job in followers]
    assert {row.state for row in rows} == {"queued"}
    gaps = [later.turn - row.turn for row, later in pairwise(rows)]
    assert gaps == pytest.approx([row.cost for row in rows[:-1]])
    [end] = world.sql("SELECT next_turn FROM users")
    assert end[0] == pytest.approx(before + sum(row.cost for row in rows))


def test_a_source_that_ends_while_a_job_is_held_is_not_missed(world: World, owner: Owner) -> None:
    """The end waits for the submit that has locked the source, and then finds who waits."""
    source = owner.submit()
    with world.services.db.begin() as connection:
        job_store.move(connection, source, State.CANCELLED, Event.CANCELLED)
        made: list[UUID] = []
        thread = threading.Thread(target=lambda: made.append(owner.follow(source)))
        thread.start()
        world.until_one_waits()
    thread.join(30)
    assert world.state(made[0]) == "held"
    assert releases.release(world.services.db) == 1
    assert world.row(made[0]).error_code == "source_failed"
