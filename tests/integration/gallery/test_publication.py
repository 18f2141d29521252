"""Publishing concurrently with deletion, with itself and with an operator's take-down, on real rows."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.admin import gallery
from shared.api.schemas import NewReport
from shared.core.errors import NotFound, TakenDown
from shared.gallery import publication, reports
from shared.gallery import store as gallery_store
from shared.jobs import store as job_store
from shared.jobs import submission
from tests.support.world import World

ROUNDS = 8
LIMIT_S = 20


class Owner:
    """A user with one finished job."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.services = world.services
        self.id = world.user()
        self.credential = world.credential(self.id)
        self.job_id = world.submit(self.id)
        world.finish(self.job_id)

    def publish(self) -> bool:
        return publication.publish(self.services, self.credential, self.job_id).public

    def take_back(self) -> bool:
        return publication.withdraw(self.services, self.credential, self.job_id).public

    def delete(self) -> None:
        submission.delete(self.services, self.credential, self.job_id)

    def take_down(self) -> bool:
        return gallery.take_down(self.services, self.job_id).changed

    def report(self) -> None:
        reports.report(self.services, self.job_id, NewReport(reason="other"), network=str(uuid4()))

    def is_shown(self) -> bool:
        return bool(gallery.list_published(self.services, limit=1))

    def version(self) -> int:
        return int(self.world.row(self.job_id).version)


@pytest.fixture
def owner(world: World) -> Owner:
    return Owner(world)


def outcome(future: "Future[Any]") -> Any:
    """Return what a call returned, or the class of what it raised."""
    error = future.exception(LIMIT_S)
    return future.result() if error is None else type(error)


def held(owner: Owner, write: Callable[[Any], object], *calls: Callable[[], Any]) -> list[Any]:
    """Begin the calls while a transaction that has written to the job is open, end that, and return their outcomes."""
    with ThreadPoolExecutor(len(calls)) as pool:
        with owner.services.db.begin() as connection:
            write(connection)
            futures = [pool.submit(call) for call in calls]
            wait_for_blocked(owner, len(calls))
        return [outcome(future) for future in futures]


def wait_for_blocked(owner: Owner, count: int) -> None:
    """Return when so many statements wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with owner.services.db.statement() as connection:
        for _ in range(LIMIT_S * 100):
            if connection.execute(text(query)).scalar_one() >= count:
                return
            connection.execute(text("SELECT pg_sleep(0.01)"))
    raise AssertionError("no statement waits")


def test_two_concurrent_publications_are_one_change(owner: Owner) -> None:
    before = owner.version()
    for _ in range(ROUNDS):
        with ThreadPoolExecutor(2) as pool:
            assert [outcome(pool.submit(owner.publish)) for _ in range(2)] == [True, True]
        owner.take_back()
    assert owner.version() == before + 2 * ROUNDS


def test_a_publication_that_waited_for_another_changes_nothing(owner: Owner) -> None:
    before = owner.version()
    first = held(owner, lambda c: gallery_store.publish(c, owner.job_id), owner.publish, owner.publish)
    assert first == [True, True]
    assert owner.version() == before + 1


@pytest.mark.parametrize("public", [False, True])
def test_a_change_that_waited_for_a_deletion_is_not_found(owner: Owner, public: bool) -> None:
    if public:
        owner.publish()
    change = owner.take_back if public else owner.publish
    assert held(owner, lambda c: job_store.delete(c, owner.job_id), change) == [NotFound]
    assert not owner.is_shown()


def test_a_deletion_that_waited_for_a_publication_succeeds(owner: Owner) -> None:
    assert held(owner, lambda c: gallery_store.publish(c, owner.job_id), owner.delete) == [None]
    assert owner.world.sql("SELECT id FROM jobs UNION ALL SELECT id FROM images") == []


def test_a_publication_that_waited_for_a_take_down_is_refused(owner: Owner) -> None:
    assert held(owner, lambda c: gallery_store.take_down(c, owner.job_id), owner.publish) == [TakenDown]
    assert not owner.is_shown()
    owner.take_back()
    with pytest.raises(TakenDown):
        owner.publish()


def test_a_take_down_that_waited_for_a_publication_wins(owner: Owner) -> None:
    assert held(owner, lambda c: gallery_store.publish(c, owner.job_id), owner.take_down) == [True]
    assert not owner.is_shown()
    with pytest.raises(TakenDown):
        owner.publish()


def test_a_report_that_waited_for_a_take_down_is_not_kept(owner: Owner) -> None:
    owner.publish()
    assert held(owner, lambda c: gallery_store.take_down(c, owner.job_id), owner.report) == [NotFound]
    assert owner.world.sql("SELECT id FROM reports") == []


def test_concurrent_reports_do_not_exceed_their_limit(owner: Owner) -> None:
    owner.publish()
    for _ in range(reports.MAX_OPEN_REPORTS - 1):
        owner.report()
    assert held(owner, lambda c: gallery_store.lock_shown(c, owner.job_id), *[owner.report] * 4) == [None] * 4
    assert len(owner.world.sql("SELECT id FROM reports")) == reports.MAX_OPEN_REPORTS


def test_a_take_down_closes_the_reports_and_is_undone(owner: Owner) -> None:
    owner.publish()
    owner.report()
    owner.report()
    before = owner.version()
    services = owner.services
    [reported] = gallery.list_reported(services, limit=10)
    assert (reported.id, reported.shown, len(reported.reports)) == (owner.job_id, True, 2)
    assert gallery.take_down(services, owner.job_id) == gallery.Decision(True, 2)
    assert gallery.take_down(services, owner.job_id) == gallery.Decision(False, 0)
    assert gallery.list_reported(services, limit=10) == []
    assert gallery.approve(services, owner.job_id) == gallery.Decision(True, 0)
    assert gallery.approve(services, owner.job_id) == gallery.Decision(False, 0)
    assert owner.version() == before + 2
    assert owner.is_shown()
    assert gallery.list_reported(services, limit=10) == []


def test_a_job_unpublished_by_its_owner_is_not_restored(owner: Owner) -> None:
    owner.publish()
    owner.take_down()
    owner.take_back()
    gallery.approve(owner.services, owner.job_id)
    assert not owner.is_shown()
    assert owner.publish()


@pytest.mark.parametrize("decide", [gallery.take_down, gallery.approve, gallery.dismiss])
def test_decisions_about_an_unknown_job_are_refused(owner: Owner, decide: Callable[..., Any]) -> None:
    with pytest.raises(NotFound):
        decide(owner.services, uuid4())


def test_the_most_and_then_the_newest_reports_are_listed_first(world: World) -> None:
    owners = [Owner(world) for _ in range(3)]
    for owner in owners:
        owner.publish()
    for owner in (owners[1], owners[2], owners[0], owners[1]):
        owner.report()
    found = [row.id for row in gallery.list_reported(world.services, limit=2)]
    assert found == [owners[1].job_id, owners[0].job_id]
