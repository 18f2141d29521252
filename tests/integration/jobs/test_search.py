"""A search does not read more of a user's jobs than it needs for the page."""

from sqlalchemy import text

from shared.jobs import store as job_store
from tests.support.world import World

_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'jobs'"


def test_a_page_of_common_words_reads_only_the_newest_jobs(world: World) -> None:
    user_id, many = world.user(), 5000
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
