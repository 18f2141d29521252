"""Dispatching without generators: which job starts when, and where."""

import random
from typing import Any
from uuid import UUID

from shared.generators.addresses import GeneratorAddress
from shared.jobs import store as job_store
from shared.jobs.states import Event, State
from shared.polling import generators as generator_store
from tests.support.clean_tables import empty_tables
from tests.support.poller import Poller
from tests.support.world import World, with_settings


class Dispatch:
    """Generators that are only slots: jobs start and end as the test says, and nothing is sent.

    `places` are the slots of one img_generator, `glide` those of a Glide server next to it.
    """

    def __init__(self, world: World, *, places: int, max_running: int, glide: int = 0) -> None:
        self.world = world
        empty_tables(world.services.db)
        given = {"img_generator": places, "glide": glide}
        addresses = tuple(
            GeneratorAddress(protocol, f"http://127.0.0.1:9/{protocol}", count)
            for protocol, count in given.items()
            if count
        )
        self.poller = Poller(with_settings(world.services, max_running=max_running), addresses)
        with world.services.db.begin() as connection:
            generator_store.register(connection, addresses)
        self.owners: dict[UUID, UUID] = {}
        self.started: list[UUID] = []
        self.running: list[UUID] = []

    def submit(self, user: UUID, steps: int, **request: Any) -> UUID:
        job_id = self.world.submit(user, **{"steps": steps, "width": 512, "height": 512} | request)
        self.owners[job_id] = user
        return job_id

    def start(self) -> list[UUID]:
        ready = self.poller.start()
        self.started += ready
        self.running += ready
        return ready

    def end(self, job_id: UUID) -> None:
        self.running.remove(job_id)
        with self.world.services.db.begin() as connection:
            job_store.move(connection, job_id, State.SUCCEEDED, Event.SUCCEEDED)

    def start_all(self, choose: random.Random) -> None:
        """Start and end jobs until none is left; the next running job to end is chosen at random."""
        self.start()
        while self.running:
            self.end(choose.choice(self.running))
            self.start()

    def protocol(self, job_id: UUID) -> str:
        """Return the protocol of the job's present or last generator."""
        return str(self.world.row(job_id).generator).rpartition("/")[2]
