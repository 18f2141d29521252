"""`python -m bench.peers [--seconds 30]`: Easel's queue beside procrastinate, pgqueuer and Celery on Redis.

All run on the same Postgres and Redis, one after the other, with two worker processes each. The peers' tasks do
nothing, and neither do Easel's steps (see `bench.instant_poller`). A further column has an Easel that also makes a
picture of 64 x 64 px for each job. `make bench-peers` installs the peers into `.venv-peers`.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from statistics import mean, quantiles
from threading import Event, Thread

import psycopg2
import redis
from sqlalchemy import text

from bench.ground import ROOT, Ground, prepared
from bench.instant_poller import STARTED, instant_poller
from bench.queue_fill import add_waiting
from bench.table import machine
from local.process import Part
from shared.api.schemas import JobRequest
from shared.jobs import submission_store
from shared.jobs.resolution import new_job

PYTHON = ROOT / ".venv-peers/bin/python"
OURS: dict[str, tuple[str, ...]] = {"Easel": ("--no-pictures",), "Easel with pictures": ()}
PEERS = ("procrastinate", "pgqueuer", "celery")
WORKERS = 2
BEFOREHAND = 3000
WAITING = 100_000
BATCH = 5000
SINGLE, PAUSE_S = 100, 0.2
READERS = 4
ROUNDS = 2
FEWEST = 5000
"""Jobs that are left when a cell ends early, so that no queue runs empty."""
LIMIT_S = 600.0
CALM = f"with {WAITING:,} waiting"


@dataclass
class Rival:
    """One queue: how jobs are queued (`trickle` queues one at a time), how many are done, and its workers' programs.

    `database` is None for a queue that is not in Postgres, which no pressure on it concerns.

    `waited_s` returns the seconds that the jobs done since a number of them waited for their start.
    """

    name: str
    queue: Callable[[int], None]
    trickle: Callable[[int], None]
    done: Callable[[], int]
    waited_s: Callable[[int], list[float]]
    database: str | None
    parts: list[Part]
    added: int = 0

    def add(self, count: int) -> None:
        """Queue so many jobs."""
        self.queue(count)
        self.added += count


def easel(ground: Ground, name: str, *options: str) -> Rival:
    """Return Easel's queue."""
    users = [user for user, _ in ground.users(100)]
    db, record = ground.services.db, redis.Redis.from_url(ground.services.settings.broker_url)

    def add(count: int) -> None:
        if count > BEFOREHAND:
            add_waiting(ground, count)
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

    record.delete(STARTED)
    parts = instant_poller(ground, *options)
    database = ground.services.settings.database_url.replace("+psycopg2", "")
    return Rival(name, add, trickle, *_recorded(record, STARTED), database, parts)


def _recorded(record: redis.Redis, key: str) -> tuple[Callable[[], int], Callable[[int], list[float]]]:
    """Return `done` and `waited_s` of a queue whose tasks add to a list in Redis how long they waited."""
    return (
        lambda: int(record.llen(key)),
        lambda since: [float(entry) for entry in record.lrange(key, since, -1)],
    )


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

    def add(count: int) -> None:
        for first in range(0, count, BATCH):  # each within the limit of a program's time
            run("enqueue", str(min(BATCH, count - first)))

    recorded = _recorded(record, f"peer:{name}")
    of_postgres = None if name == "celery" else database
    return Rival(name, add, lambda count: run("trickle", str(count)), *recorded, of_postgres, parts)


def measure(ground: Ground, rival: Rival, seconds: float) -> Iterator[tuple[str, str, float]]:
    """Yield (cell, unit, figure) of one queue."""
    rival.add(BEFOREHAND)
    with ground.processes(*rival.parts):
        yield "jobs queued beforehand", "jobs/s", _drain(rival, BEFOREHAND)
        before = rival.done()
        rival.trickle(SINGLE)
        rival.added += SINGLE
        _until(lambda: rival.done() >= before + SINGLE)
        cuts = quantiles(rival.waited_s(before), n=100)
        yield "wait for the start on an idle queue, 50th percentile", "ms", 1000 * cuts[49]
        yield "the same, 99th percentile", "ms", 1000 * cuts[98]
        for _ in range(ROUNDS):
            for cell, pressure in PRESSURES.items():
                _fill_up(rival)
                if rival.database is None:
                    yield CALM, "jobs/s", _rate(rival, seconds)
                    break
                with pressure(rival.database):
                    yield cell, "jobs/s", _rate(rival, seconds)


def _drain(rival: Rival, count: int) -> float:
    """Return the rate of the last nine tenths of the jobs: the workers start during the first."""
    _until(lambda: rival.done() >= count / 10)
    before, begin = rival.done(), time.monotonic()
    _until(lambda: rival.done() >= count)
    return (count - before) / (time.monotonic() - begin)


def _fill_up(rival: Rival) -> None:
    """Queue jobs up to the number that is to wait, and clean up after the cell before."""
    missing = WAITING - (rival.added - rival.done())
    rival.add(missing)
    if rival.database is None:
        return
    with closing(psycopg2.connect(rival.database)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _rate(rival: Rival, seconds: float) -> float:
    before, begin, pause = rival.done(), time.monotonic(), Event()
    done = 0
    while time.monotonic() < begin + seconds and done < WAITING - FEWEST:
        pause.wait(0.1)
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
def no_pressure(_database: str) -> Iterator[None]:
    """Do nothing."""
    yield


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


PRESSURES: dict[str, Callable[[str], AbstractContextManager[None]]] = {
    CALM: no_pressure,
    "with a session idle in a transaction": idle_in_transaction,
    f"with {READERS} overlapping readers": overlapping_readers,
}


def table(found: dict[str, dict[str, tuple[str, list[float]]]]) -> Iterator[str]:
    """Yield the lines of a Markdown table; pressure is also shown as a share of the rate without it."""
    yield f"| cell | {' | '.join(found)} |"
    yield f"|---|{'---:|' * len(found)}"
    for cell in next(iter(found.values())):
        cells = []
        for figures in found.values():
            if cell not in figures:
                cells.append("—")
                continue
            unit, figure = figures[cell][0], mean(figures[cell][1])
            share = f" ({figure / mean(figures[CALM][1]):.0%})" if cell in PRESSURES and cell != CALM else ""
            cells.append(f"{figure:,.0f} {unit}{share}" if figure >= 10 else f"{figure:.1f} {unit}{share}")
        yield f"| {cell} | {' | '.join(cells)} |"
    yield ""
    yield f"On {machine()}, {WORKERS} worker processes each, one queue after the other; {ROUNDS} rounds under pressure."


def main() -> None:
    """Run and print the table; progress goes to stderr. Ctrl-C ends the run and cleans up."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Measure Easel's queue beside others.")
    names = (*OURS, *PEERS)
    parser.add_argument("names", nargs="*", default=names, metavar="name", help=f"some of: {', '.join(names)}")
    parser.add_argument("--seconds", type=float, default=30, help="how long each round under pressure lasts")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in names]:
        parser.error(f"no such queue: {unknown[0]}")
    if not PYTHON.exists():
        sys.exit("bench: the peers are not installed; run `make bench-peers`")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found: dict[str, dict[str, tuple[str, list[float]]]] = {}
    try:
        with prepared() as ground:
            for name in arguments.names:
                rival = easel(ground, name, *OURS[name]) if name in OURS else peer(ground, name)
                for cell, unit, figure in measure(ground, rival, arguments.seconds):
                    found.setdefault(name, {}).setdefault(cell, (unit, []))[1].append(figure)
                    print(f"bench: {name}, {cell}: {figure:.4g} {unit}", file=sys.stderr, flush=True)
                ground.clear_jobs()
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; everything it started has stopped")
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
