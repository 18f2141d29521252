"""The queue's counters: right after every statement, and close to the truth about every place."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from shared.admin import job_overview
from shared.admin import jobs as admin_jobs
from shared.jobs import depth
from shared.jobs import store as job_store
from tests.support.world import LIMITS, AnyRow, World

_ALL_KINDS = ("img_generator", "img_generator,openai", "glide")
_WAITING = "INSERT INTO jobs (user_id, prompt, settings, quota_day, protocols, cost, turn) "


def fold(world: World) -> None:
    with world.services.db.statement() as connection:
        depth.fold(connection, at_least=0)


def counters(world: World) -> dict[str, int]:
    query = "SELECT protocols, sum(jobs)::int AS jobs FROM queue_depth WHERE protocols IS NOT NULL GROUP BY protocols"
    return {row.protocols: row.jobs for row in world.sql(query) if row.jobs}


def check_counters(world: World) -> None:
    """Check the sums: by kind, and over all start tags."""
    counted = world.sql("SELECT protocols, count(*) AS jobs FROM jobs WHERE state = 'queued' GROUP BY protocols")
    assert counters(world) == {row.protocols: row.jobs for row in counted}
    [tags] = world.sql("SELECT sum(jobs) AS jobs, sum(cost) AS cost FROM queue_depth WHERE low IS NOT NULL")
    [queue] = world.sql("SELECT count(*) AS jobs, coalesce(sum(cost), 0) AS cost FROM jobs WHERE state = 'queued'")
    assert (tags.jobs or 0) == queue.jobs
    assert (tags.cost or 0) == pytest.approx(queue.cost, abs=1e-3)


def insert_many(world: World, user_id: UUID, chance: random.Random, jobs: int, *, reach: float = 1000) -> None:
    """Add jobs in a single statement, with costs from 0.01 to 1000, and most start tags near the front."""
    query = "SELECT :user_id, 'x', '{}', current_date, * FROM unnest(:kinds, CAST(:costs AS float[]), :turns)"
    world.sql(
        _WAITING + query,
        user_id=user_id,
        kinds=chance.choices(_ALL_KINDS, (6, 3, 1), k=jobs),
        costs=[10 ** chance.uniform(-2, 3) for _ in range(jobs)],
        turns=[reach * chance.random() ** 3 for _ in range(jobs)],
    )


class Users:
    """What users, operators and pollers do to the queue, by chance."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.user_ids = [world.user(weight=weight) for weight in (1, 1, 0.1, 30)]
        self.importer = world.user()

    def act(self) -> None:
        actions: list[Callable[[], object]] = [
            self.submit, self.submit, self.start, self.cancel, self.requeue, self.move_tags, self.change_kind,
            self.delete, self.insert, self.cancel_many, self.fold, self.roll_back,
        ]  # fmt: skip
        self.chance.choice(actions)()

    def pick(self, state: str) -> UUID | None:
        found = self.world.sql("SELECT id FROM jobs WHERE state = :state ORDER BY id", state=state)
        return self.chance.choice(found).id if found else None

    def submit(self) -> None:
        self.world.submit(self.chance.choice(self.user_ids), steps=self.chance.randint(1, 40))

    def start(self) -> None:
        self.world.poller.start()

    def cancel(self) -> None:
        if job_id := self.pick("queued"):
            admin_jobs.cancel(self.world.services, job_id)

    def requeue(self) -> None:
        if job_id := self.pick("generating"):
            admin_jobs.requeue(self.world.services, job_id)

    def move_tags(self) -> None:
        user_id = self.chance.choice(self.user_ids)
        self.world.sql("UPDATE jobs SET turn = turn + 3.7 WHERE user_id = :user_id", user_id=user_id)

    def change_kind(self) -> None:
        if job_id := self.pick("queued"):
            self.world.sql("UPDATE jobs SET protocols = 'glide', cost = 2 * cost WHERE id = :id", id=job_id)

    def delete(self) -> None:
        if job_id := self.pick(self.chance.choice(["queued", "cancelled"])):
            self.world.sql("DELETE FROM jobs WHERE id = :id", id=job_id)

    def insert(self) -> None:
        insert_many(self.world, self.importer, self.chance, self.chance.choice([2, 300, 3000]))
        self.count_users()

    def cancel_many(self) -> None:
        self.world.sql(
            "UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE state = 'queued' AND turn < :turn",
            turn=self.chance.uniform(0, 300),
        )
        self.count_users()

    def count_users(self) -> None:
        self.world.sql("""
            UPDATE users SET queued = count.queued, quota_used = count.quota FROM (
                SELECT u.id, count(*) FILTER (WHERE state = 'queued') AS queued,
                    count(*) FILTER (WHERE state NOT IN ('failed', 'cancelled')) AS quota
                FROM users u LEFT JOIN jobs j ON j.user_id = u.id GROUP BY u.id
            ) count WHERE count.id = users.id
        """)

    def fold(self) -> None:
        fold(self.world)

    def roll_back(self) -> None:
        with self.world.services.db.begin() as connection:
            connection.execute(text("DELETE FROM jobs WHERE cost < 10"))
            depth.fold(connection, at_least=0)
            connection.rollback()


@pytest.mark.parametrize("seed", range(6))
def test_counters_are_right_after_every_statement(world: World, seed: int) -> None:
    users = Users(world, seed)
    for _ in range(40):
        users.act()
        check_counters(world)
    world.sql("DELETE FROM users WHERE id = :id", id=users.user_ids[0])
    check_counters(world)
    world.sql("DELETE FROM jobs")
    check_counters(world)
    fold(world)
    assert world.sql("SELECT FROM queue_depth") == [], "an empty queue leaves nothing behind"


def test_truncating_the_jobs_empties_the_queue(world: World) -> None:
    world.submit(world.user())
    world.sql("TRUNCATE jobs CASCADE")
    check_counters(world)


def test_a_statement_adds_few_rows_however_many_jobs_it_adds(world: World) -> None:
    chance = random.Random(1)
    insert_many(world, world.user(), chance, 5000)
    [row] = world.sql("SELECT count(*) AS rows FROM queue_depth")
    assert row.rows <= 128 * len(_ALL_KINDS)
    check_counters(world)
    world.sql("DELETE FROM jobs WHERE turn < 500")
    check_counters(world)


def test_rows_stay_few_without_a_poller(world: World) -> None:
    user_id = world.user()
    for _ in range(8):
        world.sql(
            """DO $$ BEGIN FOR i IN 1..1000 LOOP
                INSERT INTO jobs (user_id, prompt, settings, quota_day, cost, turn)
                SELECT id, 'x', '{}', current_date, 1, i FROM users;
            END LOOP; END $$"""
        )
    check_counters(world)
    [row] = world.sql("SELECT count(*) AS rows FROM queue_depth")
    assert row.rows < 4000
    assert counters(world) == {"img_generator": 8000}, user_id


def errors(world: World, sample: int) -> tuple[float, float]:
    """Return the largest error of a place and of the cost ahead, as parts of the queue's length and cost."""
    queue = world.sql("SELECT id, turn, cost FROM jobs WHERE state = 'queued' ORDER BY turn, id")
    costs = [0.0, *accumulate(row.cost for row in queue)]
    places = {row.id: place for place, row in enumerate(queue)}
    asked = queue[:: max(len(queue) // sample, 1)]
    with world.services.db.statement() as connection:
        found = look(connection, asked)
    assert set(found) == {row.id for row in asked}
    exact = [row for job_id, row in found.items() if places[job_id] <= 1000]
    assert not [row for row in exact if row.is_estimate]
    assert [row.jobs for row in exact] == [places[row.id] for row in exact]
    assert [row.cost for row in exact] == pytest.approx([costs[places[row.id]] for row in exact])
    return (
        max(abs(row.jobs - places[row.id]) for row in found.values()) / len(queue),
        max(abs(row.cost - costs[places[row.id]]) for row in found.values()) / costs[-1],
    )


def look(connection: Connection, jobs: list[AnyRow]) -> dict[UUID, AnyRow]:
    query = text("SELECT * FROM queue_ahead(:ids, :turns)")
    rows = connection.execute(query, {"ids": [job.id for job in jobs], "turns": [job.turn for job in jobs]})
    return {row.id: row for row in rows}


@pytest.mark.parametrize("seed", range(2))
def test_places_are_close_to_the_truth(world: World, seed: int) -> None:
    chance = random.Random(seed)
    user_id = world.user()
    insert_many(world, user_id, chance, 12_000)
    # A heavy user reaches far behind everyone else.
    insert_many(world, user_id, chance, 4_000, reach=100_000)
    insert_many(world, user_id, chance, 4_000, reach=10)
    assert max(errors(world, 50)) < 0.03, "before any fold"
    for _ in range(6):
        world.sql(
            "UPDATE jobs SET state = 'generating' WHERE id IN"
            " (SELECT id FROM jobs WHERE state = 'queued' ORDER BY turn, id LIMIT 900)"
        )
        fold(world)
        insert_many(world, user_id, chance, 100, reach=chance.choice([20, 2000]))
        for turn in (chance.uniform(0, 1000) for _ in range(60)):
            world.sql(_WAITING + "VALUES (:user_id, 'x', '{}', now(), 'glide', 500, :turn)", user_id=user_id, turn=turn)
        fold(world)
        assert max(errors(world, 50)) < 0.03
    [row] = world.sql("SELECT count(*) AS rows FROM queue_depth")
    assert row.rows < 300
    check_counters(world)


def test_a_place_is_exact_up_to_the_thousandth(world: World) -> None:
    insert_many(world, world.user(), random.Random(5), 2500)
    queue = world.sql("SELECT id, turn FROM jobs WHERE state = 'queued' ORDER BY turn, id")
    with world.services.db.statement() as connection:
        together = look(connection, [*queue[::500], queue[1001]])
        alone = {place: look(connection, [queue[place]])[queue[place].id] for place in (0, 1000, 1001, 2000)}
    assert [(row.jobs, row.is_estimate) for row in (alone[0], alone[1000])] == [(0, False), (1000, False)]
    assert [row.is_estimate for row in (alone[1001], alone[2000])] == [True, True]
    assert alone[1001].jobs > 1000
    assert [together[queue[place].id].is_estimate for place in (0, 500, 1000, 1001, 1500)] == [
        *[False] * 3,
        *[True] * 2,
    ]
    assert together[queue[500].id].jobs == 500


def test_jobs_with_the_same_start_tag_have_different_places(world: World) -> None:
    query = "SELECT :user_id, 'x', '{}', current_date, 'glide', 1, 7 FROM generate_series(1, 2500)"
    world.sql(_WAITING + query, user_id=world.user())
    fold(world)
    check_counters(world)
    queue = world.sql("SELECT id, turn FROM jobs ORDER BY id")
    with world.services.db.statement() as connection:
        found = look(connection, [queue[0], queue[4], queue[999]])
    assert [found[queue[place].id].jobs for place in (0, 4, 999)] == [0, 4, 999]


def test_a_page_of_waiting_jobs_is_one_look(world: World) -> None:
    waiting, user_id = 20_000, world.user()
    job_ids = [world.submit(user_id) for _ in range(20)]
    insert_many(world, world.user(), random.Random(2), waiting, reach=1)
    with world.services.db.statement() as connection:
        connection.execute(text("VACUUM ANALYZE jobs"))  # the index has entries of earlier tests' jobs at its front
    fold(world)
    world.sql("UPDATE jobs SET turn = 0.05 WHERE id = :id", id=job_ids[0])
    with world.services.db.begin() as connection:
        before = scans(connection)
        found = job_store.list_views(connection, user_id, state=None, before=None, limit=50)
        between = scans(connection)
        last = job_store.find_view(connection, job_ids[-1], user_id)
        after = scans(connection)
    assert [job.outlook.position is not None for job in found] == [True] * 20
    assert (between - before)["looks"] == 1
    assert (between - before)["jobs"] <= 1001 + 2 * len(job_ids)
    assert last is not None
    assert last.outlook.is_estimate
    assert last.outlook.position is not None
    query = "SELECT count(*) AS ahead FROM jobs WHERE turn < (SELECT turn FROM jobs WHERE id = :id)"
    [true] = world.sql(query, id=job_ids[-1])
    assert abs(last.outlook.position - true.ahead) < waiting / 33
    assert (after - between)["looks"] == 1
    assert (after - between)["jobs"] <= 1001 + 3, "a look from far behind reads only the front, and the job's group"


def scans(connection: Connection) -> Counter[str]:
    """Count the scans of the counters and the jobs read, also from indexes, by this connection so far."""
    query = text("""
        SELECT (SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'queue_depth') AS looks,
            (SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'jobs') + (
                SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) FROM pg_index
                WHERE indrelid = 'jobs'::regclass
            ) AS jobs
    """)
    return Counter(connection.execute(query).one()._asdict())


def test_operators_see_the_same_places(world: World) -> None:
    user_id = world.user()
    job_ids = [world.submit(user_id) for _ in range(3)]
    listed = job_overview.list_jobs(world.services, limit=10)
    assert [(job.id, job.position) for job in listed] == [(job_ids[2], 3), (job_ids[1], 2), (job_ids[0], 1)]
    assert [job_overview.get_job(world.services, job_id).position for job_id in job_ids] == [1, 2, 3]


def test_folds_beside_submits_lose_nothing(world: World) -> None:
    submitted = threading.Event()
    user_ids = [world.user() for _ in range(3)]
    assert LIMITS["max_queued"] >= 150

    def submit_many(user_id: UUID) -> None:
        for _ in range(150):
            world.submit(user_id)

    def fold_on() -> int:
        folds = 0
        while not submitted.is_set():
            fold(world)
            folds += 1
        return folds

    with ThreadPoolExecutor() as threads:
        folding = [threads.submit(fold_on) for _ in range(2)]
        submits = [threads.submit(submit_many, user_id) for user_id in user_ids]
        try:
            for done in submits:
                done.result()
        finally:
            submitted.set()
        assert min(one.result() for one in folding) > 0
    check_counters(world)
    fold(world)
    check_counters(world)
    assert counters(world) == {world.new_job().protocols: 450}


def test_a_fold_does_not_wait_for_another(world: World) -> None:
    world.submit(world.user())
    with world.services.db.begin() as connection:
        depth.fold(connection, at_least=0)
        world.submit(world.user())
        rows = world.sql("SELECT id FROM queue_depth ORDER BY id")
        fold(world)
        assert world.sql("SELECT id FROM queue_depth ORDER BY id") == rows, "the second fold gives way"
    check_counters(world)


def test_the_sweep_folds_once_enough_has_changed(world: World) -> None:
    few, many = depth.WAITING_CHANGES // 2, 2 * depth.WAITING_CHANGES
    one_by_one = """DO $$ BEGIN FOR i IN 1..{} LOOP
        UPDATE jobs SET turn = turn + 1 WHERE state = 'queued';
    END LOOP; END $$"""
    world.submit(world.user())
    world.poller.addresses = ()  # so that the job stays queued
    world.sql(one_by_one.format(few // 2))
    world.poller.sweep()
    [before] = world.sql("SELECT count(*) AS rows FROM queue_depth")
    assert before.rows >= few
    world.sql(one_by_one.format(many // 2))
    world.poller.sweep()
    [after] = world.sql("SELECT count(*) AS rows FROM queue_depth")
    assert after.rows == 2, "one bucket and one total"
    check_counters(world)
