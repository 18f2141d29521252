"""Users, operators, dispatchers and workers do anything in any order; a small model and the promises say what is right.

The stores are the real ones on a real Postgres. Workers keep their claims after they have lost them, and write under
them later, as a frozen one does.
"""

import os
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from shared.admin import jobs as admin_jobs
from shared.core.errors import AlreadyFinished, QueueFull, QuotaSpent, StillRunning
from shared.generators.addresses import GeneratorAddress
from shared.jobs import depth, groups, submission
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.records import StoredImage
from shared.jobs.states import FINISHED, MAX_ATTEMPTS, MAX_CRASHES, State
from shared.polling import claims, dispatch, lease_store, outcomes
from shared.polling import generators as generator_store
from shared.polling.claims import ClaimedJob
from shared.polling.outcomes import Cancelled, Decision, Failed, Outcome, Progressed, Retried, Sent, Succeeded, Waits
from shared.services import Services
from tests.support.audit import rows, timelines
from tests.support.clean_tables import empty_tables
from tests.support.expected import Job, User
from tests.support.poller import Poller
from tests.support.world import World, with_settings

EXAMPLES = int(os.environ.get("EASEL_TEST_EXAMPLES") or 0)
PHASES = (Phase.generate,) if os.environ.get("EASEL_TEST_ANY_FAILURE") else tuple(Phase)
"""Whether a failure is enough, without the search for the shortest one."""

MAX_QUEUED, JOBS_PER_DAY, MAX_RUNNING, PLACES = 4, 9, 2, 3
GENERATOR = GeneratorAddress("img_generator", "http://generator.example.com", PLACES)
KEYS = st.sampled_from([None, "first key", "second key"])
USERS = st.integers(0, 1)
ANY = st.integers(0, 1000)


class Model(RuleBasedStateMachine):
    """The rules. Each does one thing to the stores and the same to the model."""

    services: Services

    def __init__(self) -> None:
        super().__init__()
        empty_tables(self.services.db)
        self.world = World(self.services, Poller(self.services, ()))
        self.jobs: dict[UUID, Job] = {}
        self.claims: list[ClaimedJob] = []
        self.users = [
            User(user_id, self.world.credential(user_id)) for user_id in (self.world.user(), self.world.user())
        ]
        with self.services.db.begin() as connection:
            generator_store.register(connection, [GENERATOR])

    def pick(self, number: int, *states: State) -> tuple[UUID, Job] | None:
        found = [(job_id, job) for job_id, job in sorted(self.jobs.items()) if not states or job.state in states]
        return found[number % len(found)] if found else None

    def count(self, user: int, *states: State) -> int:
        return sum(job.user == user and job.state in states for job in self.jobs.values())

    def used(self, user: int) -> float:
        """Return how much of today's quota is used, with what was worked off before an end without pictures."""
        of_today = [job for job in self.jobs.values() if job.user == user and job.today]
        given_back = (State.FAILED, State.CANCELLED)
        units = sum(job.progress if job.state in given_back else 1 for job in of_today)
        return units + self.users[user].deleted_units + self.users[user].deleted_work

    @rule(user=USERS, key=KEYS, pictures=st.integers(1, 2))
    def submit(self, user: int, key: str | None, pictures: int) -> None:
        owner = self.users[user]
        job = self.world.new_job(n=pictures)
        if key is not None:
            job = replace(job, idempotency_key=key)
        refused = self.refused(user, 1)
        try:
            with self.services.db.statement() as connection:
                made = UUID(submission.queue_or_find(self.services, connection, owner.credential, job, None).id)
        except (QueueFull, QuotaSpent):
            assert refused
            assert key not in owner.keys
            return
        if key is not None and key in owner.keys:
            assert made == owner.keys[key]
            return
        assert not refused
        if key is not None:
            owner.keys[key] = made
        self.jobs[made] = Job(user, pictures)

    def refused(self, user: int, jobs: int) -> bool:
        waiting = self.count(user, State.QUEUED)
        return waiting + jobs > MAX_QUEUED or self.used(user) + jobs > JOBS_PER_DAY + 1e-9

    @rule(user=USERS, jobs=st.integers(1, 3))
    def submit_group(self, user: int, jobs: int) -> None:
        planned = groups.Plan(tuple(self.world.new_job() for _ in range(jobs)), None)
        refused = self.refused(user, jobs)
        try:
            group = groups.submit(self.services, self.users[user].credential, planned)
        except (QueueFull, QuotaSpent):
            assert refused
            return
        assert not refused
        self.jobs |= {UUID(job.id): Job(user, 1) for job in group.jobs}

    @rule()
    def start(self) -> None:
        running = sum(job.state == State.GENERATING for job in self.jobs.values())
        started = dispatch.start(self.services, {GENERATOR.name: 0})
        for job_id in started:
            assert self.jobs[job_id].state == State.QUEUED
            self.jobs[job_id].state = State.GENERATING
        assert running + len(started) <= PLACES
        counts = Counter(job.user for job in self.jobs.values() if job.state == State.GENERATING)
        assert max(counts.values(), default=0) <= MAX_RUNNING
        idle = running + len(started) < PLACES
        waiting = {job.user for job in self.jobs.values() if job.state == State.QUEUED}
        assert not (idle and any(counts[user] < MAX_RUNNING for user in waiting)), "no place is left free for nothing"

    @rule(number=ANY)
    def claim(self, number: int) -> None:
        """Claim a job that is due, as a worker does; one whose worker has died was found by the sweep."""
        if found := self.pick(number, State.GENERATING):
            self.claim_job(*found)

    def claim_job(self, job_id: UUID, job: Job) -> None:
        self.world.hurry()
        with self.services.db.statement() as connection:
            claim = claims.claim(connection, job_id)
        if job.claim is not None and not job.dead:
            assert claim is None
            return
        assert claim is not None
        assert (claim.crashed, claim.cancelling) == (job.dead, job.cancelling)
        job.crashes += job.dead
        job.claim, job.dead = claim, False
        self.claims.append(claim)
        if claim.crashed:
            failed = outcomes.write_crash(self.services.db, claim)
            assert failed == (job.crashes >= MAX_CRASHES)
            if failed:
                job.leave(State.FAILED)

    @rule(number=ANY)
    def work(self, number: int) -> None:
        """Do a step of a job that no worker holds, and claim it for the next one."""
        self.start()
        if (found := self.pick(number, State.GENERATING)) is None or found[1].claim is not None:
            return
        self.claim_job(*found)
        self.step(found[1])
        if found[1].state == State.GENERATING:
            self.claim_job(*found)

    @rule(number=ANY, workers=st.integers(1, MAX_CRASHES))
    def freeze(self, number: int, workers: int) -> None:
        """Let so many workers freeze over a job. They keep their claims, and another worker takes over."""
        self.start()
        if (found := self.pick(number, State.GENERATING)) is None:
            return
        for _ in range(workers):
            self.claim_job(*found)
            self.expire(*found)
            if found[1].state != State.GENERATING:
                return
        self.claim_job(*found)

    def write(self, number: int, outcome: Outcome) -> Job | None:
        """Write an outcome under one of all claims; return the job if that counts, None if the claim is lost."""
        claim = self.claims.pop(number % len(self.claims))
        job = self.jobs.get(claim.id)
        counts = job is not None and job.claim is not None and job.claim.attempt_token == claim.attempt_token
        if isinstance(outcome, Sent | Succeeded | Progressed) and (claim.remote_id is None) != isinstance(
            outcome, Sent
        ):
            self.claims.append(claim)  # no step of this claim comes to that
            return None
        if isinstance(outcome, Succeeded):
            outcome = Succeeded(tuple(_picture(claim, index) for index in range(claim.settings["n"])))
        [result] = outcomes.write(self.services.db, [(claim, Decision(outcome))])
        assert isinstance(result, outcomes.Written) == counts, (result, outcome)
        if job is None or not counts:
            return None
        job.dead = False  # the claim ends, though its lease had run out: nobody had found that yet
        return job

    @precondition(lambda self: self.claims)
    @rule(number=ANY)
    def send(self, number: int) -> None:
        if job := self.write(number, Sent("7", 0.1)):
            job.attempts, job.sent, job.claim = job.attempts + 1, True, None

    @precondition(lambda self: self.claims)
    @rule(number=ANY, fraction=st.sampled_from([0.25, 0.5, 0.75]))
    def progress(self, number: int, fraction: float) -> None:
        if job := self.write(number, Progressed(0.1, fraction)):
            job.progress, job.claim = max(job.progress, fraction), None

    @precondition(lambda self: self.claims)
    @rule(number=ANY)
    def wait(self, number: int) -> None:
        if job := self.write(number, Waits(GENERATOR_FAILED, 0.1, has_objects=True)):
            job.claim = None

    @precondition(lambda self: self.claims)
    @rule(number=ANY)
    def store(self, number: int) -> None:
        if job := self.write(number, Succeeded()):
            job.leave(State.CANCELLED if job.cancelling else State.SUCCEEDED)
            job.progress = job.progress if job.cancelling else 1.0

    @precondition(lambda self: self.claims)
    @rule(number=ANY, refused=st.booleans())
    def lose(self, number: int, *, refused: bool) -> None:
        """Lose an attempt; after the last one the job fails."""
        claim = self.claims[number % len(self.claims)]
        last = claim.attempts + (not refused) >= MAX_ATTEMPTS
        outcome: Outcome = Retried(GENERATOR_FAILED, attempts=int(claim.remote_id is None and not refused))
        if claim.remote_id is not None and last:
            outcome = Failed(GENERATOR_FAILED)
        if outcome != Failed(GENERATOR_FAILED) and claim.attempts >= MAX_ATTEMPTS:
            return
        if job := self.write(number, outcome):
            job.attempts += 0 if isinstance(outcome, Failed) or job.cancelling else outcome.attempts  # type: ignore[union-attr]
            to = State.CANCELLED if job.cancelling else State.QUEUED
            job.leave(State.FAILED if isinstance(outcome, Failed) else to)

    @precondition(lambda self: self.claims)
    @rule(number=ANY)
    def fail(self, number: int) -> None:
        if job := self.write(number, Failed(GENERATOR_FAILED)):
            job.leave(State.FAILED)

    @precondition(lambda self: any(claim.cancelling for claim in self.claims))
    @rule()
    def cancel_at_the_generator(self) -> None:
        number = next(place for place, claim in enumerate(self.claims) if claim.cancelling)
        if job := self.write(number, Cancelled()):
            job.leave(State.CANCELLED)

    @rule(number=ANY)
    def expire_lease(self, number: int) -> None:
        held = [(job_id, job) for job_id, job in sorted(self.jobs.items()) if job.claim is not None]
        if held:
            self.expire(*held[number % len(held)])

    def expire(self, job_id: UUID, job: Job) -> None:
        self.world.expire_lease(job_id)
        job.dead = job.claim is not None

    @rule()
    def renew_leases(self) -> None:
        """Renew all claims that workers keep; those that are lost are not known any more."""
        with self.services.db.statement() as connection:
            kept = lease_store.renew(connection, self.claims)
        of_jobs = {job.claim.attempt_token: job for job in self.jobs.values() if job.claim is not None}
        assert kept == {token: job.cancelling for token, job in of_jobs.items()}
        for job in of_jobs.values():
            job.dead = False

    @rule(number=ANY)
    def cancel(self, number: int) -> None:
        if found := self.pick(number):
            self.cancel_job(*found)

    @rule(number=ANY)
    def cancel_running(self, number: int) -> None:
        if found := self.pick(number, State.GENERATING):
            self.cancel_job(*found)

    def cancel_job(self, job_id: UUID, job: Job) -> None:
        try:
            submission.cancel(self.services, self.users[job.user].credential, job_id)
        except AlreadyFinished:
            assert job.state in FINISHED
            return
        if job.state == State.QUEUED:
            job.leave(State.CANCELLED)
        else:
            assert job.state == State.GENERATING
            job.cancelling = True

    @rule(number=ANY)
    def delete(self, number: int) -> None:
        if (found := self.pick(number)) is None:
            return
        job_id, job = found
        try:
            submission.delete(self.services, self.users[job.user].credential, job_id)
        except StillRunning:
            assert job.state not in FINISHED
            return
        assert job.state in FINISHED
        del self.jobs[job_id]
        owner = self.users[job.user]
        owner.keys = {key: made for key, made in owner.keys.items() if made != job_id}
        if job.today:
            owner.deleted_units += job.state == State.SUCCEEDED
            owner.deleted_work += 0 if job.state == State.SUCCEEDED else job.progress

    @rule(number=ANY)
    def requeue(self, number: int) -> None:
        if (found := self.pick(number)) is None:
            return
        job_id, job = found
        result = admin_jobs.requeue(self.services, job_id)
        may = job.state == State.FAILED or (job.state == State.GENERATING and not job.cancelling)
        if job.cancelling and job.state == State.FAILED:
            may = False
        assert (result == admin_jobs.RequeueResult.DONE) == may
        if may:
            job.leave(State.QUEUED)
            job.attempts = job.crashes = 0

    @rule()
    def refill(self) -> None:
        """Let midnight pass: everything that was submitted is of the day before."""
        self.world.sql("UPDATE users SET quota_day = quota_day - 1")
        self.world.sql("UPDATE jobs SET quota_day = quota_day - 1")
        for job in self.jobs.values():
            job.today = False
        for user in self.users:
            user.deleted_units, user.deleted_work = 0, 0.0

    @rule()
    def fold(self) -> None:
        with self.services.db.statement() as connection:
            depth.fold(connection, at_least=0)

    @invariant()
    def the_rows_are_those_of_the_model(self) -> None:
        with self.services.db.begin() as connection:
            found = rows.find_violations(connection) + timelines.find_violations(connection)
            shown = connection.execute(text("SELECT id, state, attempts, crashes, lease_until IS NOT NULL FROM jobs"))
            are = {row[0]: tuple(row[1:]) for row in shown}
        assert found == []
        assert are == {
            job_id: (job.state, job.attempts, job.crashes, job.claim is not None) for job_id, job in self.jobs.items()
        }

    def teardown(self) -> None:
        """Let a worker that loses nothing bring everything to its end."""
        for _ in range(len(self.jobs) * 4):
            self.start()
            for job_id, job in list(self.jobs.items()):
                if job.state == State.GENERATING:
                    self.expire(job_id, job)
                    self.claim_job(job_id, job)
                    self.step(job)
        assert all(job.state in FINISHED for job in self.jobs.values())
        self.the_rows_are_those_of_the_model()

    def step(self, job: Job) -> None:
        """Do the step of a job that was just claimed."""
        if job.claim is None:
            return
        last = len(self.claims) - 1
        if job.claim.cancelling:
            if done := self.write(last, Cancelled()):
                done.leave(State.CANCELLED)
        elif job.claim.remote_id is None:
            self.send(last)
        else:
            self.store(last)


def _picture(claim: ClaimedJob, index: int) -> StoredImage:
    key = f"{claim.prefix}{index}"
    return StoredImage(index, f"{key}.png", f"{key}.webp", 64, 64, 1000 + index, 7, None, None)


def test_any_order_of_events(services: Services) -> None:
    limited = with_settings(
        services, max_queued=MAX_QUEUED, jobs_per_day=JOBS_PER_DAY, max_running=MAX_RUNNING, generators=""
    )
    bound: Any = type("Bound", (Model,), {"services": limited})
    try:
        run_state_machine_as_test(
            bound,
            settings=settings(
                max_examples=EXAMPLES or 12,
                stateful_step_count=40,
                deadline=None,
                derandomize=not EXAMPLES,
                database=None,
                phases=PHASES,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        limited.flush(5)
        limited.db.close()
