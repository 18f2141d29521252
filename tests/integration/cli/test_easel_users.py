"""`easel users` against the real database: accounts, quotas, weights, disabling and enabling."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from cli.exit_codes import ExitCode
from shared.accounts import api_tokens, token_store
from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.auth import Credential
from shared.accounts.tokens import new_token, token_hash
from shared.admin import accounts as admin_accounts
from shared.api.schemas import JobRequest
from shared.core.errors import AccountDisabled, EaselError, QuotaSpent
from shared.gallery import service as gallery
from shared.jobs import submission
from shared.jobs.states import State
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.easel_command import Easel, objects
from tests.support.world import World

REQUEST = JobRequest.model_validate({"prompt": "a lighthouse", "width": 64, "height": 64, "steps": 1})


class Person:
    """An account with a session, created without the slow password hash."""

    def __init__(self, world: World, email: str = "ada@example.com") -> None:
        self._services, self.email = world.services, email
        hashed = token_hash(new_token())
        assert hashed is not None
        self.credential = Credential(hashed)
        with world.services.db.begin() as connection:
            self.id = user_store.create(connection, email, "no password").id
            token_store.create_token(connection, self.id, hashed, kind="session", name=None, lifetime_s=3600)

    def submit(self, key: str | None = None) -> UUID:
        return UUID(submission.submit(self._services, self.credential, REQUEST, key).id)

    def quota(self) -> accounts.Quota:
        return accounts.get_account(self._services, self.credential).quota


@pytest.fixture
def ada(world: World) -> Person:
    return Person(world)


def test_it_works(easel: Easel, world: World, ada: Person) -> None:
    ada.submit()
    code, lines = easel("users", "list")
    assert code == ExitCode.DONE
    assert lines[0].split() == ["USER", "SINCE", "TODAY", "QUEUED", "RUNNING", "WEIGHT", "CONFIRMED", "DISABLED"]
    assert lines[1].split()[0] == "ada@example.com"
    assert lines[1].split()[3:] == ["1", "of", "200", "1", "0", "1", "no", "-"]
    assert easel("users", "confirm", "ada@example.com") == (ExitCode.DONE, ["ada@example.com is confirmed."])
    again = "ada@example.com was confirmed before; nothing has changed."
    assert easel("users", "confirm", "ada@example.com")[1] == [again]
    assert easel("users", "list")[1][1].split()[-2:] == ["yes", "-"]
    assert easel("users", "quota", "ada@example.com", "3") == (
        ExitCode.DONE,
        ["ada@example.com may make 3 jobs a day from now on."],
    )
    code, lines = easel("users", "disable", "Ada@Example.com", "--reason", "spam\x1b[2J")
    assert (code, lines[0]) == (ExitCode.DONE, "ada@example.com is disabled.")
    assert lines[1].startswith("Waiting jobs cancelled: 1.")
    [row] = objects(easel, "users", "list")
    assert row["confirmed_at"] is not None
    assert (row["jobs_today"], row["jobs_per_day"], row["own_quota"], row["queued"]) == (0, 3, True, 0)
    assert (row["disabled_at"] is not None, row["disabled_reason"]) == (True, "spam\\x1b[2J")
    assert "0 of 3*" in easel("users", "list")[1][1]
    code, lines = easel("users", "enable", "ada@example.com")
    assert (code, "can log in again" in lines[0]) == (ExitCode.DONE, True)
    ada.submit()


def test_accounts_are_found_by_a_part_of_their_address(easel: Easel, world: World, ada: Person) -> None:
    Person(world, "bob_%@example.com")
    assert [row["email"] for row in objects(easel, "users", "list")] == ["bob_%@example.com", "ada@example.com"]
    for text, found in (("ADA", ["ada@example.com"]), ("_%", ["bob_%@example.com"]), ("zoe", [])):
        assert [row["email"] for row in objects(easel, "users", "list", "--search", text)] == found
    assert easel("users", "list", "--search", "zoe") == (ExitCode.DONE, ["There is no such account."])
    assert len(objects(easel, "users", "list", "--limit", "1")) == 1


def test_an_individual_quota_is_kept_and_shown(easel: Easel, world: World, ada: Person) -> None:
    easel("users", "quota", ada.email, "2")
    assert ada.quota().per_day == 2
    ada.submit()
    ada.submit("a key")
    assert ada.quota().left_today == 0
    with pytest.raises(QuotaSpent, match="today's 2 jobs"):
        ada.submit()
    assert ada.submit("a key") is not None
    Person(world, "bob@example.com").submit()
    code, lines = easel("users", "quota", ada.email, "default")
    assert (code, "200 jobs a day again" in lines[0]) == (ExitCode.DONE, True)
    ada.submit()
    assert (ada.quota().per_day, ada.quota().left_today) == (200, 197)


def test_a_quota_may_exceed_the_sites(easel: Easel, world: World, ada: Person) -> None:
    world.sql("UPDATE users SET quota_day = (now() AT TIME ZONE 'utc')::date, quota_used = 200")
    with pytest.raises(QuotaSpent):
        ada.submit()
    easel("users", "quota", ada.email, "201")
    ada.submit()
    with pytest.raises(QuotaSpent):
        ada.submit()


def test_a_weight_affects_the_next_jobs(easel: Easel, world: World, ada: Person) -> None:
    ada.submit()
    code, lines = easel("users", "weight", ada.email, "4")
    assert (code, lines) == (ExitCode.DONE, ["The next jobs of ada@example.com have the weight 4."])
    for _ in range(2):
        ada.submit()
    turns = [row.turn for row in world.sql("SELECT turn FROM jobs ORDER BY id")]
    [row] = world.sql("SELECT next_turn FROM users")
    assert turns[1] - turns[0] == pytest.approx(4 * (turns[2] - turns[1]))
    assert row.next_turn - turns[2] == pytest.approx(turns[2] - turns[1])


def test_a_disabled_account_can_do_nothing_and_loses_nothing(
    easel: Easel, world: World, ada: Person, generator: FakeGenerator
) -> None:
    bob = Person(world, "bob@example.com")
    done = ada.submit()
    world.finish(done)
    generator.plan = Plan(polls=50)
    running = ada.submit()
    assert running in world.poller.start()
    world.step(running)
    waiting, of_bob = [ada.submit() for _ in range(3)], bob.submit()
    code, lines = easel("users", "disable", ada.email)
    assert (code, lines[1]) == (
        ExitCode.DONE,
        "Waiting jobs cancelled: 3. Running jobs that end with their next step: 1.",
    )
    calls = (
        ada.submit,
        lambda: ada.submit("a key"),
        ada.quota,
        lambda: submission.get_job(world.services, ada.credential, done),
        lambda: submission.list_jobs(world.services, ada.credential, state=None, search="", before=None, limit=9),
        lambda: submission.cancel(world.services, ada.credential, running),
        lambda: submission.delete(world.services, ada.credential, done),
        lambda: api_tokens.create_api_token(world.services, ada.credential, "a program"),
    )
    for call in calls:
        with pytest.raises(AccountDisabled):
            call()
    assert {world.state(job_id) for job_id in waiting} == {State.CANCELLED}
    assert world.timeline(waiting[0])[-1].code == "account_disabled"
    world.step(running)
    assert world.state(running) == State.CANCELLED
    assert world.state(of_bob) == State.QUEUED
    world.check_books()
    easel("users", "enable", ada.email)
    assert len(submission.get_job(world.services, ada.credential, done).images) == 1
    assert ada.quota().left_today == 199


def test_a_disabled_account_is_reported_only_after_the_password(world: World, ada: Person) -> None:
    """A wrong password gets the same answer as for any account."""
    session = accounts.sign_up(world.services, "eve@example.com", "four unusual words here")
    assert session.user.disabled is False
    admin_accounts.disable(world.services, "eve@example.com", None, hide=False)
    with pytest.raises(EaselError) as refusal:
        accounts.log_in(world.services, "eve@example.com", "five unusual words here")
    assert refusal.value.code == "bad_credentials"
    with pytest.raises(AccountDisabled):
        accounts.log_in(world.services, "eve@example.com", "four unusual words here")
    assert world.sql("SELECT count(*) FROM tokens WHERE user_id = :id", id=session.user.id) == [(1,)]
    admin_accounts.enable(world.services, "eve@example.com")
    assert accounts.log_in(world.services, "eve@example.com", "four unusual words here").user.id == session.user.id


def test_published_jobs_stay_unless_hidden(easel: Easel, world: World, ada: Person) -> None:
    jobs = [ada.submit() for _ in range(3)]
    world.finish(*jobs)
    world.sql("UPDATE jobs SET published_at = clock_timestamp() WHERE id = ANY(:ids)", ids=jobs[:2])

    def shown() -> int:
        return len(gallery.list_gallery(world.services, cursor=None, limit=9)[0])

    easel("users", "disable", ada.email)
    assert shown() == 2
    assert easel("users", "disable", ada.email, "--hide")[1] == [
        "ada@example.com was disabled before.",
        "Waiting jobs cancelled: 0. Running jobs that end with their next step: 0.",
        "Jobs taken out of the gallery: 2.",
    ]
    assert shown() == 0
    easel("users", "enable", ada.email)
    assert shown() == 0
    easel("gallery", "restore", str(jobs[0]))
    assert shown() == 1


def test_repeating_it_finishes_an_interrupted_run(easel: Easel, world: World, ada: Person) -> None:
    waiting = ada.submit()
    with world.services.db.begin() as connection:
        assert user_store.disable(connection, ada.email, "spam") is not None
    [before] = world.sql("SELECT disabled_at FROM users")
    assert world.state(waiting) == State.QUEUED
    assert easel("users", "disable", ada.email)[1][0] == "ada@example.com was disabled before."
    assert world.state(waiting) == State.CANCELLED
    assert world.sql("SELECT disabled_at, disabled_reason FROM users") == [(before.disabled_at, "spam")]


def test_a_concurrent_submit_is_refused(world: World, ada: Person) -> None:
    """It read the account before the change was written, and waits for the lock on the user's row."""
    with ThreadPoolExecutor(1) as pool:
        with world.services.db.begin() as connection:
            user_store.disable(connection, ada.email, None)
            submit = pool.submit(ada.submit)
            world.until_one_waits()
        with pytest.raises(AccountDisabled):
            submit.result(timeout=30)
    assert world.sql("SELECT count(*) FROM jobs") == [(0,)]
    world.check_books()


def test_an_earlier_submit_is_cancelled(world: World, ada: Person) -> None:
    """Threads submit without a pause while the account is disabled; afterwards none of their jobs is queued."""
    busy, ended = threading.Event(), threading.Event()

    def keep_submitting(_: int) -> int:
        made = 0
        while not ended.is_set():
            try:
                ada.submit()
            except AccountDisabled:
                break
            made += 1
            busy.set()
        return made

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(keep_submitting, number) for number in range(4)]
        assert busy.wait(30)
        admin_accounts.disable(world.services, ada.email, None, hide=False)
        left = world.sql("SELECT count(*) FROM jobs WHERE state = 'queued'")
        ended.set()
        made = sum(future.result(timeout=30) for future in running)
    assert left == [(0,)]
    assert world.sql("SELECT count(*), count(*) FILTER (WHERE state = 'cancelled') FROM jobs") == [(made, made)]
    world.check_books()


@pytest.mark.parametrize(
    "argv",
    [["quota", "3"], ["weight", "2"], ["disable"], ["enable"], ["without-second-factor"]],
    ids=lambda argv: str(argv[0]),
)
def test_no_such_account_is_code_1(easel: Easel, world: World, argv: list[str]) -> None:
    code, lines = easel("users", argv[0], "nobody@example.com", *argv[1:])
    assert (code, len(lines)) == (ExitCode.FAILED, 1)
    assert "There is no account of nobody@example.com." in lines[0]


def test_a_second_factor_is_switched_off(easel: Easel, world: World, ada: Person) -> None:
    world.sql("INSERT INTO second_factors VALUES (:id, 'x', 0, now()) RETURNING 1", id=ada.id)
    argv = ("users", "without-second-factor", "Ada@Example.com")
    assert easel(*argv) == (ExitCode.DONE, ["ada@example.com logs in with the password only."])
    assert world.sql("SELECT kind FROM account_mails") == [("second_factor_off",)]
    assert easel(*argv) == (ExitCode.DONE, ["ada@example.com had no second factor; nothing has changed."])


def test_enabling_an_enabled_account_changes_nothing(easel: Easel, ada: Person) -> None:
    assert easel("users", "enable", ada.email) == (
        ExitCode.DONE,
        ["ada@example.com was not disabled; nothing has changed."],
    )


@pytest.mark.parametrize(
    "argv",
    [
        ["users"],
        *(["users", "quota", "ada@example.com", jobs] for jobs in ("0", "-1", "1000001", "many", "")),
        *(["users", "weight", "ada@example.com", weight] for weight in ("0", "-1", "101", "nan", "1e1", "0.001")),
        ["users", "disable"],
        ["users", "disable", "nobody"],
        ["users", "disable", "ada@example.com", "--reason", "x" * 501],
        ["users", "disable", "ada@example.com", "--reason", " "],
    ],
    ids=lambda argv: " ".join(argv)[:40],
)
def test_invalid_usage_is_code_2(easel: Easel, argv: list[str]) -> None:
    code, lines = easel(*argv)
    assert code == ExitCode.USAGE_ERROR
    assert lines[0].startswith("usage: easel users")
