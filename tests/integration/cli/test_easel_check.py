"""`easel check` against real servers: every part of a site, working and failing."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from cli import check_peers, check_services
from cli.checks import Check, Finding, Level, ok, run_checks, warning
from cli.exit_codes import ExitCode
from shared.core.content_rules import read_rules
from shared.services import Services
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from tests.support.easel_command import Easel, objects
from tests.support.mail_server import MailServer
from tests.support.world import World, with_settings

NOWHERE = "http://127.0.0.1:9"
WELL = {"status": "ok", "checks": {"database": "ok", "storage": "ok", "broker": "ok"}}


@contextmanager
def site(status: int = 200, health: Any = WELL, page: int = 200) -> Iterator[str]:
    """Serve answers at a public address; yield that address."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_health = self.path == "/v1/health"
            self.send_response(status if is_health else page)
            self.send_header("Content-Type", "application/json" if is_health else "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(json.dumps(health).encode() if is_health else b"<!doctype html>")

        def log_message(self, *arguments: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def changed(world: World) -> Iterator[Callable[..., Services]]:
    """Return a function that gives the same servers with other settings."""
    made: list[Services] = []

    def change(**changes: Any) -> Services:
        made.append(with_settings(world.services, **changes))
        return made[-1]

    yield change
    for services in made:
        services.db.close()


def levels_and_messages(findings: Iterator[Finding]) -> list[tuple[Level, str]]:
    return [(finding.level, finding.message) for finding in findings]


def only(findings: Iterator[Finding], level: Level) -> str:
    """Return the text of the only finding, which must have this level."""
    [(found, words)] = levels_and_messages(findings)
    assert found == level, words
    return words


def test_it_works(easel: Easel, world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything works except the workers, which do not run in this test."""
    generator.extensions = ALL_EXTENSIONS
    monkeypatch.setenv("EASEL_GENERATORS", f"img_generator+{generator.url}")
    with site() as url:
        monkeypatch.setenv("EASEL_PUBLIC_URL", url)
        code, lines = easel("check")
        rows = objects(easel, "check")
    parts = ["settings", "database", "poller", "broker", "storage", "generators", "mail", "public"]
    assert list(dict.fromkeys(line.split()[1] for line in lines[:-1])) == parts
    assert list(dict.fromkeys(row["probe"] for row in rows)) == parts
    ill = {row["probe"] for row in rows if row["level"] != "ok"}
    assert ill == {"broker", "storage"}
    assert (code, lines[-1].startswith("Wrong: ")) == (ExitCode.FAILED, True)
    assert all(line.isprintable() for line in lines)


def test_a_site_that_is_down_is_reported_part_by_part(
    easel: Easel, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing answers, and each part has a finding."""
    for name, value in {
        "EASEL_DATABASE_URL": "postgresql://easel:hidden@127.0.0.1:9/easel",
        "EASEL_BROKER_URL": "redis://:hidden@127.0.0.1:9/0",
        "EASEL_S3_ENDPOINT": NOWHERE,
        "EASEL_S3_PUBLIC_ENDPOINT": NOWHERE,
        "EASEL_GENERATORS": "img_generator+http://ada:hidden@127.0.0.1:9",
        "EASEL_MAIL_URL": "smtp://ada:hidden@127.0.0.1:9",
        "EASEL_PUBLIC_URL": NOWHERE,
    }.items():
        monkeypatch.setenv(name, value)
    code, lines = easel("check")
    assert code == ExitCode.FAILED
    ill = [line.split()[1] for line in lines if line.startswith("wrong")]
    assert ill == ["database", "poller", "broker", "storage", "generators", "mail", "public"]
    assert "hidden" not in "".join(lines)


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"public_url": "http://easel.example.com"}, Level.WARNING, "unencrypted"),
        (
            {"public_url": "https://easel.example.com", "s3_public_endpoint": "http://s3.example.com"},
            Level.WRONG,
            "will not upload",
        ),
        ({"public_url": "https://easel.example.com"}, Level.WRONG, "visitor's own machine"),
        ({"public_url": "http://[::1]:8080", "s3_public_endpoint": "http://localhost:9000"}, Level.OK, "can be read"),
        ({"generators": ""}, Level.WARNING, "EASEL_GENERATORS is empty"),
    ],
)
def test_settings(changed: Callable[..., Services], changes: dict[str, str], level: Level, words: str) -> None:
    findings = levels_and_messages(
        check_services.settings(changed(**{"generators": "glide+http://127.0.0.1:1", **changes}))
    )
    assert findings[0][0] == Level.OK
    assert any(found == level and words in said for found, said in findings), findings
    assert level != Level.OK or len(findings) == 1


def test_the_rules_and_a_missing_checker_are_named(
    changed: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = read_rules('version = "2026-11"\n[[rules]]\nreason = "No."\nwords = ["secretword"]')
    monkeypatch.setattr(check_services, "find_spec", lambda _: None)
    services = changed(generators="glide+http://127.0.0.1:1", content_rules=rules, picture_checker="nudity")
    findings = levels_and_messages(check_services.settings(services))
    assert (Level.OK, "Prompts are checked by rules of version 2026-11, 1 in number.") in findings
    assert any(level == Level.WARNING and "make checker" in words for level, words in findings)
    assert "secretword" not in str(findings)


def test_a_healthy_database(world: World) -> None:
    assert "with the tables of this version" in only(check_services.database(world.services), Level.OK)


@pytest.mark.parametrize(
    ("revision", "words"),
    [(None, "no tables of Easel"), ("0003", "Its tables are those of 0003"), ("9999", "of a later version (9999)")],
)
def test_tables_of_another_version(world: World, revision: str | None, words: str) -> None:
    """Uses a separate database, so that the other tests keep their tables."""
    url = world.services.settings.database_url
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    other = create_engine(url.replace("/postgres?", "/other_version?"), isolation_level="AUTOCOMMIT")
    services = with_settings(world.services, database_url=other.url.render_as_string(hide_password=False))
    try:
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE other_version"))
        if revision is not None:
            with other.connect() as connection:
                connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
                connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
        assert words in only(check_services.database(services), Level.WRONG)
        assert [level for level, _ in levels_and_messages(check_services.poller(services))] == [Level.WRONG]
    finally:
        services.db.close()
        other.dispose()
        with engine.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS other_version"))
        engine.dispose()


@pytest.mark.parametrize(("ahead_s", "level"), [(10, Level.WARNING), (-10, Level.WARNING), (3700, Level.WRONG)])
def test_clocks_that_differ(world: World, monkeypatch: pytest.MonkeyPatch, ahead_s: float, level: Level) -> None:
    true = time.time
    monkeypatch.setattr("shared.core.clock.time.time", lambda: true() + ahead_s)
    findings = levels_and_messages(check_services.database(world.services))
    assert [found for found, _ in findings] == [Level.OK, level]
    assert "apart" in findings[1][1]


@pytest.mark.parametrize(
    ("swept_s", "level", "words"),
    [
        (None, Level.WRONG, "never swept"),
        (600, Level.WRONG, "10 min ago"),
        (30, Level.WARNING, "30 s ago"),
        (2, Level.OK, "Jobs waiting: 1, at generators: 0."),
    ],
)
def test_the_heartbeat_of_the_sweep(world: World, swept_s: int | None, level: Level, words: str) -> None:
    world.submit(world.user())
    world.sql("UPDATE queue_clock SET swept_at = clock_timestamp() - make_interval(secs => :age)", age=swept_s)
    assert words in only(check_services.poller(world.services), level)


def test_every_sweep_writes_its_heartbeat(world: World) -> None:
    world.sql("UPDATE queue_clock SET swept_at = NULL")
    world.poller.sweep()
    only(check_services.poller(world.services), Level.OK)


def test_jobs_that_no_worker_polls(world: World) -> None:
    job_id = world.send()
    world.sql("UPDATE jobs SET next_step_at = next_step_at - interval '5 minutes' WHERE id = :id", id=job_id)
    findings = levels_and_messages(check_services.poller(world.services))
    assert [level for level, _ in findings] == [Level.OK, Level.WARNING]
    assert "no worker has polled for a minute: 1." in findings[1][1]


def test_a_broker_without_workers(world: World) -> None:
    assert "no worker does" in only(check_services.broker(world.services), Level.WRONG)


def test_a_broker_that_gets_no_fixes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_services, "MIN_REDIS", (99, 1))
    assert Level.WARNING not in dict(levels_and_messages(check_services.broker(world.services)))
    monkeypatch.setattr(check_services, "is_this_machine", lambda _host: False)
    found = dict(levels_and_messages(check_services.broker(world.services)))
    assert "Use 99.1 or later" in found[Level.WARNING]


def test_a_storage_is_reported_check_by_check(world: World, changed: Callable[..., Services]) -> None:
    """The tests' S3 server allows exactly one origin."""
    assert "checks passed" in only(check_services.storage(world.services), Level.OK)
    findings = levels_and_messages(check_services.storage(changed(public_url="https://easel.example.com")))
    assert {level for level, _ in findings} == {Level.WRONG}
    assert [words.split("”")[0] for _, words in findings] == [
        "“A page of the site may upload.",
        "“A page of the site may read pictures.",
    ]
    assert world.services.storage.sizes_bytes("conformance/") == {}


def test_a_missing_bucket(changed: Callable[..., Services]) -> None:
    only(check_services.storage(changed(s3_bucket="nobody-has-made-this")), Level.WRONG)


def test_generators(world: World, generator: FakeGenerator, changed: Callable[..., Services]) -> None:
    generator.extensions = frozenset({"key"})
    services = changed(generators=f"img_generator+{generator.url},glide+{NOWHERE}")
    assert [level for level, _ in levels_and_messages(check_peers.generators(services))] == [Level.OK, Level.WRONG]
    assert "is empty here" in only(check_peers.generators(world.services), Level.WARNING)


def test_mail_is_checked_and_not_sent(changed: Callable[..., Services]) -> None:
    with MailServer() as server:
        services = changed(mail_url=server.url)
        assert "the server answers" in only(check_peers.mail(services, None), Level.OK)
        assert (server.connections, server.mails) == (1, [])
        findings = levels_and_messages(check_peers.mail(services, "ada@example.com"))
        assert [level for level, _ in findings] == [Level.OK, Level.OK]
        [received] = server.mails
    assert received.recipient == "ada@example.com"
    assert received.message["Subject"] == "Easel can send mail"


def test_a_mail_server_that_refuses(changed: Callable[..., Services]) -> None:
    with MailServer(password="another", auth_require_tls=False) as server:
        services = changed(mail_url=server.url.replace("://", "://ada:hidden@"))
        words = only(check_peers.mail(services, None), Level.WRONG)
        assert "hidden" not in words
        assert set(server.logins) == {"ada"}
    with MailServer() as server:
        server.on_recipient = "550 nobody here"
        findings = levels_and_messages(check_peers.mail(changed(mail_url=server.url), "ada@example.com"))
    assert [level for level, _ in findings] == [Level.OK, Level.WRONG]


def test_no_mail_is_accepted_unless_one_is_due(changed: Callable[..., Services]) -> None:
    services = changed(mail_url="")
    only(check_peers.mail(services, None), Level.OK)
    only(check_peers.mail(services, "ada@example.com"), Level.WRONG)


def test_a_folder_of_mail(changed: Callable[..., Services], tmp_path: Path) -> None:
    only(check_peers.mail(changed(mail_url=(tmp_path / "mail").as_uri()), None), Level.OK)
    (tmp_path / "file").touch()
    only(check_peers.mail(changed(mail_url=(tmp_path / "file").as_uri()), None), Level.WRONG)


@pytest.mark.parametrize(
    ("answers", "levels", "words"),
    [
        ({}, [Level.OK], "all its parts work"),
        (
            {"status": 503, "health": {"checks": {"broker": "The broker\x1b cannot be reached."}}},
            [Level.WRONG],
            "broker: The broker",
        ),
        ({"health": ["something else"]}, [Level.WRONG], "not as Easel does"),
        ({"health": {"checks": "ok"}}, [Level.WRONG], "not as Easel does"),
        ({"status": 404}, [Level.WRONG], "reports a failing part"),
        ({"page": 404}, [Level.OK, Level.WARNING], "all its parts work"),
    ],
)
def test_the_public_address(
    changed: Callable[..., Services], answers: dict[str, Any], levels: list[Level], words: str
) -> None:
    with site(**answers) as url:
        findings = levels_and_messages(check_peers.public_address(changed(public_url=url)))
    assert [level for level, _ in findings] == levels
    assert words in findings[0][1]


def test_a_probe_that_fails_or_hangs_does_not_block_others() -> None:
    never = threading.Event()

    def break_off() -> Iterator[Finding]:
        yield warning("so far")
        raise KeyError("a password")

    def hang() -> Iterator[Finding]:
        yield ok("begun")
        never.wait(60)

    try:
        checks = [Check("breaks", break_off), Check("hangs", hang), Check("well", lambda: [ok("done")])]
        found = [(name, finding.level) for name, finding in run_checks(checks, timeout_s=1)]
    finally:
        never.set()
    assert found == [
        ("breaks", Level.WARNING),
        ("breaks", Level.WRONG),
        ("hangs", Level.OK),
        ("hangs", Level.WRONG),
        ("well", Level.OK),
    ]


def test_an_invalid_setting_is_code_2(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_GENERATORS", "nonsense")
    code, lines = easel("check")
    assert (code, len(lines)) == (ExitCode.USAGE_ERROR, 1)
    assert "EASEL_GENERATORS" in lines[0]
