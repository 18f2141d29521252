"""`easel gallery` against the real database: output, changes and exit codes."""

import subprocess
import sys
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from cli.exit_codes import ExitCode
from cli.terminal_text import printable, shorten
from shared.api.schemas import NewReport
from shared.gallery import publication, reports
from shared.services import Services
from tests.support.easel_command import Easel, objects
from tests.support.paths import ROOT
from tests.support.world import World


@pytest.fixture
def shown(world: World) -> Callable[..., UUID]:
    """Return a function that creates a finished and published job."""

    def make(prompt: str = "a lighthouse at night") -> UUID:
        job_id = world.submit(world.user(), prompt=prompt)
        world.finish(job_id)
        world.sql("UPDATE jobs SET published_at = clock_timestamp() WHERE id = :id", id=job_id)
        return job_id

    return make


def test_lists_for_programs(easel: Easel, world: World, shown: Callable[..., UUID]) -> None:
    job_id = shown()
    report(world, job_id, "personal", "my house")
    [listed] = objects(easel, "gallery", "list")
    assert (listed["job_id"], listed["prompt"]) == (str(job_id), "a lighthouse at night")
    [reported] = objects(easel, "reports", "list")
    assert reported["link"] == f"https://easel.example.com/i/{world.images(job_id)[0].id}"
    assert [(entry["reason"], entry["detail"]) for entry in reported["reports"]] == [("personal", "my house")]


def test_seeding_is_done_once(easel: Easel, world: World) -> None:
    code, lines = easel("gallery", "seed")
    assert (code, lines) == (ExitCode.DONE, ["12 example pictures are queued."])
    assert easel("gallery", "seed") == (ExitCode.DONE, ["The examples were queued before; nothing has changed."])
    [row] = world.sql("SELECT count(*) AS jobs, count(published_at) AS published FROM jobs")
    assert row == (12, 12)


def report(world: World, job_id: UUID, reason: str, detail: str = "") -> None:
    body = NewReport.model_validate({"reason": reason, "detail": detail})
    reports.report(world.services, job_id, body, network=str(uuid4()))


def test_it_works(easel: Easel, world: World, shown: Callable[..., UUID]) -> None:
    job_id, other = shown(), shown("another")
    report(world, job_id, "personal", "my house")
    report(world, job_id, "other")
    report(world, job_id, "personal")
    code, lines = easel("reports", "list")
    assert code == ExitCode.DONE
    [image] = world.images(job_id)
    assert lines[:3] == [
        f"{job_id}  3 reports (personal 2, other 1)",
        "    a lighthouse at night",
        f"    https://easel.example.com/i/{image.id}",
    ]
    assert [line.split("  ")[-1] for line in lines[3:]] == ["personal: my house", "other", "personal"]
    code, lines = easel("gallery", "remove", str(job_id))
    assert code == ExitCode.DONE
    assert lines[0].startswith(f"{job_id} is out of the gallery")
    assert "for 60 minutes more" in lines[0]
    assert lines[1] == "3 reports are closed."
    assert easel("reports", "list") == (ExitCode.DONE, ["No report is open."])
    code, lines = easel("gallery", "list")
    assert (code, [line.split()[0] for line in lines]) == (ExitCode.DONE, [str(other)])
    code, lines = easel("gallery", "restore", str(job_id))
    assert (code, "is approved" in lines[0]) == (ExitCode.DONE, True)
    assert [line.split()[0] for line in easel("gallery", "list")[1]] == [str(other), str(job_id)]


def test_an_empty_gallery_is_reported(easel: Easel, world: World) -> None:
    assert easel("gallery", "list") == (ExitCode.DONE, ["Nothing is published."])
    assert easel("reports", "list") == (ExitCode.DONE, ["No report is open."])


def test_a_limit_bounds_both_lists(easel: Easel, world: World, shown: Callable[..., UUID]) -> None:
    for _ in range(2):
        report(world, shown(), "other")
    assert len(easel("gallery", "list", "--limit", "1")[1]) == 1
    assert sum("1 report (" in line for line in easel("reports", "list", "--limit", "1")[1]) == 1


def test_repeating_it_changes_nothing(easel: Easel, world: World, shown: Callable[..., UUID]) -> None:
    job_id = shown()
    assert easel("gallery", "restore", str(job_id)) == (
        ExitCode.DONE,
        [f"{job_id} neither waits nor was removed; nothing has changed."],
    )
    easel("gallery", "remove", str(job_id))
    version = world.row(job_id).version
    assert easel("gallery", "remove", str(job_id)) == (
        ExitCode.DONE,
        [f"{job_id} was removed before; nothing has changed.", "No report was open."],
    )
    assert world.row(job_id).version == version


def test_dismissing_closes_the_reports_and_nothing_else(easel: Easel, world: World, shown: Callable[..., UUID]) -> None:
    job_id = shown()
    report(world, job_id, "other")
    before = world.row(job_id)
    assert easel("reports", "dismiss", str(job_id)) == (
        ExitCode.DONE,
        [f"{job_id} stays as it is.", "One report is closed."],
    )
    assert world.row(job_id) == before
    assert easel("reports", "list") == (ExitCode.DONE, ["No report is open."])


def test_unpublished_jobs_are_marked(easel: Easel, world: World, shown: Callable[..., UUID]) -> None:
    job_id = shown()
    report(world, job_id, "other")
    assert not any("has taken it back" in line for line in easel("reports", "list")[1])
    world.sql("UPDATE jobs SET published_at = NULL")
    assert sum("has taken it back" in line for line in easel("reports", "list")[1]) == 1


def test_what_waits_is_decided_about(easel: Easel, world: World) -> None:
    user = world.user()
    job_id = world.submit(user)
    world.finish(job_id)
    careful = Services(world.services.settings.model_copy(update={"review": "before"}))
    try:
        publication.publish(careful, world.credential(user), job_id)
    finally:
        careful.db.close()
    [image] = world.images(job_id)
    code, lines = easel("gallery", "waiting")
    assert (code, lines[0].split("  ")[::2]) == (ExitCode.DONE, [str(job_id), "waits to be public"])
    assert lines[2] == f"    https://easel.example.com/i/{image.id}"
    assert easel("gallery", "refuse", str(job_id), "--reason", "Not for\tall.")[0] == ExitCode.DONE
    assert easel("gallery", "waiting") == (ExitCode.DONE, ["Nothing awaits a decision."])
    publication.appeal(world.services, world.credential(user), job_id, "It is\x1b art.")
    [appealed] = objects(easel, "gallery", "waiting")
    assert (appealed["review"], appealed["reason"], appealed["appeal"]) == ("refused", "Not for all.", "It is\x1b art.")
    assert "X-Amz-Signature" in appealed["link"]
    assert easel("gallery", "waiting")[1][3:] == ["    removed because: Not for all.", "    the owner: It is\\x1b art."]
    assert easel("gallery", "approve", str(job_id))[0] == ExitCode.DONE
    assert [line.split()[0] for line in easel("gallery", "list")[1]] == [str(job_id)]


def test_closed_reports_are_shown_with_their_outcome(easel: Easel, world: World, shown: Callable[..., UUID]) -> None:
    job_id = shown()
    report(world, job_id, "other")
    easel("reports", "dismiss", str(job_id))
    report(world, job_id, "sexual", "again")
    assert easel("reports", "takedown", str(job_id), "--reason", "Not for all.")[0] == ExitCode.DONE
    world.sql("DELETE FROM jobs")
    code, lines = easel("reports", "show", str(job_id))
    assert (code, lines[:2]) == (
        ExitCode.DONE,
        [f"{job_id}  2 reports (other 1, sexual 1)", "    Its owner has deleted it."],
    )
    assert "[dismissed " in lines[2]
    assert "sexual: again  [taken down " in lines[3]
    assert easel("reports", "list") == (ExitCode.DONE, ["No report is open."])


def test_text_from_reports_is_escaped_for_the_terminal(easel: Easel, world: World, shown: Callable[..., UUID]) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\r\nrm\u202e\u200b\x9b31m маяк 🏠"
    job_id = shown(evil)
    report(world, job_id, "other", evil)
    for command in ("gallery", "reports"):
        lines = easel(command, "list")[1]
        assert all(line.isprintable() for line in lines)
        assert any("маяк 🏠" in line for line in lines)
        assert len(lines) == {"gallery": 1, "reports": 4}[command]


def test_a_long_text_is_truncated_in_the_list() -> None:
    assert shorten("x" * 80) == "x" * 80
    assert shorten("x" * 81) == "x" * 79 + "…"
    assert printable("a\nb\x00\ud800") == "a b\\x00\\ud800"


@pytest.mark.parametrize(
    "command",
    ["gallery remove", "gallery restore", "gallery approve", "reports dismiss", "reports takedown", "reports show"],
)
def test_no_such_job_is_code_1(easel: Easel, world: World, command: str) -> None:
    name = str(uuid4())
    code, lines = easel(*command.split(), name)
    assert code == ExitCode.FAILED
    assert lines == [f"easel: There is no job {name}; perhaps its owner has deleted it."]


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nothing"],
        ["gallery"],
        ["gallery", "nothing"],
        ["gallery", "remove"],
        ["gallery", "remove", "no-id"],
        ["gallery", "remove", str(UUID(int=1)), str(UUID(int=2))],
        *(["gallery", "list", "--limit", limit] for limit in ("0", "1001", "-1", "x", "1.5", "٣", "9" * 5000)),
        ["gallery", "list", "--lim", "3"],
        ["gallery", "refuse", str(UUID(int=1))],
        *(["gallery", "refuse", str(UUID(int=1)), "--reason", reason] for reason in ("", " ", "x" * 301, "a\x1bb")),
    ],
    ids=lambda argv: " ".join(argv)[:40],
)
def test_invalid_usage_is_code_2(easel: Easel, argv: list[str]) -> None:
    code, lines = easel(*argv)
    assert code == ExitCode.USAGE_ERROR
    assert lines[0].startswith("usage: easel")


def test_an_invalid_setting_is_code_2(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_MAX_RUNNING", "many")
    code, lines = easel("gallery", "list")
    assert (code, len(lines)) == (ExitCode.USAGE_ERROR, 1)
    assert "EASEL_MAX_RUNNING" in lines[0]


def test_an_unavailable_database_is_code_3(easel: Easel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_DATABASE_URL", "postgresql://easel:secret@127.0.0.1:1/easel")
    assert easel("gallery", "list") == (ExitCode.UNREACHABLE, ["easel: The database cannot be reached."])


def test_a_database_without_the_tables_is_code_1(easel: Easel, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    url = world.services.settings.database_url
    monkeypatch.setenv("EASEL_DATABASE_URL", url.replace("/postgres?", "/template1?"))
    code, lines = easel("gallery", "list")
    assert (code, len(lines)) == (ExitCode.FAILED, 1)
    assert "alembic upgrade head" in lines[0]


def test_the_help_needs_no_settings_and_no_database_library() -> None:
    code = "import sys, cli.easel; print('sqlalchemy' in sys.modules); cli.easel.main(['gallery', '--help'])"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, env={}, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("False\nusage: easel gallery")
    assert all(command in done.stdout for command in ("list", "waiting", "approve", "refuse"))


def test_a_terminal_that_lacks_characters_shows_the_rest(
    environment: dict[str, str], shown: Callable[..., UUID]
) -> None:
    job_id = shown("маяк at night")
    done = subprocess.run(
        [sys.executable, "-m", "cli.easel", "gallery", "list"],
        check=False,
        cwd=ROOT,
        env=environment | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")
    assert done.stdout.startswith(str(job_id))
    assert done.stdout.endswith("at night\n")
