"""The database's input for the estimate of a job's wait."""

from shared.jobs import store as job_store
from tests.support.world import World


def test_only_generators_that_speak_one_of_its_protocols_count(world: World) -> None:
    user_id = world.user()
    job_id = world.submit(user_id)
    world.sql("DELETE FROM generators")
    world.sql("INSERT INTO generators (name, protocol, max_in_flight) VALUES ('a', 'glide', 2), ('b', 'openai', 5)")

    def places(protocols: str) -> int:
        world.sql("UPDATE jobs SET protocols = :protocols WHERE id = :id", id=job_id, protocols=protocols)
        with world.services.db.statement() as connection:
            job = job_store.find_view(connection, job_id, user_id)
        assert job is not None
        return job.outlook.places

    assert places("glide") == 2
    assert places("img_generator,glide,openai") == 7
    assert places("glide2") == 0, "a protocol with the same prefix is a different one"
    assert places("img_generator,glide2") == 0
