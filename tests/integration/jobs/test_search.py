"""A search does not read more of a user's jobs than it needs for the page."""

from typing import Any

from sqlalchemy import text

from shared.jobs import store as job_store
from tests.support.world import World


def test_a_page_of_common_words_reads_only_the_newest_jobs(world: World) -> None:
    user_id, many = world.user(), 5000
    world.submit(user_id, prompt="a Lighthouse at NIGHT")
    world.submit(user_id, prompt="something else")
    world.sql(
        "INSERT INTO jobs (user_id, prompt, settings, cost, turn, quota_day)"
        " SELECT user_id, prompt, settings, cost, turn, quota_day FROM jobs, generate_series(2, :many) AS place"
        " ORDER BY place",
        many=many,
    )
    world.sql("ANALYZE jobs")
    values: dict[str, Any] = {
        "user_id": user_id,
        "state": None,
        "patterns": ["%night%", "%house%"],
        "before": None,
        "limit": 21,
    }
    with world.services.db.begin() as connection:
        rows = job_store.list_views(
            connection, user_id, state=None, words=["night", "HOUSE"], before=None, limit=values["limit"]
        )
        plan = connection.execute(text("EXPLAIN (ANALYZE, FORMAT JSON) " + job_store._LIST.text), values).scalar_one()
    assert len(rows) == values["limit"]
    assert {row.prompt for row in rows} == {"a Lighthouse at NIGHT"}
    node = plan[0]["Plan"]
    while node["Node Type"] in ("Limit", "Result"):
        node = next(child for child in node["Plans"] if child["Parent Relationship"] == "Outer")
    assert node["Node Type"] == "Index Scan"
    assert node["Actual Rows"] + node["Rows Removed by Filter"] < many / 10
