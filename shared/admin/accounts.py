"""What the operators of a site decide about accounts: how many jobs a day, how large a share, and who may come in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.accounts import store as user_store
from shared.admin import gallery as moderation
from shared.admin import overview as overview_store
from shared.core.errors import NotFound
from shared.gallery import store as gallery_store
from shared.jobs import store as job_store
from shared.jobs.reasons import ACCOUNT_DISABLED
from shared.jobs.states import State
from shared.services import Services


@dataclass(frozen=True)
class Disabled:
    """What disabling an account has changed: whether it was disabled before, how many waiting jobs are cancelled, how
    many running ones are about to be, and how many jobs were taken out of the gallery."""

    before: bool
    cancelled: int
    stopping: int
    hidden: int


def list_users(services: Services, *, search: str | None = None, limit: int) -> list[Row[Any]]:
    """The latest accounts whose address holds the text, as `overview_store.list_users` has them."""
    with services.db.statement() as connection:
        return overview_store.list_users(connection, search=search, limit=limit)


def set_jobs_per_day(services: Services, email: str, jobs_per_day: int | None) -> None:
    """Give an account a quota of its own from its next job on, or with None the site's again. Raises NotFound."""
    with services.db.begin() as connection:
        if not user_store.set_jobs_per_day(connection, email, jobs_per_day):
            raise NotFound


def set_weight(services: Services, email: str, weight: float) -> None:
    """Give an account's next jobs a share in the fair order of this weight; 1 is everybody's. Raises NotFound."""
    with services.db.begin() as connection:
        if not user_store.set_weight(connection, email, weight):
            raise NotFound


def disable(services: Services, email: str, reason: str | None, *, hide: bool) -> Disabled:
    """Keep somebody out: no log-in, no session and no token of theirs works, and what they have under way is cancelled.
    Their account, jobs and pictures stay; with `hide` what they have published is taken down. Raises NotFound.

    Doing it again finishes what was broken off.
    """
    # First and alone: once this is written no job of theirs can be queued any more, so that the list of those to be
    # cancelled is whole. And who locks jobs and their user does so in that order.
    with services.db.begin() as connection:
        found = user_store.disable(connection, email, reason)
    if found is None:
        raise NotFound
    cancelled = stopping = 0
    for state in _cancel_all(services, found.id):
        cancelled += state == State.QUEUED
        stopping += state == State.GENERATING
    hidden = _hide(services, found.id) if hide else 0
    return Disabled(found.was_disabled, cancelled, stopping, hidden)


def enable(services: Services, email: str) -> bool:
    """Let somebody in again; whether that changed anything. What was cancelled or taken down stays so. Raises
    NotFound."""
    with services.db.begin() as connection:
        changed = user_store.enable(connection, email)
    if changed is None:
        raise NotFound
    return changed


def _cancel_all(services: Services, user_id: UUID) -> Iterator[State]:
    """Cancel a user's unfinished jobs, each in a transaction of its own: whoever moves another of them at the moment
    may wait for the user, whom this one holds. Gives the state in which each was found."""
    with services.db.statement() as connection:
        job_ids = overview_store.list_unfinished(connection, user_id)
    for job_id in job_ids:
        with services.db.begin() as connection:
            state = job_store.find_state(connection, job_id, user_id, lock=True)
            if state is None or state.finished:
                continue
            job_store.cancel(connection, job_id, state, ACCOUNT_DISABLED)
        if state == State.GENERATING:
            services.wake_ups.look_at(job_id)
        yield state


def _hide(services: Services, user_id: UUID) -> int:
    with services.db.statement() as connection:
        shown = gallery_store.list_shown_of(connection, user_id)
    return sum(moderation.take_down(services, job_id).changed for job_id in shown)
