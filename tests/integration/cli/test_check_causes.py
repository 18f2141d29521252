"""`easel check` names the cause of what does not work: not another one, not itself, and no secret."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import psycopg2
import pytest
from sqlalchemy import make_url

from cli import check_services
from cli.checks import Check, Level, run_checks
from shared.core import db
from shared.services import Services
from tests.support.own_redis import own_redis
from tests.support.separate_database import separate_database
from tests.support.world import with_settings

SECRET = "correct-horse-battery"


def cause(services: Services, part: str) -> str:
    """Return the only finding of a part, which must be wrong."""
    with closing(services.db):
        [(_, finding)] = run_checks([Check(part, partial(getattr(check_services, part), services))])
    assert finding.level == Level.WRONG
    assert SECRET not in finding.message
    assert "bug" not in finding.message
    return finding.message


@pytest.mark.parametrize(
    ("changes", "query", "words"),
    [
        ({"username": "stranger", "password": SECRET}, {}, "refuses the user or its password"),
        ({"database": "missing"}, {}, "has no database of this name"),
        ({"username": "guest"}, {}, "does not let this user connect"),
        ({"username": "easel", "password": SECRET, "host": "db.invalid"}, {"host": ()}, "host name is unknown"),
        ({}, {"colour": "blue"}, "an option that cannot be used"),
        ({}, {"sslmode": "blue"}, "an option that cannot be used"),
        ({"host": "127.0.0.1", "port": 9}, {"host": ()}, "cannot be reached. Make sure that the server"),
    ],
)
def test_a_database(
    services: Services, changes: dict[str, str], query: dict[str, str | tuple[str, ...]], words: str
) -> None:
    with separate_database(services.settings.database_url) as separate:
        separate.run("ALTER ROLE guest NOLOGIN")
        url = make_url(separate.url)
        asked = {name: value for name, value in {**url.query, **query}.items() if value != ()}
        address = url.set(query=asked, **changes).render_as_string(hide_password=False)  # type: ignore[arg-type]
        message = cause(with_settings(services, database_url=address), "database")
    assert words in message
    assert "EASEL_DATABASE_URL" in message


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('connection to server failed: FATAL:  password authentication failed for user "easel"', "refuses the user"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "easel", no encryption', "pg_hba.conf"),
        ("FATAL:  sorry, too many clients already", "no free connection"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "no free connection",
        ),
        ("server does not support SSL, but SSL was required", "encrypted connection"),
        ("SSL error: certificate verify failed", "encrypted connection"),
        ("SSL connection has been closed unexpectedly", "cannot be reached"),
        ("FATAL:  the database system is starting up", "starting or stopping"),
        ("canceling statement due to statement timeout", "time limit"),
    ],
)
def test_what_a_database_says(said: str, words: str) -> None:
    assert words in db.reason_of(psycopg2.OperationalError(said))


@pytest.mark.parametrize(
    ("user", "number", "words"),
    [
        ("", 0, "refuses the user or its password"),
        (f":{SECRET}@", 0, "refuses the user or its password"),
        (f"stranger:{SECRET}@", 0, "refuses the user or its password"),
        (f"guest:right-{SECRET}@", 0, "does not permit this user"),
        (f":right-{SECRET}@", 99, "no database of this number"),
    ],
)
def test_a_broker(services: Services, user: str, number: int, words: str) -> None:
    with own_redis() as (url, server):
        server.execute_command("ACL", "SETUSER", "guest", "on", f">right-{SECRET}", "~*", "+@all", "-set")  # type: ignore[no-untyped-call]
        server.config_set("requirepass", f"right-{SECRET}")
        address = f"redis://{user}{urlsplit(url).netloc.rpartition('@')[2]}/{number}"
        message = cause(with_settings(services, broker_url=address), "broker")
    assert words in message
    assert "EASEL_BROKER_URL" in message


@pytest.mark.parametrize(
    ("refuse", "words"),
    [({"maxmemory": "1"}, "is full"), ({"min-replicas-to-write": "1"}, "lacks the replicas")],
)
def test_a_broker_that_accepts_nothing(services: Services, refuse: dict[str, str], words: str) -> None:
    with own_redis() as (url, server):
        for name, value in refuse.items():
            server.config_set(name, value)
        assert words in cause(with_settings(services, broker_url=url), "broker")


def test_a_broker_without_encryption(services: Services) -> None:
    with own_redis() as (url, _):
        message = cause(with_settings(services, broker_url=url.replace("redis:", "rediss:")), "broker")
    assert "cannot be reached" in message


@contextmanager
def refusing_storage(status: int, code: str, content_type: str = "application/xml") -> Iterator[str]:
    """Serve one error, which has a body unless it answers a HEAD."""

    class Answers(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(b"")

        def do_GET(self) -> None:
            self.answer(f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode())

        def answer(self, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "SignatureDoesNotMatch", "the secret key is wrong"),
        (403, "InvalidAccessKeyId", "does not know the access key"),
        (403, "RequestTimeTooSkewed", "too far apart"),
        (400, "AuthorizationHeaderMalformed", "in another region"),
        (301, "PermanentRedirect", "in another region"),
        (404, "NoSuchBucket", "no bucket of the configured name"),
        (403, "AccessDenied", "does not permit this"),
        (400, "ExpiredToken", "token has expired"),
        (418, "Unheard", "answered Unheard"),
    ],
)
def test_a_storage(services: Services, status: int, code: str, words: str) -> None:
    with refusing_storage(status, code) as url:
        message = cause(with_settings(services, s3_endpoint=url, s3_public_endpoint=url), "storage")
    assert words in message
    assert "EASEL_S3_REGION" in message


@pytest.mark.parametrize(
    ("change", "words"),
    [(("http:", "https:"), "over an encrypted connection"), (("127.0.0.1", "s3.invalid"), "is unknown")],
)
def test_a_storage_that_is_not_there(services: Services, change: tuple[str, str], words: str) -> None:
    with refusing_storage(403, "AccessDenied") as url:
        wrong = url.replace(*change)
        message = cause(with_settings(services, s3_endpoint=wrong, s3_public_endpoint=wrong), "storage")
    assert words in message


def test_a_broker_with_an_unknown_name(services: Services) -> None:
    assert "host name that is unknown" in cause(
        with_settings(services, broker_url="redis://broker.invalid:6379/0"), "broker"
    )


def test_another_program_in_the_storages_place(services: Services) -> None:
    with refusing_storage(400, "-", "text/html") as url:
        message = cause(with_settings(services, s3_endpoint=url, s3_public_endpoint=url), "storage")
    assert "does not answer as S3 does" in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"s3_secret_key": SECRET}, "the secret key is wrong"),
        ({"s3_access_key": "stranger"}, "does not know the access key"),
        ({"s3_bucket": "missing"}, "no bucket of the configured name"),
    ],
)
def test_the_tests_own_storage(services: Services, changes: dict[str, str], words: str) -> None:
    assert words in cause(with_settings(services, **changes), "storage")
