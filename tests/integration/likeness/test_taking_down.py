"""Deleted likenesses end the publication of their pictures; expired and suspended ones only stop working."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from shared.admin import accounts
from shared.admin import gallery as admin_gallery
from shared.admin import likenesses as admin_likenesses
from shared.api.likenesses import LikenessChange
from shared.core.errors import NotFound, TakenDown
from shared.gallery import publication
from shared.gallery import service as gallery
from shared.images import codec
from shared.jobs import submission
from shared.likeness import service
from shared.polling import claims
from tests.support.photos import Sitter
from tests.support.world import World

SEED = 3
ALONE, WITH = SEED + 1, SEED + 1 + 10
"""The grey of a picture without an adapter, and with one."""


class Studio:
    """A likeness that is shared, its owner and another user, and which of their pictures are public."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owner, self.guest = Sitter(world), Sitter(world)
        self.code = self.owner.have()
        self.id = self.owner.get(self.code).id
        service.change(world.services, self.owner.credential, self.code, LikenessChange(shared=True))

    def draw(self, who: Sitter, **fields: object) -> UUID:
        """Publish a picture of somebody's."""
        job_id = who.draw(seed=SEED, **fields)
        self.world.finish(job_id)
        assert self.world.state(job_id) == "succeeded", self.world.timeline(job_id)
        publication.publish(self.world.services, who.credential, job_id)
        return job_id

    def is_public(self, job_id: UUID) -> bool:
        """Return whether a job is in the gallery; check that the links of its pictures work just then."""
        services = self.world.services
        try:
            gallery.get_item(services, job_id)
            shown = True
        except NotFound:
            shown = False
        assert (
            str(job_id) in {item.id for item in gallery.list_gallery(services, cursor=None, limit=100)[0]} or not shown
        )
        [image] = self.world.images(job_id)
        try:
            gallery.picture_url(services, image.id, thumbnail=False, timelapse=False, download=False, head=False)
        except NotFound:
            assert not shown
        else:
            assert shown
        return shown


@pytest.fixture
def studio(world: World) -> Studio:
    return Studio(world)


def by_code(studio: Studio) -> None:
    service.delete(studio.world.services, studio.owner.credential, studio.code)


def by_job(studio: Studio) -> None:
    submission.delete(studio.world.services, studio.owner.credential, studio.id)


def by_operator(studio: Studio) -> None:
    assert admin_likenesses.remove(studio.world.services, studio.id) == 2


def with_account(studio: Studio) -> None:
    now = "clock_timestamp()"
    studio.world.sql(f"UPDATE users SET disabled_at = {now}, deleted_at = {now} WHERE id = :id", id=studio.owner.id)
    while studio.world.poller.collect():
        pass


@pytest.mark.parametrize("delete", [by_code, by_job, by_operator, with_account])
def test_pictures_of_a_deleted_likeness_are_not_public(studio: Studio, delete: Callable[[Studio], None]) -> None:
    world = studio.world
    other = studio.guest.have()
    own, shared = studio.draw(studio.owner, likeness=studio.code), studio.draw(studio.guest, likeness=studio.code)
    others = [studio.draw(studio.guest), studio.draw(studio.guest, likeness=other)]
    assert all(map(studio.is_public, (own, shared, *others)))
    delete(studio)
    assert not studio.is_public(shared)
    if delete is not with_account:
        assert not studio.is_public(own)
    assert all(map(studio.is_public, others))
    mine = publication.withdraw(world.services, studio.guest.credential, shared)
    assert mine.images, "whoever made it keeps it"
    with pytest.raises(TakenDown):
        publication.publish(world.services, studio.guest.credential, shared)
    with pytest.raises(TakenDown):
        admin_gallery.approve(world.services, shared)
    assert not studio.is_public(shared)


def test_a_picture_that_is_being_made_cannot_become_public(studio: Studio) -> None:
    job_id = studio.guest.draw(likeness=studio.code, seed=SEED)
    studio.world.run(lambda: studio.world.row(job_id).remote_id is not None)
    by_code(studio)
    studio.world.finish(job_id)
    assert studio.world.state(job_id) == "succeeded"
    with pytest.raises(TakenDown):
        publication.publish(studio.world.services, studio.guest.credential, job_id)
    assert not studio.is_public(job_id)


def test_pictures_made_from_its_pictures_count_too(studio: Studio) -> None:
    world = studio.world
    first = studio.draw(studio.guest, likeness=studio.code)
    before = studio.draw(studio.guest, from_job=str(first), prompt="", strength=-1)
    by_code(studio)
    assert not studio.is_public(before)
    later = studio.guest.draw(from_job=str(before), prompt="", strength=-1)
    world.finish(later)
    assert world.state(later) == "succeeded"
    with pytest.raises(TakenDown):
        publication.publish(world.services, studio.guest.credential, later)


def test_a_code_that_did_not_work_shows_nobody(studio: Studio) -> None:
    service.change(studio.world.services, studio.owner.credential, studio.code, LikenessChange(shared=False))
    job_id = studio.draw(studio.guest, likeness=studio.code)
    by_code(studio)
    assert studio.is_public(job_id)


def test_an_expired_likeness_leaves_its_pictures_public(studio: Studio) -> None:
    job_id = studio.draw(studio.guest, likeness=studio.code)
    studio.world.sql("UPDATE likenesses SET expires_at = clock_timestamp()")
    while studio.world.poller.collect():
        pass
    assert studio.owner.get(studio.code).state == "expired"
    assert studio.is_public(job_id)
    by_code(studio)
    assert not studio.is_public(job_id)


def grey_of(studio: Studio, who: Sitter) -> int:
    job_id = who.draw(likeness=studio.code, seed=SEED)
    studio.world.finish(job_id)
    [image] = studio.world.images(job_id)
    png = studio.world.services.storage.get(image.key, 10**6)
    found = codec.decode_picture(png, expected_size=None).getpixel((0, 0))
    assert isinstance(found, tuple)
    return int(found[0])


def test_codes_of_a_disabled_account_stop_until_it_is_enabled(studio: Studio) -> None:
    services = studio.world.services
    published = studio.draw(studio.guest, likeness=studio.code)
    [[email]] = studio.world.sql("SELECT email FROM users WHERE id = :id", id=studio.owner.id)
    assert grey_of(studio, studio.guest) == WITH
    accounts.disable(services, email, None, hide=False)
    assert grey_of(studio, studio.guest) == ALONE
    accounts.enable(services, email)
    assert grey_of(studio, studio.guest) == grey_of(studio, studio.owner) == WITH
    assert studio.is_public(published), "disabling an account ends no publication"


def test_a_deletion_waits_for_a_claim_and_takes_its_picture_down(studio: Studio) -> None:
    world = studio.world
    job_id = studio.guest.draw(likeness=studio.code, seed=SEED)
    world.poller.sweep()
    world.hurry()
    with world.services.db.begin() as connection:
        [claimed] = claims.claim_due(connection, claims.new_tokens(5))
        assert [likeness.place for likeness in claimed.likenesses] == [1]
        with world.services.db.begin() as other:
            other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                other.execute(text("DELETE FROM likenesses"))
    by_code(studio)
    assert world.row(job_id).taken_down_at is not None


def test_a_claim_does_not_wait_for_a_deletion(studio: Studio) -> None:
    world = studio.world
    job_id = studio.guest.draw(likeness=studio.code, seed=SEED)
    world.poller.sweep()
    world.hurry()
    with world.services.db.begin() as connection:
        service.delete_trained(connection, studio.id, studio.owner.id)
        with world.services.db.begin() as other:
            [claimed] = claims.claim_due(other, claims.new_tokens(5))
    assert (claimed.id, claimed.likenesses) == (job_id, ())
    assert world.sql("SELECT FROM likeness_uses") == []
