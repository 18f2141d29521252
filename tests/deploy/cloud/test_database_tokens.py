"""Database authentication with AWS IAM tokens: their bytes, one per connection, and the rules of the settings."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import botocore.auth
import pytest
from sqlalchemy import make_url, text

from local.servers import HERE
from shared.core import db
from shared.core.db import Database
from shared.core.errors import Unavailable
from shared.core.settings import Settings, SettingsError
from shared.services import Services
from tests.support.fault_proxy import Way, fault_proxy

REGION = "eu-central-1"
HOST = "easel.proxy-abc.eu-central-1.rds.amazonaws.com"
URL = f"postgresql://easel@{HOST}:5432/easel?sslmode=require"


class Clock:
    """The time as botocore sees it."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def read(self, remove_tzinfo: bool = True) -> datetime:
        return self.now.replace(tzinfo=None) if remove_tzinfo else self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    clock = Clock()
    monkeypatch.setattr(botocore.auth, "get_current_datetime", clock.read)
    return clock


@pytest.mark.parametrize("session", [None, "a session's token/+="])
def test_the_token_is_that_of_boto3(clock: Clock, monkeypatch: pytest.MonkeyPatch, session: str | None) -> None:
    if session is not None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", session)
    token = db._iam_token(HOST, 5432, "easel", REGION)
    client = boto3.Session().client("rds", region_name=REGION)
    assert token == client.generate_db_auth_token(DBHostname=HOST, Port=5432, DBUsername="easel")
    parts = urlsplit(f"https://{token}")
    query = parse_qs(parts.query)
    assert (parts.hostname, parts.port) == (HOST, 5432)
    assert (query["Action"], query["DBUser"], query["X-Amz-Expires"]) == (["connect"], ["easel"], ["900"])
    assert query["X-Amz-Credential"] == [f"AKIAEXAMPLE/20300101/{REGION}/rds-db/aws4_request"]


@pytest.fixture
def role(services: Services, environment: dict[str, str]) -> Iterator[str]:
    """Create a Postgres role that needs a password, as every role does in RDS."""
    with services.db.statement() as connection:
        hba = Path(connection.execute(text("SHOW hba_file")).scalar_one())
        if hba.is_relative_to(HERE):  # where the server is, which is where its socket is
            hba = Path(str(make_url(environment["EASEL_DATABASE_URL"]).query["host"])) / hba.name
        before = hba.read_text()
        connection.execute(text("CREATE ROLE token_bearer LOGIN"))
        hba.write_text("local all token_bearer password\n" + before)
        connection.execute(text("SELECT pg_reload_conf()"))
    yield "token_bearer"
    hba.write_text(before)
    with services.db.statement() as connection:
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text("DROP ROLE token_bearer"))


def test_each_connection_takes_a_new_token(
    clock: Clock, services: Services, role: str, environment: dict[str, str]
) -> None:
    folder = make_url(environment["EASEL_DATABASE_URL"]).query["host"]
    with fault_proxy(f"{folder}/.s.PGSQL.5432") as proxy:
        url = f"postgresql+psycopg2://{role}@127.0.0.1:{proxy.port}/postgres"
        token = db._iam_token("127.0.0.1", proxy.port, role, REGION)
        with services.db.statement() as connection:
            connection.execute(text(f"ALTER ROLE {role} PASSWORD '{token}'"))
        database = Database(url, pool_size=1, iam_region=REGION)
        query = text("SELECT current_user")
        with database.statement() as connection:
            assert connection.execute(query).scalar_one() == role
        clock.now += timedelta(minutes=16)
        with database.statement() as connection:
            assert connection.execute(query).scalar_one() == role  # an open connection survives its token's expiry
        database.close()
        with pytest.raises(Unavailable), database.statement():  # the next one uses another token
            pass
        clock.now -= timedelta(minutes=16)
        with database.statement() as connection:
            assert connection.execute(query).scalar_one() == role
        database.close()


def test_without_credentials_the_database_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    database = Database(URL.replace("postgresql:", "postgresql+psycopg2:"), pool_size=1, iam_region=REGION)
    with pytest.raises(Unavailable, match="no AWS credentials"), database.statement():
        pass


def test_credentials_that_cannot_be_fetched_leave_the_database_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with fault_proxy(9, http=True) as metadata:
        metadata.way = Way(status=404)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{metadata.port}/role")
        database = Database(URL.replace("postgresql:", "postgresql+psycopg2:"), pool_size=1, iam_region=REGION)
        with pytest.raises(Unavailable, match="no AWS credentials"), database.statement():
            pass


def read(url: str = URL, **changes: str) -> Settings:
    return Settings.from_environment(
        {"EASEL_DATABASE_URL": url, "EASEL_BROKER_URL": "redis://127.0.0.1/0", "AWS_REGION": REGION, **changes}
    )


def test_passwords_are_the_default() -> None:
    assert read().database_auth is None
    assert read(EASEL_DATABASE_AUTH="password").database_auth is None


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_tokens_need_an_encrypted_connection(mode: str) -> None:
    assert read(URL.replace("require", mode), EASEL_DATABASE_AUTH="iam").database_auth == REGION


@pytest.mark.parametrize(
    ("url", "changes", "words"),
    [
        (URL, {"EASEL_DATABASE_AUTH": "kerberos"}, "EASEL_DATABASE_AUTH is one of password, iam"),
        (URL, {"AWS_REGION": ""}, "AWS_REGION"),
        (URL, {"AWS_REGION": "a region"}, "AWS_REGION"),
        (URL.partition("?")[0], {}, "sslmode=require"),
        (URL.replace("require", "prefer"), {}, "sslmode=require"),
        (URL.replace("easel@", ""), {}, "a user and a host"),
        ("postgresql://easel@/easel?sslmode=require", {}, "a user and a host"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line(url: str, changes: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        read(url, **({"EASEL_DATABASE_AUTH": "iam"} | changes))
    assert str(refused.value).endswith(".")
