"""The health of a site: whether its parts work, not only whether they answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import redis
from fastapi import Response
from sqlalchemy import text

from functions.health import health
from shared.clients import broker
from shared.metrics.health import check
from shared.services import Services
from tests.support.own_redis import own_redis
from tests.support.refused_writes import refused_writes
from tests.support.separate_database import Separate, separate_database
from tests.support.world import World, with_settings

WELL = dict.fromkeys(("database", "storage", "broker", "poller"), "ok")


@pytest.fixture
def separate(environment: dict[str, str]) -> Iterator[Separate]:
    with separate_database(environment["EASEL_DATABASE_URL"]) as separate:
        yield separate


def database_health(services: Services, url: str) -> str:
    """Return what is reported of this database; the answer's status must be 503 unless it is ok."""
    other = with_settings(services, database_url=url)
    response = Response()
    with closing(other.db):
        checks = health(other, response)["checks"]
    assert {part: checks[part] for part in ("storage", "broker")} == {"storage": "ok", "broker": "ok"}
    assert checks["database"] == "ok" or ("poller" not in checks and response.status_code == 503)
    return checks["database"]


def set_revision(separate: Separate, services: Services, revision: str) -> None:
    other = with_settings(services, database_url=separate.url)
    with closing(other.db), other.db.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)"))
        connection.execute(text("CREATE TABLE IF NOT EXISTS leases (attempt_token uuid, until timestamptz)"))
        connection.execute(text("DELETE FROM alembic_version"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


def test_a_database_without_this_versions_tables(services: Services, separate: Separate) -> None:
    assert "Run its migrations" in database_health(services, separate.url)
    set_revision(separate, services, "0001")
    assert "Run its migrations" in database_health(services, separate.url)
    set_revision(separate, services, "9999")
    assert database_health(services, separate.url) == "ok", "a later version is being rolled out"


def test_a_database_that_hides_its_tables(services: Services, separate: Separate) -> None:
    set_revision(separate, services, "9999")
    assert "does not let Easel use its tables" in database_health(services, separate.guest_url)


def test_a_database_that_accepts_no_changes(services: Services, separate: Separate) -> None:
    set_revision(separate, services, "9999")
    separate.run("ALTER DATABASE separate SET default_transaction_read_only = on")
    assert "accepts no changes" in database_health(services, separate.url)
    separate.run("ALTER DATABASE separate RESET default_transaction_read_only")
    assert database_health(services, separate.url) == "ok"


def test_a_database_whose_disk_is_full(services: Services) -> None:
    url = services.settings.database_url
    with refused_writes(services.db, "53100", "INSERT ON leases FOR EACH STATEMENT"):
        assert database_health(services, url) == "The database's disk is full."
    assert database_health(services, url) == "ok"
    with services.db.statement() as connection:
        assert connection.execute(text("SELECT count(*) FROM leases")).scalar() == 0, "the change is taken back"


@pytest.mark.parametrize(
    ("refuse", "words"),
    [
        (lambda server: server.config_set("maxmemory", 1), "is full"),
        (lambda server: server.config_set("min-replicas-to-write", 1), "lacks the replicas"),
        (lambda server: server.replicaof("127.0.0.1", 9), "it is a replica"),
    ],
)
def test_a_broker_that_answers_and_accepts_nothing(
    services: Services, refuse: Callable[[redis.Redis], None], words: str
) -> None:
    with own_redis() as (url, server):
        other = with_settings(services, broker_url=url)
        assert check(other) == WELL
        assert 0 < server.ttl(broker.CHECK_KEY) <= broker.CHECK_KEPT_S
        assert server.llen(broker.QUEUE) == 0
        refuse(server)
        result = check(other)
    assert words in result.pop("broker")
    assert set(result.values()) == {"ok"}


@contextmanager
def storage_that_stores(status: int, code: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a storage that has every bucket and answers each PUT so, and the keys that were PUT."""
    keys: list[str] = []

    class Storage(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def do_PUT(self) -> None:
            keys.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            body = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Storage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", keys
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (507, "XMinioStorageFull", "is full"),
        (403, "AccessDenied", "does not permit"),
        (403, "QuotaExceeded", "is full"),
    ],
)
def test_a_storage_that_answers_and_stores_nothing(services: Services, status: int, code: str, words: str) -> None:
    with storage_that_stores(status, code) as (url, _):
        result = check(with_settings(services, s3_endpoint=url))
    assert words in result.pop("storage")
    assert set(result.values()) == {"ok"}


def test_a_storage_is_written_to_once_in_a_while(services: Services) -> None:
    with storage_that_stores(200) as (url, keys):
        other = with_settings(services, s3_endpoint=url)
        assert [check(other)["storage"] for _ in range(3)] == ["ok"] * 3
        assert [key.rpartition("/")[2] for key in keys] == ["health"]


def test_nothing_is_written_with_the_keys_of_a_role(services: Services) -> None:
    with storage_that_stores(200) as (url, keys):
        assert check(with_settings(services, s3_endpoint=url, s3_session_token="a token"))["storage"] == "ok"
    assert keys == []


def test_a_broker_that_never_answers(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "CHECK_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        assert check(with_settings(services, broker_url=url))["broker"] == "The broker cannot be reached."


@pytest.mark.parametrize(
    ("swept_s", "waiting_s", "words"),
    [
        (None, None, "ok"),
        (None, 5, "ok"),
        (None, 3600, "has not swept for 36"),
        (1, 3600, "ok"),
        (50, None, "ok"),
        (70, None, "has not swept for 7"),
    ],
)
def test_the_poller(world: World, swept_s: int | None, waiting_s: int | None, words: str) -> None:
    """Before its first sweep a site is well until a job waits for one."""
    age = "clock_timestamp() - make_interval(secs => :age)"
    if waiting_s is not None:
        world.submit(world.user())
        world.sql(f"UPDATE jobs SET created_at = {age}", age=waiting_s)
    world.sql(f"UPDATE queue_clock SET swept_at = {age}", age=swept_s)
    response = Response()
    answer = health(world.services, response)
    assert words in answer["checks"]["poller"]
    assert (response.status_code == 503) == (words != "ok")
