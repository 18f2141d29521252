"""`python -m bench.peers [--seconds 60]`: Easel's queue beside procrastinate, pgqueuer and Celery on Redis.

All run on the same Postgres and Redis, one after the other, with two worker processes each. The peers' tasks do
nothing; Easel's poller has a generator and a storage that answer at once (see `bench.instant_poller`), and still
dispatches, claims twice, encodes a picture and writes its rows. `make bench-peers` installs the peers into
`.venv-peers`.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import quantiles
from threading import Event, Thread

import psycopg2
import redis
from sqlalchemy import text

from bench.ground import ROOT, Ground, prepared
from bench.queue_fill import fill
from bench.table import machine
from local.process import Part
from shared.api.schemas import JobRequest
from shared.jobs import submission_store
from shared.jobs.resolution import new_job

PYTHON = ROOT / ".venv-peers/bin/python"
PEERS = ("procrastinate", "pgqueuer", "celery")
WORKERS = 2
BEFOREHAND = 3000
WAITING = 100_000
SINGLE, PAUSE_S = 100, 0.2
PLACES = 64
READERS = 4
LIMIT_S = 600.0


@dataclass
class Rival:
    """One queue: how jobs are added (`trickle` adds one at a time), how many are done, and its workers' programs.

    `waited_s` returns the seconds that the jobs done since a number of them waited for their start.
    """

    name: str
    add: Callable[[int], None]
    trickle: Callable[[int], None]
    done: Callable[[], int]
    waited_s: Callable[[int], list[float]]
    database: str
    parts: list[Part]


def easel(ground: Ground) -> Rival:
    """Return Easel's queue."""
    address = f"img_generator+http://127.0.0.1:9/?max_in_flight={PLACES}"
    env = {"EASEL_GENERATORS": address}
    users = [user for user, _ in ground.users(100)]
    db = ground.services.db

    def add(count: int) -> None:
        if count >= WAITING:
            fill(ground, count, users[0].id)
            ground.services.wake_ups.wake()
            return
        request = JobRequest(prompt="a lighthouse at night", width=64, height=64)
        with db.statement() as connection:
            for number in range(count):
                user_id = users[number % len(users)].id
                job = new_job(request, None, b"bench")
                submission_store.queue(connection, user_id, job, max_queued=10**6, jobs_per_day=10**6)
        ground.services.wake_ups.wake()

    def trickle(count: int) -> None:
        for _ in range(count):
            add(1)
            Event().wait(PAUSE_S)

    def done() -> int:
        with db.statement() as connection:
            query = text("SELECT coalesce(sum(count), 0)::int FROM tallies WHERE name = 'succeeded'")
            return int(connection.execute(query).scalar_one())

    def waited_s(since: int) -> list[float]:
        query = """
            SELECT extract(epoch FROM sent_at - created_at)::float FROM jobs WHERE state = 'succeeded'
            ORDER BY finished_at OFFSET :since
        """
        with db.statement() as connection:
            return list(connection.execute(text(query), {"since": since}).scalars())

    parts = [
        ground.python("worker", "bench.instant_poller", str(WORKERS), env=env),
        ground.python("beat", "poller", "beat", env=env),
    ]
    database = ground.services.settings.database_url.replace("+psycopg2", "")
    return Rival("Easel", add, trickle, done, waited_s, database, parts)


def peer(ground: Ground, name: str) -> Rival:
    """Return a peer with its own database, after it has created its tables."""
    settings = ground.services.settings
    server = settings.database_url.replace("+psycopg2", "")
    with ground.services.db.statement() as connection:
        connection.execute(text(f"CREATE DATABASE peer_{name}"))
    head, _, query = server.partition("?")
    database = f"{head.rpartition('/')[0]}/peer_{name}?{query}"
    env = {"PEER_DATABASE": database, "PEER_REDIS": settings.broker_url}
    program = str(ROOT / "bench/peer_programs.py")
    record = redis.Redis.from_url(settings.broker_url)

    def run(*what: str) -> None:
        ground.run(program, name, *what, python=str(PYTHON), env=env)

    run("setup")
    command, environment = (str(PYTHON), program, name, "work"), ground.env | env
    parts = [Part(f"{name}-{number}", command, environment, lambda: True) for number in range(WORKERS)]
    key = f"peer:{name}"
    return Rival(
        name,
        lambda count: run("enqueue", str(count)),
        lambda count: run("trickle", str(count)),
        lambda: int(record.llen(key)),
        lambda since: [float(entry) for entry in record.lrange(key, since, -1)],
        database,
        parts,
    )


def measure(ground: Ground, rival: Rival, seconds: float) -> Iterator[tuple[str, str, float]]:
    """Yield (cell, unit, figure) of one queue."""
    rival.add(BEFOREHAND)
    with ground.processes(*rival.parts):
        yield "jobs queued beforehand", "jobs/s", _drain(rival, BEFOREHAND)
        before = rival.done()
        rival.trickle(SINGLE)
        _until(lambda: rival.done() >= before + SINGLE)
        cuts = quantiles(rival.waited_s(before), n=100)
        yield "wait for the start on an idle queue, 50th percentile", "ms", 1000 * cuts[49]
        yield "the same, 99th percentile", "ms", 1000 * cuts[98]
        rival.add(WAITING)
        yield f"with {WAITING:,} waiting", "jobs/s", _rate(rival, min(seconds, 20))
        rival.add(WAITING)  # a quick queue may have done most of them
        with idle_in_transaction(rival.database):
            yield "with a session idle in a transaction", "jobs/s", _rate(rival, seconds)
        rival.add(WAITING)
        with overlapping_readers(rival.database):
            yield f"with {READERS} overlapping readers", "jobs/s", _rate(rival, seconds)


def _drain(rival: Rival, count: int) -> float:
    """Return the rate of the last nine tenths of the jobs: the workers start during the first."""
    _until(lambda: rival.done() >= count / 10)
    before, begin = rival.done(), time.monotonic()
    _until(lambda: rival.done() >= count)
    return (count - before) / (time.monotonic() - begin)


def _rate(rival: Rival, seconds: float) -> float:
    before, begin = rival.done(), time.monotonic()
    Event().wait(seconds)
    done = rival.done() - before
    if not done:
        raise RuntimeError(f"{rival.name} finished no job in {seconds:.0f} s")
    return done / (time.monotonic() - begin)


def _until(true: Callable[[], bool]) -> None:
    end, pause = time.monotonic() + LIMIT_S, Event()
    while not true():
        if time.monotonic() > end:
            raise RuntimeError(f"it did not happen within {LIMIT_S:.0f} s")
        pause.wait(0.02)


@contextmanager
def idle_in_transaction(database: str) -> Iterator[None]:
    """Keep a session in a transaction with a snapshot, which keeps dead rows from being removed."""
    with ExitStack() as opened:
        connection = psycopg2.connect(database)
        opened.callback(connection.close)
        _read(connection)
        yield


@contextmanager
def overlapping_readers(database: str) -> Iterator[None]:
    """Keep four readers whose snapshots overlap: one of them is always open."""
    stop = Event()

    def read_again_and_again(delay_s: float) -> None:
        stop.wait(delay_s)
        while not stop.is_set():
            connection = psycopg2.connect(database)
            _read(connection)
            stop.wait(4)
            connection.close()

    threads = [Thread(target=read_again_and_again, args=(number,), daemon=True) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _read(connection: "psycopg2.extensions.connection") -> None:
    connection.set_session(isolation_level="REPEATABLE READ")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class")


def table(found: dict[str, dict[str, tuple[str, float]]]) -> Iterator[str]:
    """Yield the lines of a Markdown table; pressure is also shown as a share of the rate without it."""
    yield f"| cell | {' | '.join(found)} |"
    yield f"|---|{'---:|' * len(found)}"
    calm = f"with {WAITING:,} waiting"
    for cell in next(iter(found.values())):
        cells = []
        for figures in found.values():
            unit, figure = figures[cell]
            share = f" ({figure / figures[calm][1]:.0%})" if cell.startswith("with") and cell != calm else ""
            cells.append(f"{figure:,.0f} {unit}{share}" if figure >= 10 else f"{figure:.1f} {unit}{share}")
        yield f"| {cell} | {' | '.join(cells)} |"
    yield ""
    yield f"On {machine()}, {WORKERS} worker processes each, one queue after the other."


def main() -> None:
    """Run and print the table; progress goes to stderr. Ctrl-C ends the run and cleans up."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Measure Easel's queue beside others.")
    parser.add_argument("names", nargs="*", default=("Easel", *PEERS), help="Easel, procrastinate, pgqueuer, celery")
    parser.add_argument("--seconds", type=float, default=60, help="how long each pressure lasts")
    arguments = parser.parse_args()
    if not PYTHON.exists():
        sys.exit("bench: the peers are not installed; run `make bench-peers`")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found: dict[str, dict[str, tuple[str, float]]] = {}
    try:
        with prepared() as ground:
            for name in arguments.names:
                rival = easel(ground) if name == "Easel" else peer(ground, name)
                for cell, unit, figure in measure(ground, rival, arguments.seconds):
                    found.setdefault(rival.name, {})[cell] = unit, figure
                    print(f"bench: {rival.name}, {cell}: {figure:.4g} {unit}", file=sys.stderr, flush=True)
                ground.clear_jobs()
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; everything it started has stopped")
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
