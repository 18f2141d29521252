"""The peers' side of `bench.peers`, run by the peers' own Python: `peer_programs.py <peer> setup|work|enqueue|trickle`.

Each peer's task does nothing but record how long it waited: the seconds since it was sent, in a list of Redis. The
variables PEER_DATABASE and PEER_REDIS name the servers.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import redis

AT_ONCE = 32
"""The tasks that a process has in hand, and the jobs that are sent by one call: as Easel's default."""

PAUSE_S = 0.2

DATABASE, REDIS = os.environ["PEER_DATABASE"], os.environ["PEER_REDIS"]
_done = redis.Redis.from_url(REDIS)


def record(peer: str, sent: float) -> None:
    """Record that a task sent at this time has begun."""
    _done.rpush(f"peer:{peer}", time.time() - sent)


def batches(count: int, size: int = 1000) -> Iterator[int]:
    """Yield sizes that add up to `count`."""
    for first in range(0, count, size):
        yield min(size, count - first)


class Procrastinate:
    """procrastinate with its psycopg connector."""

    def __init__(self) -> None:
        import procrastinate

        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=DATABASE))

        @self._app.task(name="nothing")  # type: ignore[untyped-decorator, unused-ignore]
        async def nothing(sent: float) -> None:
            record("procrastinate", sent)

        self._task = nothing

    async def setup(self) -> None:
        """Create its tables."""
        async with self._app.open_async():
            await self._app.schema_manager.apply_schema_async()

    async def enqueue(self, count: int) -> None:
        """Send so many tasks."""
        async with self._app.open_async():
            for size in batches(count):
                await self._task.batch_defer_async(*[{"sent": time.time()}] * size)

    async def work(self) -> None:
        """Do tasks until the process is ended."""
        async with self._app.open_async():
            await self._app.run_worker_async(concurrency=AT_ONCE, install_signal_handlers=False)


class Pgqueuer:
    """pgqueuer with asyncpg."""

    async def setup(self) -> None:
        """Create its tables."""
        from pgqueuer import AsyncpgDriver, Queries

        await Queries(AsyncpgDriver(await self._connect())).install()

    async def enqueue(self, count: int) -> None:
        """Send so many tasks."""
        from pgqueuer import AsyncpgDriver, Queries

        queries = Queries(AsyncpgDriver(await self._connect()))
        for size in batches(count):
            payload = str(time.time()).encode()
            await queries.enqueue(["nothing"] * size, [payload] * size, [0] * size)

    async def work(self) -> None:
        """Do tasks until the process is ended."""
        from pgqueuer import Job, PgQueuer

        queuer = PgQueuer.from_asyncpg_connection(await self._connect())

        @queuer.entrypoint("nothing")  # type: ignore[untyped-decorator, unused-ignore]
        async def nothing(job: Job) -> None:
            record("pgqueuer", float(job.payload or b"0"))

        await queuer.run(batch_size=AT_ONCE)

    @staticmethod
    async def _connect() -> Any:  # noqa: ANN401 # asyncpg's
        import asyncpg

        return await asyncpg.connect(DATABASE)


class CeleryOnRedis:
    """Celery with Redis as its broker, one process of its pool."""

    def __init__(self) -> None:
        import celery

        self._app = celery.Celery("peers", broker=REDIS)
        self._app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=AT_ONCE, task_default_queue="peers")

        @self._app.task(name="nothing")
        def nothing(sent: float) -> None:
            record("celery", sent)

        self._task = nothing

    async def setup(self) -> None:
        """Do nothing: Redis needs no tables."""

    async def enqueue(self, count: int) -> None:
        """Send so many tasks."""
        with self._app.connection_for_write() as connection, self._app.amqp.Producer(connection) as producer:
            for _ in range(count):
                self._task.apply_async((time.time(),), producer=producer)

    async def work(self) -> None:
        """Do tasks until the process is ended."""
        self._app.Worker(pool="solo", quiet=True, without_gossip=True, without_mingle=True).start()


PEERS: dict[str, Any] = {"procrastinate": Procrastinate, "pgqueuer": Pgqueuer, "celery": CeleryOnRedis}


async def trickle(peer: Any, count: int) -> None:  # noqa: ANN401 # one of PEERS
    """Send tasks one at a time, with a pause in which the one before is done."""
    for _ in range(count):
        await peer.enqueue(1)
        await asyncio.sleep(PAUSE_S)


def main() -> None:
    """Do what the command line names."""
    peer = PEERS[sys.argv[1]]()
    what, count = sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0
    match what:
        case "enqueue":
            asyncio.run(peer.enqueue(count))
        case "trickle":
            asyncio.run(trickle(peer, count))
        case _:
            asyncio.run(getattr(peer, what)())


if __name__ == "__main__":
    main()
