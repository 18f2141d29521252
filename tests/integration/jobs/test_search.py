"""A search does not read more of a user's jobs than it needs for the page."""

from uuid import UUID

from sqlalchemy import text

from shared.accounts import service as accounts
from shared.accounts.auth import Credential
from shared.accounts.tokens import token_hash
from shared.jobs import store as job_store
from shared.jobs import submission
from tests.support.world import World

_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'jobs'"


def test_a_page_of_common_words_reads_only_the_newest_jobs(world: World) -> None:
    user_id, many = world.user(), 20_000
    world.submit(user_id, prompt="a Lighthouse at NIGHT")
    world.submit(user_id, prompt="something else")
    world.sql(
        "INSERT INTO jobs (user_id, state, finished_at, prompt, settings, cost, turn, quota_day)"
        " SELECT user_id, 'cancelled', now(), prompt, settings, cost, turn, quota_day"
        " FROM jobs, generate_series(2, :many) AS place ORDER BY place",
        many=many,
    )
    world.sql("ANALYZE jobs")
    limit = 21
    with world.services.db.begin() as connection:
        # Often enough that Postgres keeps a plan for any words.
        for times in range(1, 8):
            rows = job_store.list_views(
                connection, user_id, state=None, words=["night", "HOUSE"], before=None, limit=limit
            )
            assert len(rows) == limit
            assert {row.prompt for row in rows} == {"a Lighthouse at NIGHT"}
            assert connection.execute(text(_READ)).scalar_one() < times * many / 10


def test_rare_words_are_searched_in_parts(world: World) -> None:
    """Each page reads a limited number of jobs; together the pages find every match once, in order."""
    services = world.services
    hashed = token_hash(accounts.sign_up(services, "someone@example.com", "a long sentence").token)
    assert hashed is not None
    credential = Credential(hashed)
    user_id = world.sql("SELECT id FROM users")[0].id
    first = world.submit(user_id, prompt="a lighthouse")
    world.sql(
        "INSERT INTO jobs (user_id, state, finished_at, prompt, settings, cost, turn, quota_day)"
        " SELECT user_id, 'cancelled', now(), 'something else', settings, cost, turn, quota_day"
        " FROM jobs, generate_series(2, :many)",
        many=6 * job_store.SEARCHED + 10,
    )
    last = world.submit(user_id, prompt="a lighthouse at night")
    world.sql("ANALYZE jobs")

    def pages(search: str, state: str | None = None) -> list[list[str]]:
        found, before = [], None
        while True:
            jobs, after = submission.list_jobs(
                services, credential, state=state, search=search, before=before, limit=20
            )
            found.append([job.id for job in jobs])
            if after is None:
                return found
            before = UUID(after)

    assert pages("lighthouse") == [[str(last)], *[[]] * 5, [str(first)]]
    assert pages("", "queued") == [[str(last)], *[[]] * 5, [str(first)]]
    assert pages("nowhere") == [[]] * 7
    with services.db.begin() as connection:
        reads = connection.execute(text(_READ)).scalar_one()
        since = job_store.find_search_end(connection, credential.token_hash, None)
        job_store.list_views(connection, user_id, state=None, words=["nowhere"], before=None, since=since, limit=21)
        assert connection.execute(text(_READ)).scalar_one() - reads <= 4 * job_store.SEARCHED
