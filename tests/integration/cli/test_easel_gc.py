"""`easel gc` against the real database and S3: what it deletes, and what it must never delete."""

from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from cli.exit_codes import ExitCode
from shared.clients import storage
from shared.core import garbage
from shared.core.errors import Unavailable
from shared.polling import garbage as collection
from shared.polling import garbage_store
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.easel_command import Easel, objects
from tests.support.photos import Sitter, adapter_file
from tests.support.world import World, delete_prefix, with_settings


@pytest.fixture(autouse=True)
def _empty_bucket(services: Services) -> Iterator[None]:
    """Delete what other tests have stored, which belongs to no row of the empty database."""
    for folder in collection.FOLDERS:
        delete_prefix(services.storage, folder)
    yield
    for folder in collection.FOLDERS:
        delete_prefix(services.storage, folder)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that makes the command see the present objects as that many hours old."""
    true = garbage_store.get_time

    def move(hours: float) -> None:
        monkeypatch.setattr(garbage_store, "get_time", lambda connection: true(connection) + timedelta(hours=hours))

    return move


def put(world: World, *keys: str) -> None:
    for key in keys:
        world.services.storage.put(key, b"12345", "image/png")


def keys(world: World) -> set[str]:
    return {key for folder in collection.FOLDERS for key in world.services.storage.sizes_bytes(folder)}


def counts(rows: list[dict[str, Any]]) -> dict[str, tuple[int, int | None]]:
    return {row["what"]: (row["count"], row["size_bytes"]) for row in rows if row["count"]}


def test_it_works(easel: Easel, world: World, later: Callable[[float], None]) -> None:
    job_id = world.submit(world.user())
    world.finish(job_id)
    kept = keys(world)
    lost = [f"jobs/{uuid4()}/{uuid4()}/0.png", f"jobs/{job_id}/{uuid4()}/0.png", f"uploads/{uuid4()}/{uuid4()}.png"]
    put(world, *lost, "archives/x/y.zip", "conformance/x/y", "backup/precious")
    world.sql("INSERT INTO tokens (user_id, hash, kind, expires_at) SELECT id, 'x', 'session', now() FROM users")
    later(2)
    expected = {
        "objects in jobs/": (2, 10),
        "objects in uploads/": (1, 5),
        "objects in archives/": (1, 5),
        "objects in conformance/": (1, 5),
        "expired tokens": (1, None),
    }
    code, lines = easel("gc", "--dry-run")
    assert code == ExitCode.DONE
    assert lines[0].split() == ["WHAT", "COUNT", "SIZE"]
    assert lines[1].split() == ["objects", "in", "jobs/", "2", "10", "B"]
    assert counts(objects(easel, "gc", "--dry-run")) == expected
    assert keys(world) == {*kept, *lost, "archives/x/y.zip", "conformance/x/y"}
    assert counts(objects(easel, "gc")) == expected
    assert keys(world) == kept
    assert world.services.storage.size_bytes("backup/precious") == 5
    delete_prefix(world.services.storage, "backup/")
    assert world.sql("SELECT count(*) FROM tokens") == [(0,)]
    assert counts(objects(easel, "gc")) == {}
    world.check_one_set(job_id, 1)


def test_objects_younger_than_an_hour_stay(easel: Easel, world: World, later: Callable[[float], None]) -> None:
    put(world, f"jobs/{uuid4()}/{uuid4()}/0.png")
    for hours, found in ((0, 0), (0.9, 0), (1.1, 1)):
        later(hours)
        assert counts(objects(easel, "gc", "--dry-run")).get("objects in jobs/", (0, None))[0] == found


def test_objects_that_a_running_worker_may_still_write_stay(
    easel: Easel, world: World, generator: FakeGenerator, later: Callable[[float], None]
) -> None:
    """A worker that was frozen for hours, and whose job no other worker took over, continues and commits."""
    job_id = world.send()
    world.hurry()
    claim = world.poller.claim(job_id)
    assert claim is not None
    held, lost = (f"jobs/{job_id}/{token}/0.png" for token in (claim.claim.attempt_token, uuid4()))
    put(world, held, lost)
    later(5)
    assert counts(objects(easel, "gc")) == {"objects in jobs/": (1, 5)}
    assert keys(world) == {held}
    assert world.poller.work(claim) is None
    assert world.state(job_id) == "succeeded"
    put(world, held.replace("/0.png", "/9.png"))
    assert counts(objects(easel, "gc")) == {"objects in jobs/": (1, 5)}
    world.check_one_set(job_id, 1)


def test_a_claim_that_ends_in_between_is_noticed(world: World, generator: FakeGenerator) -> None:
    """A step may end between the two queries about a page: its objects are then found as pictures."""
    job_id = world.send()
    world.hurry()
    claim = world.poller.claim(job_id)
    assert claim is not None
    assert world.poller.work(claim) is None
    with world.services.db.statement() as connection:
        used = garbage_store.list_keys_in_use(connection, [job_id])
    assert used.keys == keys(world)
    assert used.claims == set()


def test_announced_uploads_stay_until_they_expire(easel: Easel, world: World, later: Callable[[float], None]) -> None:
    user_id = world.user()
    announced, used = (f"uploads/{user_id}/{uuid4()}.png" for _ in range(2))
    for key in (announced, used):
        world.sql(
            "INSERT INTO uploads (key, user_id, content_type, size_bytes) VALUES (:key, :user_id, 'image/png', 5)",
            key=key,
            user_id=user_id,
        )
    world.submit(user_id, source_images=[used])
    put(world, announced, used)
    later(2)
    assert counts(objects(easel, "gc")) == {}
    world.sql("UPDATE uploads SET created_at = created_at - interval '25 hours'")
    assert counts(objects(easel, "gc", "--dry-run")) == {"uploads without a job": (1, None)}
    assert counts(objects(easel, "gc")) == {"uploads without a job": (1, None), "objects of garbage": (1, 5)}
    assert keys(world) == {used}


def test_expired_likenesses_are_counted_before_their_files_go(easel: Easel, world: World) -> None:
    sitter = Sitter(world)
    sitter.have()
    sitter.have()
    assert counts(objects(easel, "gc", "--dry-run")) == {}
    world.sql("UPDATE likenesses SET expires_at = now() WHERE code = (SELECT min(code) FROM likenesses)")
    assert counts(objects(easel, "gc", "--dry-run")) == {"expired likenesses": (1, None)}
    [(_, size)] = [counts(objects(easel, "gc"))["objects of garbage"]]
    assert size == len(adapter_file(7))
    assert len(keys(world)) == 1


def test_due_garbage_is_deleted_at_any_age(easel: Easel, world: World) -> None:
    names = [f"jobs/{uuid4()}/" for _ in range(3)]
    put(world, *(name + "a/0.png" for name in names))
    with world.services.db.begin() as connection:
        for name in names[:2]:
            garbage.discard(connection, name)
        garbage.discard(connection, names[2], in_s=600)
    assert counts(objects(easel, "gc", "--dry-run")) == {"prefixes of due garbage": (2, None)}
    assert counts(objects(easel, "gc")) == {"objects of garbage": (2, 10)}
    assert keys(world) == {names[2] + "a/0.png"}
    assert world.garbage() == {names[2]}


def test_more_than_half_of_a_bucket_is_not_deleted_by_mistake(
    easel: Easel, world: World, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.easel_gc.MANY", 3)
    put(world, *(f"jobs/{uuid4()}/{uuid4()}/0.png" for _ in range(3)))
    later(2)
    code, lines = easel("gc")
    assert (code, len(lines)) == (ExitCode.FAILED, 1)
    assert lines[0].startswith("easel: 3 of the 3 objects in the bucket would be deleted")
    assert len(keys(world)) == 3
    assert easel("gc", "--dry-run")[0] == ExitCode.DONE
    assert easel("gc", "--even-most")[0] == ExitCode.DONE
    assert keys(world) == set()


def test_unknown_keys_are_lost_objects_and_break_nothing(
    easel: Easel, world: World, later: Callable[[float], None]
) -> None:
    put(world, "jobs/x", "jobs/not-an-id/y/z", f"jobs/{uuid4()}", "uploads/ключ")
    later(2)
    assert easel("gc")[0] == ExitCode.DONE
    assert keys(world) == set()


def test_a_bucket_is_listed_page_by_page(
    easel: Easel, world: World, later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost and needed objects alternate over several pages, which get shorter while they are listed."""
    monkeypatch.setattr(storage, "PAGE", 4)
    jobs: list[UUID] = []
    for number in range(5):
        jobs.append(world.submit(world.user(), n=2))
        put(world, *(f"jobs/{uuid4()}/{uuid4()}/{index}.png" for index in range(number)))
    world.finish(*jobs)
    pages = list(world.services.storage.pages("jobs/"))
    assert [len(page) for page in pages] == [4] * 7 + [2]
    names = [entry.key for page in pages for entry in page]
    assert names == sorted(names)
    later(2)
    assert counts(objects(easel, "gc")) == {"objects in jobs/": (10, 50)}
    for job_id in jobs:
        world.check_one_set(job_id, 2)


def test_an_unavailable_storage_is_code_3(easel: Easel, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_S3_ENDPOINT", "http://127.0.0.1:9")
    assert easel("gc") == (ExitCode.UNREACHABLE, ["easel: The storage cannot be reached."])


def test_garbage_stays_if_the_storage_is_down(world: World, services: Services) -> None:
    put(world, "jobs/a/b/0.png")
    with services.db.begin() as connection:
        garbage.discard(connection, "jobs/a/", "jobs/b/")
    with pytest.raises(Unavailable):
        collection.empty_garbage(with_settings(services, s3_endpoint="http://127.0.0.1:9"))
    assert world.garbage() == {"jobs/a/", "jobs/b/"}
    assert collection.empty_garbage(services).objects == 1  # both are due at once
    assert world.garbage() == set()


def test_an_object_that_cannot_be_deleted_does_not_block_the_others(
    world: World, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, "jobs/a/b/0.png", "jobs/b/b/0.png", "jobs/c/b/0.png")
    with services.db.begin() as connection:
        garbage.discard(connection, "jobs/a/", "jobs/b/", "jobs/c/")
    delete = services.storage.delete_each

    def refuse_one(keys: Collection[str]) -> dict[str, str]:
        refused = {"jobs/b/b/0.png"} & set(keys)
        return delete(set(keys) - refused) | dict.fromkeys(refused, "AccessDenied")

    monkeypatch.setattr(services.storage, "delete_each", refuse_one)
    assert collection.empty_garbage(services).objects == 2
    assert world.garbage() == {"jobs/b/"}
    assert collection.count_waste(services).prefixes == 0  # it is tried again later, not at once
    assert keys(world) == {"jobs/b/b/0.png"}


def test_concurrent_work_loses_nothing(
    easel: Easel, world: World, generator: FakeGenerator, later: Callable[[float], None]
) -> None:
    """Garbage is collected between all steps of several jobs, some with lost attempts."""
    later(24)
    generator.plans.extend([Plan(ending="error"), Plan(), Plan(ending="error")])
    jobs = [world.submit(world.user()) for _ in range(3)]
    for _ in range(30):
        world.hurry()
        for job_id in world.poller.sweep():
            world.poller.advance(job_id)
            assert easel("gc", "--even-most")[0] == ExitCode.DONE
    assert {world.state(job_id) for job_id in jobs} == {"succeeded"}
    for job_id in jobs:
        world.check_one_set(job_id, 1)
