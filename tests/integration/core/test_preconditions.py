"""Servers, databases and roles that are set otherwise than usual: named in a sentence, or made no difference."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from cli import check_services
from cli.checks import Level
from shared.core import preconditions
from shared.core.db import Database
from shared.services import Services
from tests.support.paths import ROOT
from tests.support.separate_database import Separate, separate_database
from tests.support.world import with_settings

PLAIN = "LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"


@contextmanager
def made(services: Services, options: str = "", *settings: str) -> Iterator[Separate]:
    with separate_database(services.settings.database_url, options) as separate:
        for setting in settings:
            separate.run(f"ALTER DATABASE separate SET {setting}")
        yield separate


def found(services: Services, separate: Separate) -> list[tuple[Level, str]]:
    """Return what `easel check` finds, without the missing tables."""
    other = with_settings(services, database_url=separate.url)
    with closing(other.db):
        findings = [(finding.level, finding.message) for finding in check_services.database(other)]
    return [(level, message) for level, message in findings if "no tables of Easel" not in message]


@pytest.mark.parametrize(
    ("options", "settings", "words"),
    [
        (f"ENCODING 'LATIN1' {PLAIN}", [], "Its encoding is LATIN1"),
        (f"ENCODING 'SQL_ASCII' {PLAIN}", [], "Its encoding is SQL_ASCII"),
        ("", ["default_transaction_read_only = on"], "accepts no changes"),
        ("", ["search_path = nowhere"], "No schema of its search_path exists"),
    ],
)
def test_a_database_that_cannot_be_used(
    services: Services, monkeypatch: pytest.MonkeyPatch, options: str, settings: list[str], words: str
) -> None:
    with made(services, options, *settings) as separate:
        [(level, message)] = found(services, separate)
        assert (level, words in message) == (Level.WRONG, True)
        monkeypatch.setenv("EASEL_DATABASE_URL", separate.url)
        with pytest.raises(CommandError, match=words):
            command.upgrade(Config(ROOT / "alembic.ini"), "head")


def test_a_role_that_may_not_do_its_work(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since PostgreSQL 15, only the owner of a database may create tables in its schema `public`."""
    with made(services) as separate:
        guest = replace(separate, url=separate.guest_url)
        [(level, message)] = found(services, guest)
        assert (level, "role guest may not create tables in the schema public" in message) == (Level.WRONG, True)
        monkeypatch.setenv("EASEL_DATABASE_URL", separate.guest_url)
        with pytest.raises(CommandError, match="may not create tables"):
            command.upgrade(Config(ROOT / "alembic.ini"), "head")
        monkeypatch.setenv("EASEL_DATABASE_URL", separate.url)
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
        assert [level for level, _ in found(services, separate)] == [Level.OK]
        with closing(Database(separate.url, pool_size=1)) as owner, owner.statement() as connection:
            for granted in ("SELECT", "INSERT, UPDATE, DELETE"):
                messages = [words for kind, words in found(services, guest) if kind is Level.WRONG]
                assert "may not read and change all of Easel's tables" in messages[0]
                connection.exec_driver_sql(f"GRANT {granted} ON ALL TABLES IN SCHEMA public TO guest")
        assert [level for level, _ in found(services, guest)] == [Level.OK]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "EASEL_DATABASE_URL is not set"),
        ("postgresql://easel:12#secret@127.0.0.1/easel", "Percent-encode it"),
        ("postgresql://easel:secret@127.0.0.1:9/easel", "cannot be reached. Check EASEL_DATABASE_URL"),
        ("postgresql://easel:secret@db.invalid/easel", "host name is unknown"),
    ],
)
def test_migrating_needs_a_database_in_one_sentence(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.setenv("EASEL_DATABASE_URL", url)
    with pytest.raises(CommandError, match=re.escape(words)) as refused:
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
    assert "secret" not in str(refused.value)


def test_a_server_of_an_earlier_version(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preconditions, "MIN_POSTGRES", 99)
    with made(services) as separate:
        monkeypatch.setenv("EASEL_DATABASE_URL", separate.url)
        with pytest.raises(CommandError, match="Easel needs 99 or later"):
            command.upgrade(Config(ROOT / "alembic.ini"), "head")
        [(level, message)] = found(services, separate)
    assert (level, "Easel needs 99 or later" in message) == (Level.WRONG, True)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("statement_timeout = 5000", "statement_timeout is 5000 ms"),
        ("lock_timeout = 100", "lock_timeout is 100 ms"),
        ("synchronous_commit = off", "may lose jobs"),
        ("statement_timeout = '10min'", None),
    ],
)
def test_a_setting_that_may_do_harm(services: Services, setting: str, words: str | None) -> None:
    with made(services, "", "synchronous_commit = on", setting) as separate:
        findings = found(services, separate)
    assert [(level, str(words) in message) for level, message in findings] == [(Level.WARNING, True)] * bool(words)


@pytest.mark.parametrize(
    "setting",
    [
        "default_transaction_isolation = 'serializable'",
        "standard_conforming_strings = off",
        "client_encoding = 'latin1'",
        "timezone = 'Asia/Tokyo'",
        "datestyle = 'German'",
        "intervalstyle = 'iso_8601'",
        "bytea_output = 'escape'",
        "extra_float_digits = 0",
        "search_path = 'public'",
    ],
)
def test_a_setting_that_makes_no_difference(services: Services, setting: str) -> None:
    query = r"""
        SELECT 'маяк 🎨' AS words, '\n' AS escaped, '\x00ff'::bytea AS bytes, 0.1::float8 + 0.2 AS number,
            '2026-03-01 12:00:00+00'::timestamptz AS at, interval '90 minutes' AS span,
            current_setting('transaction_isolation') AS isolation
    """
    with made(services, "", setting) as separate:
        for url in (separate.url, services.settings.database_url):
            with closing(Database(url, pool_size=1)) as database:
                answers = []
                for opened in (database.statement, database.begin):
                    with opened() as connection:
                        row = connection.execute(text(query)).one()
                        answers.append(row._asdict() | {"bytes": bytes(row.bytes)})
            assert answers[0] == answers[1]
            if url == separate.url:
                theirs = answers[0]
        assert found(services, separate) == []
    assert theirs == answers[0]
