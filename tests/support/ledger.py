"""A check that database and storage have exactly one set of pictures for each job."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import text

from shared.services import Services


def check_one_set_each(services: Services, jobs: Collection[dict[str, Any]]) -> int:
    """Check that every job has its requested pictures, each stored once with its thumbnail. Returns the pictures.

    Other objects of a job may only be those of lost attempts, and only if they are queued for deletion.
    """
    assert {job["state"] for job in jobs} == {"succeeded"}, [job["error"] for job in jobs if job["error"]]
    with services.db.begin() as connection:
        query = text('SELECT job_id, index, key, thumbnail_key, size_bytes FROM images ORDER BY job_id, "index"')
        rows: dict[str, list[Any]] = {}
        for row in connection.execute(query):
            rows.setdefault(str(row.job_id), []).append(row)
        garbage = tuple(connection.execute(text("SELECT prefix FROM garbage")).scalars())
    sizes = services.storage.sizes_bytes("jobs/")
    objects: dict[str, set[str]] = {}
    for key in sizes:
        objects.setdefault(key.split("/")[1], set()).add(key)
    for job in jobs:
        stored = rows[job["id"]]
        indices = list(range(job["settings"]["n"]))
        assert [row.index for row in stored] == indices == [image["index"] for image in job["images"]]
        assert all(sizes[row.key] == row.size_bytes for row in stored)
        expected = {row.key for row in stored} | {row.thumbnail_key for row in stored}
        assert len(expected) == 2 * len(indices)
        assert len({key.rsplit("/", 1)[0] for key in expected}) == 1
        lost = objects[job["id"]] - expected
        assert expected <= objects[job["id"]]
        assert all(key.startswith(garbage) for key in lost), lost
    return sum(len(rows[job["id"]]) for job in jobs)
