"""Jobs that a generator does not accept although its health call works: only they wait, and they end."""

from typing import Any
from uuid import UUID

import pytest

from cli import check_peers
from cli.checks import Level
from shared.metrics import store as metrics_store
from shared.services import Services
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from shared.testing.fake_glide import FakeGlide
from tests.support.poller import Poller
from tests.support.world import World, with_settings


def refuse(generator: FakeGenerator, status: int, *, prompt: str | None = None) -> list[int]:
    """Refuse new requests, or those with this prompt; return the list to which each refusal is added."""
    usual = generator.answer
    refused: list[int] = []

    def answer(method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        if path == "/initiate_processing" and prompt in (None, fields.get("prompt")):
            refused.append(status)
            return status, {}
        return usual(method, path, fields)

    generator.answer = answer  # type: ignore[method-assign]
    return refused


def pause_s(world: World, job_id: UUID) -> float:
    [row] = world.sql(
        "SELECT extract(epoch FROM next_step_at - clock_timestamp())::float AS s FROM jobs WHERE id = :id", id=job_id
    )
    return float(row.s)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, "generator_redirected"),
        (401, "generator_misconfigured"),
        (404, "generator_misconfigured"),
    ],
)
def test_it_ends_with_the_reason(world: World, generator: FakeGenerator, status: int, code: str) -> None:
    generator.extensions = ALL_EXTENSIONS
    refused = refuse(generator, status)
    job_id = world.submit(world.user())
    world.finish(job_id, rounds=100)
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts, len(refused)) == ("failed", code, 0, 8)
    assert row.error_message.startswith("Given up after 8 refusals. ")
    assert world.sql("SELECT failures FROM generators") == [(0,)], "the generator has not failed"
    world.check_books()


def test_only_the_refused_job_waits(world: World, generator: FakeGenerator) -> None:
    generator.extensions = ALL_EXTENSIONS
    refused = refuse(generator, 401, prompt="odd")
    odd = world.submit(world.user(), prompt="odd")
    pauses = []
    for count in range(1, 5):
        world.run(lambda: world.row(odd).refusals == count)  # noqa: B023 # it runs at once
        pauses.append(pause_s(world, odd))
        assert world.poller.start() == [], "it pauses"
        other = world.submit(world.user())
        assert world.poller.start() == [other], "others start at once"
        while world.state(other) != "succeeded":
            world.poller.advance(other)
            world.sql("UPDATE jobs SET next_step_at = now() - interval '1 s' WHERE id = :id", id=other)
    assert [round(pause) for pause in pauses] == sorted({round(pause) for pause in pauses}), "each is longer"
    assert len(refused) == 4
    assert world.sql("SELECT failures, refusals, refusals_in_row FROM generators") == [(0, 4, 0)]


def test_a_full_generator_fails_no_job(world: World, generator: FakeGenerator) -> None:
    generator.extensions = ALL_EXTENSIONS
    usual = generator.answer
    refuse(generator, 429)
    jobs = [world.submit(world.user()) for _ in range(6)]
    world.run(lambda: world.sql("SELECT sum(refusals) FROM jobs")[0][0] >= 12)
    assert {world.state(job_id) for job_id in jobs} <= {"queued", "generating"}
    [held] = world.sql("SELECT refusing_until > clock_timestamp() AS now, failures FROM generators")
    assert (held.now, held.failures) == (True, 0), "it gets no more jobs for a while"
    generator.answer = usual  # type: ignore[method-assign]
    world.finish(*jobs)
    assert {world.state(job_id) for job_id in jobs} == {"succeeded"}
    assert world.sql("SELECT refusals_in_row, refusing_until FROM generators") == [(0, None)]


@pytest.mark.parametrize("status", [302, 401, 429])
def test_a_refused_job_goes_to_another_generator(
    world: World, services: Services, generator: FakeGenerator, status: int
) -> None:
    generator.extensions = ALL_EXTENSIONS
    refused = refuse(generator, status)
    with FakeGenerator(max_in_flight=1) as other:
        poller = Poller(services, (generator.address, other.address))
        poller.sweep()
        jobs = [world.submit(world.user()) for _ in range(8)]
        world.finish(*jobs, poller=poller)
        poller.close_clients()
    assert {(world.state(job_id), world.row(job_id).generator) for job_id in jobs} == {
        ("succeeded", other.address.name)
    }
    assert len(refused) <= len(jobs), "each job tries the other one next"


def test_a_synchronous_generator_that_refuses(world: World, services: Services) -> None:
    with FakeGlide() as glide:
        usual = glide.answer
        glide.answer = lambda method, path, fields: (403, {}) if fields else usual(method, path, fields)  # type: ignore[method-assign]
        poller = Poller(services, (glide.address,))
        poller.sweep()
        job_id = world.submit(world.user())
        world.finish(job_id, poller=poller, rounds=100)
        poller.close_clients()
    row = world.row(job_id)
    assert (row.state, row.error_code, row.attempts) == ("failed", "generator_misconfigured", 0)
    world.check_books()


def test_operators_see_refusals(world: World, generator: FakeGenerator) -> None:
    generator.extensions = ALL_EXTENSIONS
    refuse(generator, 401)
    job_id = world.submit(world.user())
    world.run(lambda: world.row(job_id).refusals == 2)
    services = with_settings(world.services, generators=f"img_generator+{generator.url}")
    [finding] = check_peers.generators(services)
    assert finding.level == Level.WARNING
    assert "refused a job lately: The generator's address or password is wrong (HTTP 401)." in finding.message
    with world.services.db.begin() as connection:
        counts = {count.label: count.number for count in metrics_store.read(connection) if count.name == "refusals"}
    assert counts == {generator.address.name: 2}


def test_a_requeued_job_has_all_its_tries_again(world: World, generator: FakeGenerator) -> None:
    from shared.admin import jobs

    usual = generator.answer
    generator.extensions = ALL_EXTENSIONS
    refuse(generator, 401)
    job_id = world.submit(world.user())
    world.finish(job_id, rounds=100)
    generator.answer = usual  # type: ignore[method-assign]
    jobs.requeue(world.services, job_id)
    row = world.row(job_id)
    assert (row.refusals, row.refused_since, row.refused_by) == (0, None, None)
    world.finish(job_id)
    assert world.state(job_id) == "succeeded"
