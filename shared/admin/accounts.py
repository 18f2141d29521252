"""What operators do with accounts: list them, set a quota or a weight, disable and enable, remove a second factor."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.accounts import account_mails, address_store, factor_store
from shared.accounts import store as user_store
from shared.admin import gallery
from shared.core.errors import NotFound
from shared.gallery import store as gallery_store
from shared.jobs import store as job_store
from shared.jobs.reasons import ACCOUNT_DISABLED
from shared.jobs.states import State
from shared.services import Services


@dataclass(frozen=True, slots=True)
class UserOverview:
    """An account in a list. `jobs_per_day` is None where the quota of the site applies."""

    id: UUID
    email: str
    created_at: datetime
    queued: int
    running: int
    weight: float
    jobs_per_day: int | None
    disabled_at: datetime | None
    disabled_reason: str | None
    confirmed_at: datetime | None
    used_today: int


@dataclass(frozen=True, slots=True)
class DisableResult:
    """What disabling an account changed.

    Whether it was disabled before, how many queued jobs were cancelled, how many running ones will be, and how many
    jobs were taken out of the gallery.
    """

    was_disabled: bool
    cancelled: int
    cancelling: int
    hidden: int


_USERS = text("""
SELECT id, email, created_at, queued, running, weight, jobs_per_day, disabled_at, disabled_reason, confirmed_at,
    ceil(CASE WHEN quota_day = (now() AT TIME ZONE 'utc')::date THEN quota_used + quota_worked ELSE 0 END)::int
        AS used_today
FROM users WHERE CAST(:search AS text) IS NULL OR strpos(email, :search) > 0
ORDER BY id DESC LIMIT :limit
""")

_UNFINISHED = text("""
SELECT id FROM jobs WHERE user_id = :user_id AND state IN ('held', 'queued', 'generating')
    AND cancel_requested_at IS NULL ORDER BY id
""")


def list_users(services: Services, *, search: str | None = None, limit: int) -> list[UserOverview]:
    """Return the latest accounts whose address contains the text, newest first."""
    with services.db.statement() as connection:
        return [UserOverview(*row) for row in connection.execute(_USERS, {"search": search, "limit": limit})]


def get_user_id(services: Services, email: str) -> UUID:
    """Return the id of the account with this address.

    Raises:
        NotFound: There is no such account.
    """
    with services.db.statement() as connection:
        found = user_store.find_by_email(connection, email)
    if found is None:
        raise NotFound
    return found.user.id


def set_jobs_per_day(services: Services, email: str, jobs_per_day: int | None) -> None:
    """Set an account's own daily quota from its next job on, or with None the site's again.

    Raises:
        NotFound: There is no such account.
    """
    with services.db.statement() as connection:
        if not user_store.set_jobs_per_day(connection, email, jobs_per_day):
            raise NotFound


def set_weight(services: Services, email: str, weight: float) -> None:
    """Set the weight of an account's next jobs in the fair queue; every account begins with 1.

    Raises:
        NotFound: There is no such account.
    """
    with services.db.statement() as connection:
        if not user_store.set_weight(connection, email, weight):
            raise NotFound


def confirm(services: Services, email: str) -> bool:
    """Record an account's address as confirmed; return whether that changed anything.

    Raises:
        NotFound: There is no such account.
    """
    with services.db.statement() as connection:
        return _require(address_store.confirm_by_operator(connection, email))


def disable(services: Services, email: str, reason: str | None, *, hide: bool) -> DisableResult:
    """Disable an account: log-in, sessions and API tokens stop working, and unfinished jobs are cancelled.

    The account keeps its jobs and pictures; with `hide` its published ones are taken out of the gallery. Calling it
    again completes a call that was interrupted.

    Raises:
        NotFound: There is no such account.
    """
    # Committed first, by itself: from then on the account cannot queue a job, so the list of jobs to cancel is
    # complete. Jobs are always locked before their user.
    with services.db.begin() as connection:
        account = user_store.disable(connection, email, reason)
    if account is None:
        raise NotFound
    cancelled = cancelling = 0
    for state in _cancel_all(services, account.id):
        cancelled += state.waits
        cancelling += state == State.GENERATING
    hidden = _hide(services, account.id) if hide else 0
    return DisableResult(account.was_disabled, cancelled, cancelling, hidden)


def enable(services: Services, email: str) -> bool:
    """Enable a disabled account; return whether that changed anything. Cancelled jobs and hidden pictures stay so.

    Raises:
        NotFound: There is no such account.
    """
    with services.db.statement() as connection:
        return _require(user_store.enable(connection, email))


def remove_second_factor(services: Services, email: str) -> bool:
    """Switch an account's second factor off; return whether it was on. The account is notified by mail.

    Raises:
        NotFound: There is no such account.
    """
    user_id = get_user_id(services, email)
    with services.db.begin() as connection:
        was_on = factor_store.delete(connection, user_id)
        if was_on and services.sends_mail:
            account_mails.add(connection, "second_factor_off", email, user_id)
    return was_on


def _require(changed: bool | None) -> bool:
    """Return whether an account was changed. Raises NotFound if there is none."""
    if changed is None:
        raise NotFound
    return changed


def _cancel_all(services: Services, user_id: UUID) -> Iterator[State]:
    """Cancel a user's unfinished jobs and yield the state in which each was found.

    Each in its own transaction: one that held the user's row would make a move of another of the jobs wait.
    """
    with services.db.statement() as connection:
        job_ids = list(connection.execute(_UNFINISHED, {"user_id": user_id}).scalars())
    for job_id in job_ids:
        with services.db.begin() as connection:
            state = job_store.find_state(connection, job_id, user_id, lock=True)
            if state is None or state.finished:
                continue
            job_store.cancel(connection, job_id, state, ACCOUNT_DISABLED)
        if state == State.GENERATING:
            services.wake_ups.wake()
        yield state


def _hide(services: Services, user_id: UUID) -> int:
    with services.db.statement() as connection:
        job_ids = gallery_store.list_public_ids(connection, user_id)
    return sum(gallery.take_down(services, job_id).changed for job_id in job_ids)
