"""What generators failed is counted by name and code."""

from shared.jobs.states import State
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.world import World


def counted(world: World) -> list[tuple[str, str, int]]:
    rows = world.sql("SELECT generator, code, failures FROM generator_errors ORDER BY generator, code")
    return [(row.generator, row.code, row.failures) for row in rows]


def test_a_step_that_is_tried_again_counts(world: World, generator: FakeGenerator) -> None:
    generator.plans.extend([Plan(ending="error"), Plan(ending="error")])
    job_id = world.submit(world.user())
    world.finish(job_id)
    assert world.state(job_id) == State.SUCCEEDED
    assert counted(world) == [(generator.address.name, "generator_failed", 2)]


def test_health_checks_count(world: World, generator: FakeGenerator) -> None:
    generator.extensions = ALL_EXTENSIONS
    job_id = world.send()
    generator.down = True
    world.step(job_id)
    for _ in range(2):
        world.hurry()
        world.poller.sweep()
    assert counted(world) == [(generator.address.name, "generator_down", 3)]


def test_what_others_fail_is_not_counted(world: World) -> None:
    user_id, key = world.user(), "uploads/no-picture"
    world.services.storage.put(key, b"no picture", "image/png")
    job_id = world.submit(user_id)
    world.sql("INSERT INTO uploads VALUES (:key, :user, 'image/png', 10)", key=key, user=user_id)
    world.sql("INSERT INTO job_sources VALUES (:job, 0, :key)", job=job_id, key=key)
    world.finish(job_id)
    assert (world.state(job_id), world.row(job_id).error_code) == (State.FAILED, "picture_wrong_format")
    assert counted(world) == []
