"""Every outcome of a step, with a real database, storage and HTTP."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from shared.generators.addresses import GeneratorAddress
from shared.polling import generators as generator_store
from shared.services import Services
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.poller import Poller
from tests.support.world import World, with_settings

NOWHERE = "http://127.0.0.1:9"


@contextmanager
def poller_for(services: Services, *generators: FakeGenerator) -> Iterator[Poller]:
    poller = Poller(services, tuple(generator.address for generator in generators))
    poller.sweep()
    yield poller
    poller.close_clients()


def answering(fake: FakeGenerator, path: str, answer: Callable[[], tuple[int, Any]]) -> None:
    """Let the generator answer this call with something else from now on."""
    usual = fake.answer

    def other(method: str, called: str, fields: dict[str, Any]) -> tuple[int, Any]:
        return answer() if called == path else usual(method, called, fields)

    fake.answer = other  # type: ignore[method-assign, assignment]


def test_it_works(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=2)
    job_id = world.submit(world.user(), n=2)
    assert world.poller.start() == [job_id]
    assert world.step(job_id) is not None
    assert world.events(job_id) == ["accepted", "started", "sent"]
    assert world.step(job_id) is not None  # waits at the generator
    assert world.row(job_id).progress is None
    assert world.step(job_id) is not None  # is processed
    assert world.row(job_id).progress == 0
    assert world.step(job_id) is None
    assert world.state(job_id) == "succeeded"
    assert world.events(job_id) == ["accepted", "started", "sent", "processing", "succeeded"]
    assert world.row(job_id).progress == 1
    world.check_one_set(job_id, 2)
    world.check_books()
    assert generator.counts["initiated"] == 1


def test_progress_never_goes_back(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=50)
    job_id = world.send()
    seen = [0.0]
    for answer in ("processing: 40%", "processing", "processing: 20%", "queue position: 3", "processing: 100%"):
        generator.answer = lambda method, path, fields, answer=answer: (200, answer)  # type: ignore[method-assign, misc]
        world.step(job_id)
        seen.append(world.row(job_id).progress)
        assert world.state(job_id) == "generating"
    assert seen == [0, 0.4, 0.4, 0.4, 0.4, 0.99]
    assert world.events(job_id) == ["accepted", "started", "sent", "processing"], "it started once"


def test_an_ended_job_stays_ended_after_any_answer(world: World, generator: FakeGenerator) -> None:
    job_id = world.submit(world.user())
    world.finish(job_id)
    before = world.row(job_id)
    generator.answer = lambda method, path, fields: (200, "queue position: 3")  # type: ignore[method-assign]
    for _ in range(2):
        assert job_id not in world.poller.sweep()
        assert world.step(job_id) is None
    assert world.row(job_id) == before
    assert world.events(job_id)[-1] == "succeeded"


def test_a_caller_sees_a_new_version_only_when_something_changed(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=50)
    job_id = world.send()
    versions = []
    for answer in ("processing: 40%", "processing: 40%", "processing: 50%"):
        generator.answer = lambda method, path, fields, answer=answer: (200, answer)  # type: ignore[method-assign, misc]
        world.step(job_id)
        versions.append(world.row(job_id).version)
    assert versions[0] == versions[1] < versions[2]


def test_a_generators_error_costs_an_attempt(world: World, generator: FakeGenerator) -> None:
    generator.plans.extend([Plan(ending="error")])
    job_id = world.submit(world.user())
    world.finish(job_id)
    assert world.state(job_id) == "succeeded"
    assert world.row(job_id).attempts == 2
    assert world.events(job_id).count("retrying") == 1


@pytest.mark.parametrize(("ending", "code"), [("error", "generator_failed"), ("forget", "generator_forgot")])
def test_after_three_attempts_a_job_fails(world: World, generator: FakeGenerator, ending: Any, code: str) -> None:
    generator.plan = Plan(ending=ending)
    job_id = world.submit(world.user())
    world.finish(job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts) == ("failed", code, 3)
    assert row.error_message.startswith("Given up after 3 attempts. ")
    assert generator.counts["initiated"] == 3
    world.check_books()
    assert world.sql("SELECT quota_used FROM users") == [(0,)]


def test_a_job_unknown_to_its_generator_is_sent_again(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=3)
    job_id = world.send()
    generator.restart()
    world.step(job_id)
    assert (world.state(job_id), world.events(job_id)[-1]) == ("queued", "retrying")
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 2)


def test_a_refused_request_fails_immediately(world: World, generator: FakeGenerator) -> None:
    answering(generator, "/initiate_processing", lambda: (422, {"error": "bad parameter", "parameter": "steps"}))
    job_id = world.submit(world.user())
    world.finish(job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code) == ("failed", "generator_refused")
    assert "steps" in row.error_message
    world.check_books()


def test_a_generator_that_is_down_costs_no_attempt(world: World, services: Services) -> None:
    gone = GeneratorAddress("img_generator", NOWHERE)
    poller = Poller(services, (gone,))
    job_id = world.submit(world.user())
    world.run(lambda: "waiting" in world.events(job_id), poller=poller)
    world.run(lambda: world.sql("SELECT failures FROM generators")[0][0] > 3, poller=poller)
    row = world.row(job_id)
    assert (row.state, row.attempts, row.remote_id) == ("queued", 0, None)
    reasons = [row.detail for row in world.timeline(job_id) if row.event == "waiting"]
    assert reasons[0] == "The generator could not be reached."
    assert reasons[-1] == "No generator can take jobs now: The generator could not be reached."
    assert len(reasons) == len(set(reasons))
    codes = [row.code for row in world.timeline(job_id) if row.event == "waiting"]
    assert (codes[0], codes[-1]) == ("generator_unreachable", "no_healthy_generator")
    with FakeGenerator() as back, poller_for(services, back) as well:
        world.finish(job_id, poller=well)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 1)


def test_a_failed_generator_gets_no_job_before_it_recovers(world: World, generator: FakeGenerator) -> None:
    first = world.submit(world.user())
    generator.down = True
    world.run(lambda: world.sql("SELECT failures FROM generators")[0][0] > 0)
    later = world.submit(world.user())
    for _ in range(3):
        world.hurry()
        world.poller.sweep()
    assert (world.state(first), world.state(later)) == ("queued", "queued")
    assert "started" not in world.events(later)
    generator.down = False
    world.finish(first, later)
    assert world.state(first) == world.state(later) == "succeeded"
    assert world.row(first).attempts == world.row(later).attempts == 1


def test_only_one_of_many_pollers_probes_a_failed_generator(world: World, generator: FakeGenerator) -> None:
    job_id = world.submit(world.user())
    generator.down = True
    world.poller.start()
    world.step(job_id)
    world.hurry()
    with world.services.db.statement() as connection:
        assert generator_store.claim_probes(connection) == [generator.address.name]
        assert generator_store.claim_probes(connection) == []
    pauses = []
    for _ in range(9):
        world.hurry()
        world.poller.sweep()
        [row] = world.sql("SELECT extract(epoch FROM retry_at - clock_timestamp())::float AS pause_s FROM generators")
        pauses.append(row.pause_s)
    assert pauses[0] < 2.5
    assert 50 < pauses[-1] <= 60


def test_a_silent_generator_is_waited_for_and_then_abandoned(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=2)
    job_id = world.send()
    generator.down = True
    for _ in range(3):
        assert world.step(job_id) is not None
    assert world.state(job_id) == "generating"
    assert world.events(job_id).count("waiting") == 1
    world.sql("UPDATE jobs SET unreachable_since = clock_timestamp() - interval '31 s'")
    assert world.step(job_id) is None
    assert (world.state(job_id), world.events(job_id)[-1]) == ("queued", "retrying")
    generator.down = False
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 2)


def test_a_generator_that_recovers_in_time_continues(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=2)
    job_id = world.send()
    generator.down = True
    world.step(job_id)
    generator.down = False
    world.step(job_id)
    assert world.row(job_id).unreachable_since is None
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 1)
    assert generator.counts["initiated"] == 1


def test_a_request_with_an_unknown_outcome_costs_an_attempt(world: World, generator: FakeGenerator) -> None:
    usual = generator.answer

    def hang_up(method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        if path == "/initiate_processing":
            raise ConnectionError
        return usual(method, path, fields)

    generator.answer = hang_up  # type: ignore[method-assign]
    job_id = world.submit(world.user())
    world.finish(job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts) == ("failed", "generator_hung_up", 3)


def _results(*pictures: bytes) -> Callable[[], tuple[int, Any]]:
    encoded = [base64.b64encode(picture).decode() for picture in pictures]
    return lambda: (200, json.dumps({"imgs": encoded, "descs": []}).encode())


@pytest.mark.parametrize("junk", ["wrong_size", "not_png", "truncated", "count", "not_base64", "not_json"])
def test_invalid_pictures_cost_an_attempt(world: World, generator: FakeGenerator, junk: str) -> None:
    with FakeGenerator() as other:
        right = other.answer("POST", "/initiate_processing", {"prompt": "a", "width": 64, "height": 64, "ups": 1})
        other.answer("POST", "/check_status", {"id": right[1]})
        whole = base64.b64decode(json.loads(other.answer("POST", "/get_results", {"id": 1})[1])["imgs"][0])
    wrong_size = whole[:16] + (32).to_bytes(4, "big") + whole[20:]
    # A wrong form would come again; damage and a page of a proxy may not.
    answers: dict[str, tuple[Callable[[], tuple[int, Any]], str, int]] = {
        "wrong_size": (_results(wrong_size), "picture_wrong_size", 1),
        "not_png": (_results(b"GIF89a" + whole), "picture_wrong_format", 1),
        "truncated": (_results(whole[: len(whole) // 2]), "picture_broken", 3),
        "count": (_results(whole, whole), "generator_wrong_image_count", 1),
        "not_base64": (lambda: (200, {"imgs": ["%%%"]}), "generator_bad_base64", 1),
        "not_json": (lambda: (200, b"<html>"), "generator_bad_json", 3),
    }
    answer, code, paintings = answers[junk]
    answering(generator, "/get_results", answer)
    job_id = world.submit(world.user())
    world.finish(job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts) == ("failed", code, paintings)
    assert generator.counts["initiated"] == paintings
    assert world.sql("SELECT code, failures FROM generator_errors") == [(code, paintings)]
    assert world.images(job_id) == []
    world.check_one_set(job_id, 0)
    world.check_books()


def test_the_longest_texts_fit_into_a_picture(world: World, generator: FakeGenerator) -> None:
    words = "\U0001f5fc" * 2000
    with FakeGenerator() as other:
        other.answer("POST", "/initiate_processing", {"prompt": "a", "width": 64, "height": 64, "ups": 1})
        other.answer("POST", "/check_status", {"id": 1})
        picture = json.loads(other.answer("POST", "/get_results", {"id": 1})[1])["imgs"]
    answer = json.dumps({"imgs": picture, "descs": ["\U0001f5fc" * 10_000]}).encode()
    answering(generator, "/get_results", lambda: (200, answer))
    job_id = world.submit(world.user(), prompt=words, negative_prompt=words, describe=True)
    world.finish(job_id)
    assert world.state(job_id) == "succeeded"


def test_a_storage_that_is_down_is_waited_for(world: World, services: Services, generator: FakeGenerator) -> None:
    without = with_settings(services, s3_endpoint=NOWHERE)
    job_id = world.send()
    with poller_for(without, generator) as poller:
        for _ in range(2):
            assert world.step(job_id, poller) is not None
    assert (world.state(job_id), world.row(job_id).attempts) == ("generating", 1)
    assert world.events(job_id).count("waiting") == 1
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 1)


@pytest.mark.parametrize("since", [None, ("sent", None), ("waiting", "generator_unreachable")])
def test_a_storage_that_fails_a_job_for_hours_ends_it(
    world: World, services: Services, generator: FakeGenerator, since: tuple[str, str | None] | None
) -> None:
    job_id = world.send()
    with poller_for(with_settings(services, s3_endpoint=NOWHERE), generator) as poller:
        assert world.step(job_id, poller) is not None
        world.sql("UPDATE job_events SET at = at - interval '9 hours'")
        if since:  # what failed before that is over
            query = "INSERT INTO job_events (job_id, event, code) VALUES (:id, :event, :code)"
            world.sql(query, id=job_id, event=since[0], code=since[1])
        world.step(job_id, poller)
    row = world.row(job_id)
    if since:
        assert (row.state, row.waiting) == ("generating", "The storage cannot be reached.")
    else:
        assert (row.state, row.error_code) == ("failed", "storage_unavailable")
        assert row.error_message == "Given up after 540 minutes. The storage cannot be reached."
    world.check_books()


def test_a_storage_that_is_down_before_sending_is_waited_for(
    world: World, services: Services, generator: FakeGenerator
) -> None:
    user = world.user()
    job_id = world.submit(user)
    world.sql("INSERT INTO uploads VALUES ('uploads/a.png', :user, 'image/png', 1)", user=user)
    world.sql("INSERT INTO job_sources VALUES (:job, 0, 'uploads/a.png')", job=job_id)
    world.poller.start()
    with poller_for(with_settings(services, s3_endpoint=NOWHERE), generator) as poller:
        assert world.step(job_id, poller) is not None
    assert (world.state(job_id), world.row(job_id).remote_id) == ("generating", None)
    assert world.step(job_id) is None
    row = world.row(job_id)
    assert (row.state, row.error_code) == ("failed", "source_missing")


def test_a_storage_outage_does_not_count_against_the_generator(
    world: World, services: Services, generator: FakeGenerator
) -> None:
    job_id = world.send()
    with poller_for(with_settings(services, s3_endpoint=NOWHERE), generator) as poller:
        world.step(job_id, poller)
    world.sql("UPDATE jobs SET unreachable_since = unreachable_since - interval '1 hour'")
    generator.down = True
    assert world.step(job_id) is not None
    assert world.state(job_id) == "generating"
    assert world.events(job_id).count("waiting") == 2
    generator.down = False
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).attempts) == ("succeeded", 1)


def test_a_request_is_given_up_after_two_hours(world: World, generator: FakeGenerator) -> None:
    generator.extensions = ALL_EXTENSIONS
    generator.plans.append(Plan(polls=1000))
    job_id = world.send()
    world.sql("UPDATE jobs SET sent_at = sent_at - interval '2 hours 1 minute'")
    world.step(job_id)
    assert world.events(job_id)[-1] == "retrying"
    assert generator.counts["cancelled"] == 1
    world.finish(job_id)
    assert world.state(job_id) == "succeeded"


def test_a_generator_removed_from_the_settings_returns_its_jobs(world: World, services: Services) -> None:
    job_id = world.send()
    with FakeGenerator() as other, poller_for(services, other) as poller:
        world.finish(job_id, poller=poller)
        assert other.counts["initiated"] == 1
    assert world.state(job_id) == "succeeded"
    assert world.events(job_id).count("retrying") == 1
    assert world.row(job_id).attempts == 2


def test_no_job_starts_at_a_generator_of_an_earlier_configuration(world: World, services: Services) -> None:
    with FakeGenerator() as old, FakeGenerator() as new, poller_for(services, old), poller_for(services, new) as poller:
        job_id = world.submit(world.user())
        with services.db.begin() as connection:
            # As after a restart, before the first sweep: the table still has only the old one.
            generator_store.register(connection, [old.address])
        assert poller.start() == []
        poller.sweep()
        assert world.row(job_id).generator == new.address.name
        assert world.events(job_id) == ["accepted", "started"]


def test_jobs_go_to_free_slots(world: World, services: Services) -> None:
    with FakeGenerator(max_in_flight=3) as big, FakeGenerator(max_in_flight=1) as small:
        with poller_for(services, big, small) as poller:
            jobs = [world.submit(world.user()) for _ in range(6)]
            assert len(poller.start()) == 4
            held = world.sql("SELECT generator, count(*) FROM jobs WHERE state = 'generating' GROUP BY 1")
            assert dict(tuple(row) for row in held) == {big.address.name: 3, small.address.name: 1}
            world.finish(*jobs, poller=poller)
        assert big.most_in_flight <= 3
        assert small.most_in_flight <= 1


def test_jobs_of_a_failed_generator_move_on(world: World, services: Services) -> None:
    with (
        FakeGenerator(plan=Plan(polls=1), max_in_flight=4) as one,
        FakeGenerator(max_in_flight=4) as other,
        poller_for(services, one, other) as poller,
    ):
        jobs = [world.submit(world.user()) for _ in range(8)]
        poller.start()
        for job_id in jobs:
            world.step(job_id, poller)
        one.down = True
        for job_id in jobs:
            world.step(job_id, poller)
        world.sql(
            "UPDATE jobs SET unreachable_since = clock_timestamp() - interval '1 minute'"
            " WHERE unreachable_since IS NOT NULL"
        )
        world.finish(*jobs, poller=poller)
    assert world.sql("SELECT DISTINCT state FROM jobs") == [("succeeded",)]
    assert world.sql("SELECT DISTINCT generator FROM jobs") == [(other.address.name,)]


def test_one_outage_counts_once_for_any_number_of_jobs(world: World, generator: FakeGenerator) -> None:
    jobs: list[UUID] = [world.send() for _ in range(4)]
    generator.down = True
    for job_id in jobs:
        world.step(job_id)
        world.sql("UPDATE generators SET retry_at = clock_timestamp() + interval '1 minute' WHERE failures > 0")
    assert world.sql("SELECT failures FROM generators") == [(1,)]


def test_a_poisonous_job_does_not_block_others(world: World, generator: FakeGenerator) -> None:
    poison = world.submit(world.user(), prompt="poison")
    usual = generator.answer

    def answer(method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        if fields.get("prompt") == "poison":
            return 500, {}
        return usual(method, path, fields)

    generator.answer = answer  # type: ignore[method-assign]
    others = [world.submit(world.user()) for _ in range(6)]
    world.finish(poison, *others)
    assert world.row(poison).error_code == "generator_down"
    assert {world.state(job_id) for job_id in others} == {"succeeded"}
    assert {world.row(job_id).attempts for job_id in others} == {1}
