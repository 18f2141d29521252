"""Requests per second through the gateway: submit, status, list and gallery, beside bare handlers of one statement.

With a rival build, its gateway replaces the bare handler.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from bench.bare_app import MAKE_TABLE
from bench.ground import OURS, Build, Ground
from bench.table import Bound, Row, in_turns
from local.ports import free_port
from local.process import Part
from shared.accounts.store import User
from shared.api.schemas import JobRequest
from shared.gallery import store as gallery_store
from shared.jobs import store as job_store
from shared.jobs import submission_store
from shared.jobs.records import StoredImage
from shared.jobs.resolution import new_job
from shared.jobs.states import Event, State
from shared.polling import claims as claim_store
from shared.polling.claims import Release

ROUNDS = 7
SECONDS = 2.0
CONNECTIONS = 8
USERS = 64
LISTED_JOBS = 50
GALLERY_JOBS = 24
PROMPT = "a lighthouse at night, stars over a calm sea"


@dataclass(frozen=True)
class Pair:
    """The gateway and its rival (a bare app, or another build's gateway), both running, on one database."""

    ground: Ground
    ours: int
    theirs: int
    users: list[tuple[User, str]]

    def rate(self, port: int, status: int, requests: list[str]) -> float:
        """Return the answers per second from this port."""
        plan = {
            "port": port,
            "seconds": SECONDS,
            "connections": CONNECTIONS,
            "status": status,
            "requests": requests,
        }
        return float(json.loads(self.ground.run("-m", "bench.load", given=json.dumps(plan)))["rate"])


def submit(ground: Ground) -> Iterator[Row]:
    """Measure POST /v1/jobs from many users, with an empty queue at the start of each round."""
    with _pair(ground) as pair:
        ours = [post("/v1/jobs", {"prompt": PROMPT}, token) for _, token in pair.users]
        theirs = ours if ground.rival else [post("/notes", {"text": PROMPT})] * CONNECTIONS

        def fresh(port: int, requests: list[str]) -> Callable[[], float]:
            def measure() -> float:
                ground.clear_jobs()
                return pair.rate(port, 202, requests)

            return measure

        figures = in_turns(fresh(pair.ours, ours), fresh(pair.theirs, theirs), ROUNDS)
        yield _row(ground, "submit", figures, "bare FastAPI, one INSERT", Bound(0.85))
        ground.clear_jobs()


def status(ground: Ground) -> Iterator[Row]:
    """Measure GET /v1/jobs/{id} of a waiting job, and of one that has succeeded with a picture."""
    with _pair(ground) as pair:
        notes = [get(f"/notes/{note_id}") for note_id in _insert_notes(ground, USERS)]
        for name, done in (("status, waiting", False), ("status, with a picture", True)):
            ground.clear_jobs()
            ours = [get(f"/v1/jobs/{_insert_job(ground, user, done=done)}", token) for user, token in pair.users]
            figures = _both(pair, ours, ours if ground.rival else notes)
            yield _row(ground, name, figures, "bare FastAPI, one SELECT", Bound(0.95))
        ground.clear_jobs()


def list_jobs(ground: Ground) -> Iterator[Row]:
    """Measure GET /v1/jobs of users with 50 jobs of one picture each: 100 presigned URLs per answer."""
    with _pair(ground) as pair:
        _insert_notes(ground, LISTED_JOBS)
        ground.clear_jobs()
        for user, _ in pair.users[:CONNECTIONS]:
            for _ in range(LISTED_JOBS):
                _insert_job(ground, user, done=True)
        ours = [get(f"/v1/jobs?limit={LISTED_JOBS}", token) for _, token in pair.users[:CONNECTIONS]]
        theirs = ours if ground.rival else [get(f"/notes?limit={LISTED_JOBS}")] * CONNECTIONS
        figures = _both(pair, ours, theirs)
        yield _row(ground, "list, 50 jobs with pictures", figures, "bare FastAPI, one SELECT of 50 rows", Bound(0.8))
        ground.clear_jobs()


def gallery(ground: Ground) -> Iterator[Row]:
    """Measure GET /v1/gallery: a page of 24 published jobs with a picture each, 48 presigned URLs per answer."""
    with _pair(ground) as pair:
        _insert_notes(ground, GALLERY_JOBS)
        ground.clear_jobs()
        for user, _ in pair.users[: GALLERY_JOBS + 1]:
            job_id = UUID(_insert_job(ground, user, done=True))
            with ground.services.db.begin() as connection:
                gallery_store.publish(connection, job_id)
        ours = [get(f"/v1/gallery?limit={GALLERY_JOBS}")] * CONNECTIONS
        theirs = ours if ground.rival else [get(f"/notes?limit={GALLERY_JOBS}")] * CONNECTIONS
        figures = _both(pair, ours, theirs)
        yield _row(ground, "gallery, a page of 24", figures, "bare FastAPI, one SELECT of 24 rows", Bound(0.8))
        ground.clear_jobs()


def _both(pair: Pair, ours: list[str], theirs: list[str]) -> tuple[float, float]:
    return in_turns(lambda: pair.rate(pair.ours, 200, ours), lambda: pair.rate(pair.theirs, 200, theirs), ROUNDS)


def _row(ground: Ground, name: str, figures: tuple[float, float], beside: str, bound: Bound | None = None) -> Row:
    if ground.rival is not None:
        return Row.beside_rival(name, "requests/s", figures)
    return Row(name, "requests/s", *figures, beside, bound)


@contextmanager
def _pair(ground: Ground) -> Iterator[Pair]:
    with ground.services.db.begin() as connection:
        connection.execute(text(MAKE_TABLE))
    ours, theirs = free_port(), free_port()
    url = ground.services.settings.database_url
    with ground.processes(
        gateway(ground, "gateway", ours),
        gateway(ground, "rival", theirs, ground.rival)
        if ground.rival
        else ground.python("bare", "bench.bare_app", str(theirs), url, asked=(theirs, "/docs")),
    ):
        yield Pair(ground, ours, theirs, ground.users(USERS))


def gateway(ground: Ground, name: str, port: int, build: Build = OURS, env: dict[str, str] | None = None) -> Part:
    """Return a build's gateway as a part, with `env` added to its variables."""
    env = {"EASEL_PORT": str(port)} | (env or {})
    return ground.python(name, "functions.gateway", asked=(port, "/v1/health"), env=env, build=build)


def _insert_notes(ground: Ground, count: int) -> list[str]:
    query = text("INSERT INTO notes (text) SELECT :text FROM generate_series(1, :count) RETURNING id")
    with ground.services.db.begin() as connection:
        return [str(note_id) for note_id in connection.execute(query, {"text": PROMPT, "count": count}).scalars()]


def _insert_job(ground: Ground, user: User, *, done: bool) -> str:
    """Insert a job as the pipeline leaves it, waiting or succeeded with one picture, and return its id."""
    with ground.services.db.begin() as connection:
        job = new_job(JobRequest(prompt=PROMPT), None, b"bench")
        row = submission_store.queue(connection, user.id, job, max_queued=100_000, jobs_per_day=1_000_000)
        assert row is not None
        job_id = UUID(row.id)
        if done:
            job_store.move(connection, job_id, State.GENERATING, Event.STARTED, generator="http://127.0.0.1:2020")
            claim = claim_store.claim(connection, job_id)
            assert claim is not None
            token = claim.attempt_token
            claim_store.release(connection, [(claim, Release(0, remote_id="1", event=Event.SENT))])
            job_store.move(connection, job_id, State.SUCCEEDED, Event.SUCCEEDED, attempt_token=token)
            key = f"jobs/{job_id}/{token}/0"
            image = StoredImage(0, f"{key}.png", f"{key}.webp", 512, 512, 700_000, 7, None)
            claim_store.insert_images(connection, {job_id: [image]})
    return str(job_id)


def get(path: str, token: str | None = None) -> str:
    """Return a complete request."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{_authorization(token)}\r\n"


def post(path: str, body: dict[str, str], token: str | None = None) -> str:
    """Return a complete request with a body of JSON."""
    data = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{_authorization(token)}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data.encode())}\r\n\r\n{data}"


def _authorization(token: str | None) -> str:
    return f"Authorization: Bearer {token}\r\n" if token else ""
