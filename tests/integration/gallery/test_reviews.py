"""Publications that an operator looks at, decisions about them, and appeals; reports that outlive their job."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.admin import gallery
from shared.api.schemas import NewReport
from shared.core.errors import NoAppeal, NotFound, TakenDown
from shared.gallery import publication, reports
from shared.gallery.service import get_item
from shared.jobs import submission
from shared.jobs.publications import publication_json
from shared.jobs.records import JobRecord
from shared.services import Services
from tests.support.world import World


class Site:
    """A site with this setting of EASEL_REVIEW, and a user of it with a finished job."""

    def __init__(self, world: World, review: str) -> None:
        self.world = world
        self.services = Services(world.services.settings.model_copy(update={"review": review}))
        self.credential = world.credential(user := world.user())
        self.job_id = world.submit(user)
        world.finish(self.job_id)

    def publish(self) -> JobRecord:
        return publication.publish(self.services, self.credential, self.job_id)

    def withdraw(self) -> JobRecord:
        return publication.withdraw(self.services, self.credential, self.job_id)

    def appeal(self, words: str = "Look again, please.") -> JobRecord:
        return publication.appeal(self.services, self.credential, self.job_id, words)

    def report(self) -> None:
        reports.report(self.services, self.job_id, NewReport(reason="other"), network=str(uuid4()))

    def state(self) -> Any:
        job = submission.get_job(self.services, self.credential, self.job_id)
        return json.loads(publication_json(job.publication, public=job.public))

    def is_shown(self) -> bool:
        try:
            get_item(self.services, self.job_id)
        except NotFound:
            return False
        return True

    def awaiting(self) -> list[str]:
        return [job.review for job in gallery.list_awaiting(self.services, limit=10)]


@pytest.fixture
def before(world: World) -> Iterator[Site]:
    site = Site(world, "before")
    yield site
    site.services.db.close()


@pytest.fixture
def after(world: World) -> Iterator[Site]:
    site = Site(world, "after")
    yield site
    site.services.db.close()


def test_a_publication_waits_until_it_is_approved(before: Site) -> None:
    version = before.world.row(before.job_id).version
    assert before.publish().public is False
    assert before.publish().public is False
    assert before.world.row(before.job_id).version == version + 1
    assert before.state() == {"state": "waiting", "reason": None, "appeal": None, "may_appeal": False}
    assert (before.is_shown(), before.awaiting()) == (False, ["waiting"])
    assert gallery.approve(before.services, before.job_id).changed
    assert (before.state()["state"], before.is_shown(), before.awaiting()) == ("public", True, [])
    before.world.check_books()


def test_what_is_withdrawn_while_it_waits_waits_no_more(before: Site) -> None:
    before.publish()
    before.withdraw()
    assert (before.state()["state"], before.awaiting()) == ("private", [])
    assert not gallery.approve(before.services, before.job_id).changed
    assert not before.is_shown()


def test_approved_pictures_need_no_second_look_unless_they_were_reported(before: Site) -> None:
    before.publish()
    gallery.approve(before.services, before.job_id)
    before.withdraw()
    assert before.publish().public
    before.report()
    before.withdraw()
    assert not before.publish().public
    assert before.awaiting() == ["waiting"]


def test_an_appeal_is_heard_once_and_its_refusal_is_final(before: Site) -> None:
    before.publish()
    with pytest.raises(NoAppeal):
        before.appeal()
    gallery.take_down(before.services, before.job_id, "Not for all.")
    assert before.state() == {"state": "refused", "reason": "Not for all.", "appeal": None, "may_appeal": True}
    with pytest.raises(TakenDown):
        before.publish()
    before.appeal("It is art.")
    waiting = {"text": "It is art.", "state": "waiting"}
    assert before.state() == {"state": "refused", "reason": "Not for all.", "appeal": waiting, "may_appeal": False}
    with pytest.raises(NoAppeal):
        before.appeal()
    assert before.awaiting() == ["refused"]
    assert gallery.take_down(before.services, before.job_id).changed
    assert before.state()["appeal"] == waiting | {"state": "refused"}
    assert before.state()["reason"] == "Not for all."
    assert before.awaiting() == []
    with pytest.raises(NoAppeal):
        before.appeal()


def test_an_appeal_that_is_granted_publishes(before: Site) -> None:
    before.publish()
    gallery.take_down(before.services, before.job_id, "Not for all.")
    before.appeal()
    assert gallery.approve(before.services, before.job_id).changed
    assert before.is_shown()
    assert before.state() == {"state": "public", "reason": None, "appeal": None, "may_appeal": False}
    gallery.take_down(before.services, before.job_id, "Reported.")
    assert before.state() == {"state": "removed", "reason": "Reported.", "appeal": None, "may_appeal": True}


def test_a_granted_appeal_publishes_nothing_that_the_owner_no_longer_wants_public(before: Site) -> None:
    before.publish()
    gallery.take_down(before.services, before.job_id, "Not for all.")
    before.appeal()
    before.withdraw()
    gallery.approve(before.services, before.job_id)
    assert (before.is_shown(), before.state()["state"]) == (False, "private")


def test_with_after_it_is_public_at_once_and_listed(after: Site) -> None:
    assert after.publish().public
    assert (after.is_shown(), after.awaiting()) == (True, ["listed"])
    assert gallery.approve(after.services, after.job_id).changed
    assert (after.is_shown(), after.awaiting()) == (True, [])
    gallery.take_down(after.services, after.job_id)
    assert after.state() == {"state": "removed", "reason": None, "appeal": None, "may_appeal": True}


def test_without_review_nothing_is_listed_and_a_take_down_can_be_appealed(world: World) -> None:
    site = Site(world, "off")
    assert site.publish().public
    assert site.awaiting() == []
    world.sql("UPDATE jobs SET taken_down_at = clock_timestamp()")  # as by a version before this one
    assert site.state()["may_appeal"]
    site.appeal()
    assert site.awaiting() == ["removed"]
    gallery.approve(site.services, site.job_id)
    assert site.is_shown()
    site.services.db.close()


def test_what_waited_is_published_once_the_setting_is_off(before: Site, world: World) -> None:
    before.publish()
    assert publication.publish(world.services, before.credential, before.job_id).public
    assert before.awaiting() == []


def test_another_user_cannot_appeal(before: Site, world: World) -> None:
    before.publish()
    gallery.take_down(before.services, before.job_id)
    with pytest.raises(NotFound):
        publication.appeal(before.services, world.credential(world.user()), before.job_id, "mine")
    assert before.state()["appeal"] is None


def test_reports_outlive_their_job_until_their_time(after: Site, world: World) -> None:
    after.publish()
    after.report()
    after.report()
    [row] = world.sql("SELECT open_reports, reported_at IS NOT NULL FROM publications")
    assert row == (2, True)
    gallery.dismiss(after.services, after.job_id)
    assert world.sql("SELECT open_reports FROM publications") == [(0,)]
    after.report()
    world.sql("DELETE FROM jobs")
    found = gallery.get_reported(after.services, after.job_id)
    assert (found.prompt, found.shown, found.link) == (None, False, None)
    assert [report.outcome for report in found.reports] == ["dismissed", "dismissed", "deleted"]
    with after.services.db.begin() as connection:
        assert reports.drop_old(connection) == 0
    world.sql("UPDATE reports SET closed_at = closed_at - interval '181 days' WHERE outcome = 'dismissed'")
    with after.services.db.begin() as connection:
        assert (reports.drop_old(connection, 1), reports.drop_old(connection)) == (1, 1)
    with pytest.raises(NotFound):
        gallery.get_reported(after.services, UUID(int=0))


@pytest.mark.parametrize(
    ("query", "index"),
    [(gallery._AWAITING, "ix_publications_awaiting"), (gallery._REPORTED, "ix_publications_reported")],
)
def test_the_lists_of_operators_cost_no_more_with_a_long_history(world: World, query: Any, index: str) -> None:
    with world.services.db.begin() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {query.text.replace(':limit', '10')}").scalars())
    assert index in plan
