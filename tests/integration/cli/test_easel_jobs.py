"""`easel jobs` against the real database: its output, and the effects of requeueing and cancelling."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from cli.exit_codes import ExitCode
from shared.admin import accounts
from shared.admin import jobs as admin_jobs
from shared.admin.jobs import RequeueResult
from shared.core.errors import Unavailable
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import MAX_ATTEMPTS, MAX_CRASHES, Event, State
from shared.services import Services
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.easel_command import Easel, objects
from tests.support.paths import ROOT
from tests.support.poller import Poller
from tests.support.world import World, with_settings

PROMPT = "a secret garden"


@pytest.fixture
def failed(world: World, generator: FakeGenerator) -> UUID:
    """Create a job that failed at its generator."""
    job_id = world.submit(world.user(), prompt=PROMPT)
    generator.plans.extend([Plan(ending="error")] * MAX_ATTEMPTS)
    world.finish(job_id)
    assert world.state(job_id) == State.FAILED
    return job_id


@pytest.fixture
def at_generator(world: World, generator: FakeGenerator) -> Services:
    """Return the services of an operator whose settings name the generator."""
    return with_settings(world.services, generators=f"img_generator+{generator.url}")


def used(world: World) -> int:
    [row] = world.sql("SELECT sum(quota_used) FROM users")
    return int(row[0])


def test_it_works(easel: Easel, world: World, failed: UUID) -> None:
    waiting = world.submit(world.user(), prompt=PROMPT)
    code, lines = easel("jobs", "list")
    assert code == ExitCode.DONE
    assert lines[0].split() == ["JOB", "STATE", "USER", "AGE", "PLACE", "ATTEMPTS", "REASON"]
    assert [line.split()[:2] for line in lines[1:]] == [[str(waiting), "queued"], [str(failed), "failed"]]
    assert "Given up after 3 attempts" in lines[2]
    assert not any(PROMPT in line for line in lines)
    code, lines = easel("jobs", "show", str(failed))
    assert code == ExitCode.DONE
    assert lines[0] == f"{failed} failed"
    assert f"    {PROMPT}" in lines
    assert sum("retrying" in line and "(generator_failed)" in line for line in lines) == 2
    assert easel("jobs", "requeue", str(failed)) == (
        ExitCode.DONE,
        [f"{failed} is back in the queue, with all its attempts."],
    )
    world.finish(failed, waiting)
    assert world.state(failed) == State.SUCCEEDED
    assert any("picture of 64x64" in line for line in easel("jobs", "show", str(failed))[1])


def test_an_empty_list_is_reported(easel: Easel, world: World) -> None:
    assert easel("jobs", "list") == (ExitCode.DONE, ["There is no such job."])
    assert objects(easel, "jobs", "list") == []


def test_the_list_can_be_narrowed(easel: Easel, world: World, failed: UUID) -> None:
    user_id = world.user()
    second = world.submit(user_id)
    [first] = world.sql(
        "INSERT INTO jobs (id, created_at, user_id, prompt, settings, cost, turn, protocols, quota_day)"
        " SELECT uuidv7(interval '-1 hour'), created_at - interval '1 hour', user_id, prompt, settings, cost, turn,"
        " protocols, quota_day FROM jobs WHERE id = :id RETURNING id",
        id=second,
    )[0]
    world.sql("UPDATE jobs SET generator = 'http://elsewhere:1' WHERE id = :id", id=failed)
    [row] = world.sql("SELECT email FROM users WHERE id = :id", id=user_id)

    def listed(*argv: str) -> list[UUID]:
        return [UUID(row["job_id"]) for row in objects(easel, "jobs", "list", *argv)]

    assert listed() == [second, failed, first]
    assert listed("--limit", "2") == [second, failed]
    assert listed("--state", "failed") == [failed]
    assert listed("--user", row.email.upper()) == [second, first]
    assert listed("--older-than", "30m") == [first]
    assert listed("--older-than", "2h") == []
    assert listed("--generator", "http://elsewhere:1") == [failed]
    assert listed("--state", "queued", "--user", row.email, "--older-than", "90s") == [first]
    code, lines = easel("jobs", "list", "--user", "nobody@example.com")
    assert (code, len(lines)) == (ExitCode.FAILED, 1)
    assert "no account of nobody@example.com" in lines[0]


def test_a_row_for_programs(easel: Easel, world: World) -> None:
    users = [world.user(), world.user()]
    jobs = [world.submit(user_id) for user_id in users]
    rows = {row["job_id"]: row for row in objects(easel, "jobs", "list")}
    assert [rows[str(job_id)]["queue_position"] for job_id in jobs] == [1, 2]
    row = rows[str(jobs[0])]
    assert set(row) == {
        "job_id", "state", "user", "created_at", "age_s",
        "queue_position", "generator", "attempts", "requeues", "reason",
    }  # fmt: skip
    assert row["created_at"].endswith("Z")
    assert 0 <= row["age_s"] < 60


def test_the_reason_for_which_a_job_waits_is_shown(easel: Easel, world: World) -> None:
    job_id = world.submit(world.user())
    world.poller.addresses = ()
    world.poller.sweep()
    [row] = objects(easel, "jobs", "list")
    assert row["reason"] == "No generator is configured."
    [shown] = objects(easel, "jobs", "show", str(job_id))
    assert shown["waiting"] == "No generator is configured."
    assert [(entry["event"], entry["code"]) for entry in shown["timeline"]] == [
        ("accepted", None),
        ("waiting", "no_generator"),
    ]
    world.sql("UPDATE wait_reasons SET ended_at = clock_timestamp()")
    assert objects(easel, "jobs", "list")[0]["reason"] is None
    [shown] = objects(easel, "jobs", "show", str(job_id))
    assert (shown["waiting"], len(shown["timeline"])) == (None, 2)


def test_everything_known_is_shown(easel: Easel, world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=3)
    job_id = world.send(prompt="маяк\x1b[2J")
    key = f"jobs/{job_id}/{uuid4()}/0.png"
    world.services.storage.put(key, b"12345", "image/png")
    world.hurry()
    assert world.poller.claim(job_id) is not None
    code, lines = easel("jobs", "show", str(job_id))
    assert code == ExitCode.DONE
    assert all(line.isprintable() for line in lines)
    assert "    маяк\\x1b[2J" in lines
    assert any(line.split()[:4] == ["claim", "of", "a", "worker"] for line in lines)
    assert f"    {key}  5 B  not part of the job" in lines
    [shown] = objects(easel, "jobs", "show", str(job_id))
    assert (shown["prompt"], shown["state"], shown["generator"]) == ("маяк\x1b[2J", "generating", generator.url)
    assert [entry["event"] for entry in shown["timeline"]][:3] == ["accepted", "started", "sent"]
    assert shown["objects"] == [{"key": key, "size_bytes": 5, "part": None}]
    world.expire_lease(job_id)
    assert any("ran out" in line for line in easel("jobs", "show", str(job_id))[1])


def test_an_unavailable_storage_hides_only_the_objects(
    easel: Easel, world: World, failed: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASEL_S3_ENDPOINT", "http://127.0.0.1:9")
    code, lines = easel("jobs", "show", str(failed))
    assert (code, lines[-1]) == (ExitCode.DONE, "    The storage does not answer, so they are unknown.")
    assert objects(easel, "jobs", "show", str(failed))[0]["objects"] is None


def test_a_failed_job_is_requeued(easel: Easel, world: World, failed: UUID) -> None:
    old = world.row(failed)
    assert used(world) == 0
    easel("jobs", "requeue", str(failed))
    row = world.row(failed)
    assert (row.state, row.attempts, row.crashes, row.requeues) == ("queued", 0, 0, 1)
    assert (row.error_code, row.finished_at, row.started_at) == (None, None, None)
    assert row.version == old.version + 1
    assert world.timeline(failed)[-1] == ("requeued", "The operators of this site did this.", "by_operator")
    assert used(world) == 1
    world.check_books()
    world.finish(failed)
    world.check_one_set(failed, 1)
    world.check_books()


def test_a_requeued_job_may_fail_again(easel: Easel, world: World, failed: UUID, generator: FakeGenerator) -> None:
    orders = generator.counts["initiated"]
    for _ in range(2):
        easel("jobs", "requeue", str(failed))
        generator.plans.extend([Plan(ending="error")] * MAX_ATTEMPTS)
        world.finish(failed)
        assert (world.state(failed), world.row(failed).attempts) == (State.FAILED, MAX_ATTEMPTS)
    assert generator.counts["initiated"] == orders + 2 * MAX_ATTEMPTS
    world.check_books()


def test_a_generator_with_keys_gets_a_new_request(easel: Easel, world: World, generator: FakeGenerator) -> None:
    """Under the old key the generator would return the failed request."""
    generator.extensions = ALL_EXTENSIONS
    generator.plans.extend([Plan(ending="error")] * MAX_ATTEMPTS)
    job_id = world.submit(world.user())
    world.finish(job_id)
    easel("jobs", "requeue", str(job_id))
    world.finish(job_id)
    assert (world.state(job_id), generator.counts["repeated"]) == (State.SUCCEEDED, 0)


def test_yesterdays_quota_is_not_charged_today(easel: Easel, world: World, failed: UUID) -> None:
    world.sql("UPDATE jobs SET quota_day = quota_day - 1")
    easel("jobs", "requeue", str(failed))
    assert used(world) == 0
    with world.services.db.begin() as connection:
        job_store.move(connection, failed, State.FAILED, Event.FAILED, reason=GENERATOR_FAILED)
    assert used(world) == 0


def test_it_queues_behind_its_users_other_jobs_and_no_newcomer(easel: Easel, world: World, failed: UUID) -> None:
    user_id = world.row(failed).user_id
    own, newcomer = world.submit(user_id), world.submit(world.user())
    easel("jobs", "requeue", str(failed))
    later = world.submit(user_id)
    queue = [row.id for row in world.sql("SELECT id FROM jobs WHERE state = 'queued' ORDER BY turn, id")]
    assert queue.index(own) < queue.index(failed) < queue.index(later)
    assert queue.index(newcomer) < queue.index(failed)


def test_a_job_stuck_at_its_generator_is_fenced(world: World, generator: FakeGenerator, at_generator: Services) -> None:
    """A worker holds the job while it is requeued: the worker's later writes have no effect."""
    generator.extensions = frozenset({"cancel"})
    generator.plan = Plan(polls=1)
    job_id = world.send()
    world.hurry()
    claim = world.poller.claim(job_id)
    assert claim is not None
    held = f"jobs/{job_id}/{claim.claim.attempt_token}/"
    world.services.storage.put(held + "0.png", b"12345", "image/png")
    assert admin_jobs.requeue(at_generator, job_id) == RequeueResult.DONE
    assert generator.counts["cancelled"] == 1
    row = world.row(job_id)
    assert (row.state, row.generator, row.remote_id, row.attempt_token) == ("queued", None, None, None)
    assert held in world.garbage()
    assert world.poller.work(claim) is None
    assert (world.state(job_id), world.images(job_id)) == ("queued", [])
    [room] = world.sql("SELECT count(*) FROM jobs WHERE state = 'generating'")
    assert room[0] == 0
    world.finish(job_id)
    world.check_one_set(job_id, 1)
    world.check_books()


def test_a_crashed_job_may_crash_again(easel: Easel, world: World) -> None:
    job_id = world.send()
    for _ in range(MAX_CRASHES):
        world.hurry()
        assert world.poller.claim(job_id) is not None or world.state(job_id) == State.FAILED
        world.expire_lease(job_id)
    world.poller.advance(job_id)
    assert world.row(job_id).error_code == "crashed_worker"
    assert easel("jobs", "requeue", str(job_id))[0] == ExitCode.DONE
    world.finish(job_id)
    assert world.state(job_id) == State.SUCCEEDED


def test_a_pending_mail_of_the_first_ending_is_not_sent_after_requeueing(world: World) -> None:
    job_id = world.submit(world.user(), notify="email")
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.FAILED, Event.FAILED, reason=GENERATOR_FAILED)
    assert world.sql("SELECT job_id FROM mails") == [(job_id,)]
    admin_jobs.requeue(world.services, job_id)
    assert world.sql("SELECT job_id FROM mails") == []
    world.finish(job_id)
    assert world.sql("SELECT job_id, attempts FROM mails") == [(job_id, 0)]


def put_into(world: World, state: State) -> UUID:
    job_id = world.submit(world.user())
    paths = {
        State.QUEUED: (),
        State.GENERATING: (State.GENERATING,),
        State.SUCCEEDED: (State.GENERATING, State.SUCCEEDED),
        State.CANCELLED: (State.CANCELLED,),
    }
    with world.services.db.begin() as connection:
        for to in paths[state]:
            job_store.move(connection, job_id, to, Event.STARTED if to == State.GENERATING else Event(to.value))
    return job_id


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (State.QUEUED, ExitCode.DONE, "is already in the queue"),
        (State.SUCCEEDED, ExitCode.FAILED, "second set"),
        (State.CANCELLED, ExitCode.FAILED, "was cancelled"),
    ],
)
def test_jobs_that_cannot_be_put_back(easel: Easel, world: World, state: State, code: ExitCode, words: str) -> None:
    job_id = put_into(world, state)
    before = world.row(job_id)
    found, lines = easel("jobs", "requeue", str(job_id))
    assert (found, len(lines)) == (code, 1)
    assert words in lines[0]
    assert world.row(job_id) == before


def test_a_job_being_cancelled_is_not_put_back(easel: Easel, world: World) -> None:
    job_id = put_into(world, State.GENERATING)
    with world.services.db.begin() as connection:
        assert job_store.request_cancel(connection, job_id)
    code, lines = easel("jobs", "requeue", str(job_id))
    assert (code, "cancellation was requested" in lines[0]) == (ExitCode.FAILED, True)
    assert world.state(job_id) == State.GENERATING


def test_a_job_of_a_disabled_account_is_not_put_back(easel: Easel, world: World, failed: UUID) -> None:
    [row] = world.sql("SELECT email FROM users")
    accounts.disable(world.services, row.email, None, hide=False)
    code, lines = easel("jobs", "requeue", str(failed))
    assert (code, "is disabled" in lines[0]) == (ExitCode.FAILED, True)
    assert world.state(failed) == State.FAILED


def test_only_one_of_many_parallel_requeues_succeeds(world: World, failed: UUID) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: admin_jobs.requeue(world.services, failed), range(8)))
    assert sorted(outcomes) == [RequeueResult.ALREADY_QUEUED] * 7 + [RequeueResult.DONE]
    assert world.row(failed).requeues == 1
    world.check_books()


def test_putting_back_at_any_moment_never_makes_two_sets(
    world: World, generator: FakeGenerator, at_generator: Services
) -> None:
    """Two pollers work at full speed while an operator requeues every possible job, a hundred times."""
    generator.plan = Plan(polls=2)
    jobs = [world.submit(world.user(), n=2) for _ in range(6)]
    ended = threading.Event()

    def work() -> None:
        poller = Poller(world.services, (generator.address,))
        while not ended.is_set():
            with suppress(Unavailable):  # the database aborts one of two in a deadlock
                world.hurry()
                for job_id in poller.sweep():
                    poller.advance(job_id)
        poller.close_clients()

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(work) for _ in range(2)]
        outcomes = [admin_jobs.requeue(at_generator, jobs[turn % 6]) for turn in range(100)]
        ended.set()
        for worker in workers:
            worker.result(timeout=60)
    assert RequeueResult.DONE in outcomes
    world.finish(*jobs, rounds=200)
    assert {world.state(job_id) for job_id in jobs} == {State.SUCCEEDED}
    for job_id in jobs:
        world.check_one_set(job_id, 2)
    world.check_books()


def test_a_waiting_job_is_cancelled_immediately(easel: Easel, world: World) -> None:
    job_id = world.submit(world.user())
    code, lines = easel("jobs", "cancel", str(job_id))
    assert (code, "is cancelled" in lines[0]) == (ExitCode.DONE, True)
    assert world.timeline(job_id)[-1] == ("cancelled", "The operators of this site did this.", "by_operator")
    assert used(world) == 0
    assert easel("jobs", "cancel", str(job_id)) == (
        ExitCode.DONE,
        [f"{job_id} was cancelled before; nothing has changed."],
    )
    world.check_books()


def test_a_running_job_is_cancelled_with_its_next_step(easel: Easel, world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=50)
    job_id = world.send()
    code, lines = easel("jobs", "cancel", str(job_id))
    assert (code, "next step" in lines[0]) == (ExitCode.DONE, True)
    assert world.timeline(job_id)[-1] == ("cancel_requested", "The operators of this site did this.", "by_operator")
    world.step(job_id)
    assert world.state(job_id) == State.CANCELLED
    world.check_books()


def test_an_ended_job_is_not_cancelled(easel: Easel, world: World, failed: UUID) -> None:
    for job_id in (put_into(world, State.SUCCEEDED), failed):
        before = world.row(job_id)
        code, lines = easel("jobs", "cancel", str(job_id))
        assert (code, "nothing left to cancel" in lines[0]) == (ExitCode.FAILED, True)
        assert world.row(job_id) == before


def test_a_closed_output_pipe_is_no_error(environment: dict[str, str], world: World) -> None:
    world.submit(world.user())
    argv = [sys.executable, "-m", "cli.easel", "jobs", "list"]
    with subprocess.Popen(
        argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        complaints = process.stderr.read()
    assert (process.returncode, complaints) == (ExitCode.DONE, "")


@pytest.mark.parametrize("command", ["show", "requeue", "cancel"])
def test_no_such_job_is_code_1(easel: Easel, world: World, command: str) -> None:
    name = str(uuid4())
    assert easel("jobs", command, name) == (
        ExitCode.FAILED,
        [f"easel: There is no job {name}; perhaps its owner has deleted it."],
    )


@pytest.mark.parametrize(
    "argv",
    [
        ["jobs"],
        ["jobs", "show"],
        ["jobs", "show", "no-id"],
        ["jobs", "list", "--state", "lost"],
        ["jobs", "list", "--user", "nobody"],
        *(["jobs", "list", "--older-than", span] for span in ("10", "m", "-1m", "1.5h", "9999999d", "١m", "1w")),
        ["jobs", "list", "--limit", "1001"],
    ],
    ids=" ".join,
)
def test_invalid_usage_is_code_2(easel: Easel, argv: list[str]) -> None:
    code, lines = easel(*argv)
    assert code == ExitCode.USAGE_ERROR
    assert lines[0].startswith("usage: easel jobs")


def test_an_unavailable_broker_does_not_matter(
    easel: Easel, world: World, failed: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASEL_BROKER_URL", "redis://127.0.0.1:1/0")
    assert easel("jobs", "requeue", str(failed))[0] == ExitCode.DONE
    world.finish(failed)
