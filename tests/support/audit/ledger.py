"""What clients were told, and whether rows and messages keep to it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from shared.jobs.states import MAX_ATTEMPTS, State

MOST_SENT = 2
"""How often one mail or webhook may be sent: again only after a crash."""


@dataclass
class Ledger:
    """Notes of clients and receivers. Note what was asked before the call, and what was answered after it.

    accepted: jobs whose submit was answered, each with its user. by_key: the jobs or groups with which the submits of
    one user and one key were answered. cancelled: jobs whose cancel was accepted. ended: the final state that a client
    has seen.
    deleting: jobs that were asked to be deleted, `deleted` those where that was answered. closing, closed: the same of
    accounts. digests: the SHA-256 of objects that were read. starts: how many requests a generator has got for a job,
    of those that know a key. mails: how many mails about a job or group have arrived; webhooks: how many by
    `webhook-id`.
    """

    accepted: dict[UUID, UUID] = field(default_factory=dict)
    by_key: dict[tuple[UUID, str], set[UUID]] = field(default_factory=dict)
    cancelled: set[UUID] = field(default_factory=set)
    ended: dict[UUID, str] = field(default_factory=dict)
    deleting: set[UUID] = field(default_factory=set)
    deleted: set[UUID] = field(default_factory=set)
    closing: set[UUID] = field(default_factory=set)
    closed: set[UUID] = field(default_factory=set)
    digests: dict[str, str] = field(default_factory=dict)
    starts: Counter[UUID] = field(default_factory=Counter)
    mails: Counter[UUID] = field(default_factory=Counter)
    webhooks: Counter[str] = field(default_factory=Counter)
    most_sent: int = MOST_SENT

    def note_submit(self, user_id: UUID, key: str | None, made: UUID, *job_ids: UUID) -> None:
        """Note the answer to a submit: the job, or the group and its jobs."""
        self.accepted |= dict.fromkeys(job_ids or (made,), user_id)
        if key is not None:
            self.by_key.setdefault((user_id, key), set()).add(made)


_JOBS = text("""
SELECT j.id, j.user_id, j.state, j.requeues, j.finished_at IS NOT NULL AS has_ended,
    j.settings->>'notify' = 'email' AND j.group_id IS NULL AND j.state IN ('succeeded', 'failed')
        AND u.mail_stopped IS NULL AS mails, EXISTS (SELECT FROM mails m WHERE m.job_id = j.id) AS has_mail,
    coalesce(j.settings->>'webhook_url', u.webhook_url, '') <> '' AND j.finished_at IS NOT NULL AS calls,
    EXISTS (SELECT FROM webhooks w WHERE w.job_id = j.id) AS has_webhook
FROM jobs j JOIN users u ON u.id = j.user_id
""")
_UNITS = text("""
SELECT coalesce(sum(quota_used), 0) AS used, (
    SELECT count(*) FROM jobs j JOIN users o ON o.id = j.user_id AND o.quota_day = j.quota_day
    WHERE j.state NOT IN ('failed', 'cancelled')
) AS counted, coalesce(sum(quota_worked), 0) AS worked, (
    SELECT coalesce(sum(j.progress), 0) FROM jobs j JOIN users o ON o.id = j.user_id AND o.quota_day = j.quota_day
    WHERE j.state IN ('failed', 'cancelled')
) AS progress FROM users
""")


def find_violations(connection: Connection, ledger: Ledger, *, settled: bool) -> list[str]:
    """Return where the rows, or messages that have arrived, differ from what clients were told, in words."""
    jobs = {row.id: row for row in connection.execute(_JOBS)}
    users = set(connection.execute(text("SELECT id FROM users WHERE deleted_at IS NULL")).scalars())
    found = [
        f"what was accepted is durable: job {job_id} is missing"
        for job_id, user_id in ledger.accepted.items()
        if job_id not in jobs and job_id not in ledger.deleting and user_id not in ledger.closing
    ]
    found += [f"what was deleted is gone: job {job_id} is there" for job_id in ledger.deleted & jobs.keys()]
    found += [f"a closed account is gone: {user_id} is there" for user_id in ledger.closed & users]
    found += [
        f"one key makes one job: {key} of {user_id} was answered with {sorted(map(str, made))}"
        for (user_id, key), made in ledger.by_key.items()
        if len(made) > 1
    ]
    found += [words for row in jobs.values() for words in _compare(ledger, row, settled=settled)]
    found += [
        f"at most {MAX_ATTEMPTS} starts: job {job_id} was started {count} times"
        for job_id, count in ledger.starts.items()
        if count > MAX_ATTEMPTS * (1 + (jobs[job_id].requeues if job_id in jobs else 0))
    ]
    return found + _find_too_many(ledger) + _compare_units(connection, ledger)


def _compare(ledger: Ledger, row: Row[Any], *, settled: bool) -> list[str]:
    """Return where one job differs from what clients were told."""
    found = []
    if row.id in ledger.cancelled and row.state == State.SUCCEEDED:
        found.append(f"no picture after a cancel: job {row.id} succeeded")
    if ledger.ended.get(row.id, row.state) != row.state and not row.requeues:
        found.append(f"an end is final: job {row.id} was {ledger.ended[row.id]} and is {row.state}")
    if settled and row.mails and not row.has_mail and not ledger.mails[row.id]:
        found.append(f"no mail is lost: that about job {row.id}")
    if settled and row.calls and not row.has_webhook and not ledger.webhooks[f"{row.id}-{row.requeues}"]:
        found.append(f"no webhook is lost: that about job {row.id}")
    return found


def _find_too_many(ledger: Ledger) -> list[str]:
    return [
        f"at most {ledger.most_sent} of each message: {name} came {count} times"
        for name, count in (*ledger.mails.items(), *ledger.webhooks.items())
        if count > ledger.most_sent
    ]


def _compare_units(connection: Connection, ledger: Ledger) -> list[str]:
    """Compare the units exactly where nothing was deleted; otherwise some rows that they count are gone."""
    if ledger.deleting or ledger.closing:
        return []
    row = connection.execute(_UNITS).one()
    if row.used != row.counted or abs(row.worked - row.progress) > 1e-6:
        return [
            "debits minus refunds equal succeeded and unfinished jobs: "
            f"{row.used} and {row.counted}, worked {row.worked} and {row.progress}"
        ]
    return []
