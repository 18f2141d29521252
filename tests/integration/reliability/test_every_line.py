"""A process is killed, fails or freezes at a line of Easel; a healthy worker does the rest, and every promise holds.

Between two effects (a statement, a request, a file) the lines of a process are all the same to others. So the usual run
takes some of the lines after effects, the same each time; `make kill-every-line` takes all lines, or every so many.
"""

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from shared.polling import claims
from shared.services import Services
from shared.testing.fake_generator import Plan
from tests.support.doomed import Fate, Report, Template
from tests.support.repeats import repeats
from tests.support.stage import PASSWORD, Stage, api_call, staged, submission
from tests.support.world import SMALL

STRIDE = int(os.environ.get("EASEL_TEST_EVERY_LINE") or 0)
"""With 1 every line is taken, with 10 every tenth; 0 in the usual run."""

USUAL: dict[Fate, int] = {"killed": 6, "raises": 2, "frozen": 2}
"""How many lines the usual run takes for each fate."""

BATCH = 15 if not STRIDE else 50
"""How many processes meet their fate before the promises are checked; each has its own user and job."""

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """An operation of `tests.support.doomed`, what comes before it, and what its client does with the answers.

    A client asks a second time, as one does that got no answer.
    """

    name: str
    prepare: Callable[[Stage], Arguments]
    after: Callable[[Stage, Arguments, list[Report]], None] | None = None


def _queued(stage: Stage) -> Arguments:
    return {"job_id": str(stage.submit())}


def _due(stage: Stage) -> Arguments:
    job_id = stage.submit(n=2)
    assert job_id in stage.poller.start()
    return {"job_id": str(job_id)}


def _sent(stage: Stage, polls: int = 0) -> Arguments:
    stage.generator.plans.append(Plan(polls=polls))
    arguments = _due(stage)
    stage.world.step(UUID(arguments["job_id"]))
    stage.world.hurry()
    return arguments


def _asked_to_cancel(stage: Stage) -> Arguments:
    arguments = _sent(stage, 1000)
    stage.world.sql("UPDATE jobs SET cancel_requested_at = now() WHERE id = :id", id=arguments["job_id"])
    stage.world.sql("INSERT INTO job_events (job_id, event) VALUES (:id, 'cancel_requested')", id=arguments["job_id"])
    return arguments


def _refused(stage: Stage) -> Arguments:
    stage.generator.plans.append(Plan(ending="error"))
    arguments = _due(stage)
    stage.world.step(UUID(arguments["job_id"]))
    stage.world.hurry()
    return arguments


def _ended(stage: Stage) -> Arguments:
    return {"job_id": str(stage.finished())}


def _deleted(stage: Stage) -> Arguments:
    job_id = stage.finished(n=2)
    stage.ledger.deleting.add(job_id)
    stage.world.sql("DELETE FROM jobs WHERE id = :id", id=job_id)
    stage.world.sql("INSERT INTO garbage (prefix) VALUES (:prefix)", prefix=f"jobs/{job_id}/")
    stage.world.sql("UPDATE users SET deleted_at = now(), disabled_at = now() WHERE id = :id", id=stage.user()[0])
    stage.world.sql("DELETE FROM tokens WHERE user_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL)")
    return {}


def _lost(stage: Stage) -> Arguments:
    """Leave a job whose worker has died, and one that was never started."""
    arguments = _sent(stage)
    with stage.services.db.statement() as connection:  # a poller's worker would go on to renew the claim
        assert claims.claim(connection, UUID(arguments["job_id"])) is not None
    stage.expire()
    stage.submit()
    return arguments


def _of_owner(stage: Stage, job_id: UUID) -> str:
    """Return a new token of the job's user."""
    user_id = stage.world.row(job_id).user_id
    return stage.token(user_id)


def _answers(reports: list[Report]) -> list[tuple[int, Any]]:
    """Return the statuses and bodies that a client got; a 500 is as good as no answer."""
    return [report.answer for report in reports if report.answer is not None and report.answer[0] < 500]


def _to_submit(stage: Stage) -> Arguments:
    user_id, token = stage.user()
    return submission(token) | {"user_id": str(user_id)}


def _to_submit_group(stage: Stage) -> Arguments:
    body = {"requests": [SMALL, SMALL | {"n": 2}]}
    return _to_submit(stage) | {"function": "batches", "path": "/v1/batches", "body": body}


def _note_submit(stage: Stage, arguments: Arguments, reports: list[Report]) -> None:
    for status, made in _answers(reports):
        assert status == 202, made
        jobs = [UUID(job["id"]) for job in made.get("jobs", [made])]
        key = arguments["headers"]["idempotency-key"]
        stage.ledger.note_submit(UUID(arguments["user_id"]), key, UUID(made["id"]), *jobs)


def _to_cancel(stage: Stage) -> Arguments:
    job_id = _sent(stage, 3)["job_id"]
    return api_call(_of_owner(stage, UUID(job_id)), "cancel", "POST", f"/v1/jobs/{job_id}/cancel", job_id=job_id)


def _to_cancel_waiting(stage: Stage) -> Arguments:
    job_id = _queued(stage)["job_id"]
    return api_call(_of_owner(stage, UUID(job_id)), "cancel", "POST", f"/v1/jobs/{job_id}/cancel", job_id=job_id)


def _note_cancel(stage: Stage, arguments: Arguments, reports: list[Report]) -> None:
    statuses = [status for status, _ in _answers(reports)]
    assert statuses[-1] in (200, 409), statuses  # while a process was frozen, its job may have ended
    if 200 in statuses:
        stage.ledger.cancelled.add(UUID(arguments["job_id"]))


def _to_delete(stage: Stage) -> Arguments:
    job_id = stage.finished()
    stage.ledger.deleting.add(job_id)
    return api_call(_of_owner(stage, job_id), "delete", "DELETE", f"/v1/jobs/{job_id}", job_id=str(job_id))


def _note_delete(stage: Stage, arguments: Arguments, reports: list[Report]) -> None:
    statuses = [status for status, _ in _answers(reports)]
    assert statuses[-1] in (204, 404), statuses
    stage.ledger.deleted.add(UUID(arguments["job_id"]))


def _to_close(stage: Stage) -> Arguments:
    job_id = stage.finished(n=2)
    user_id = stage.world.row(job_id).user_id
    stage.world.submit(user_id)
    stage.ledger.closing.add(user_id)
    arguments = api_call(stage.token(user_id), "account", "DELETE", "/v1/me", body={"password": PASSWORD})
    return arguments | {"user_id": str(user_id)}


def _note_close(stage: Stage, arguments: Arguments, reports: list[Report]) -> None:
    statuses = [status for status, _ in _answers(reports)]
    assert statuses[-1] in (202, 401), statuses
    stage.ledger.closed.add(UUID(arguments["user_id"]))


OPERATIONS = {
    "submit": Operation("call", _to_submit, _note_submit),
    "submit a group": Operation("call", _to_submit_group, _note_submit),
    "start": Operation("start", _queued),
    "send": Operation("step", _due),
    "ask": Operation("step", lambda stage: _sent(stage, 2)),
    "fetch and store": Operation("step", _sent),
    "retry": Operation("step", _refused),
    "cancel at the generator": Operation("step", _asked_to_cancel),
    "all steps": Operation("pump", _due),
    "cancel": Operation("call", _to_cancel, _note_cancel),
    "cancel a waiting job": Operation("call", _to_cancel_waiting, _note_cancel),
    "delete a job": Operation("call", _to_delete, _note_delete),
    "delete an account": Operation("call", _to_close, _note_close),
    "mail": Operation("mails", _ended),
    "webhook": Operation("webhooks", _ended),
    "collect": Operation("collection", _deleted),
    "sweep": Operation("sweep", _lost),
}


@pytest.fixture
def stage(services: Services, environment: dict[str, str]) -> Iterator[Stage]:
    with staged(services, environment) as stage:
        yield stage


def observe(stage: Stage, operation: Operation, template: Template) -> Report:
    """Let the operation happen undisturbed; return what it did."""
    arguments = operation.prepare(stage)
    report = template.meet(arguments, records=True)
    assert isinstance(report, Report)
    if operation.after:
        operation.after(stage, arguments, [report, template.live(arguments)])
    assert stage.audit() == []
    return report


def choose(report: Report, fate: Fate) -> list[int]:
    """Return the lines before which the fate comes. Freezing matters only where it leaves an effect behind."""
    after_effects = sorted({line + 1 for line in (0, *report.effects) if line < report.executed})
    if not STRIDE:
        return after_effects[:: math.ceil(len(after_effects) / USUAL[fate])]
    if fate == "frozen":
        return after_effects
    return sorted({*after_effects, *range(1, report.executed + 1, STRIDE)})


LIKE_OTHERS = ("submit a group", "ask", "retry", "all steps")
USUALLY = [name for name in OPERATIONS if name not in LIKE_OTHERS]


@pytest.mark.parametrize("name", [*USUALLY, *repeats(*LIKE_OTHERS)])
def test_at_every_line(stage: Stage, name: str) -> None:
    operation = OPERATIONS[name]
    with Template(stage.environment, operation.name, operation.prepare(stage)) as template:
        report = observe(stage, operation, template)
        print(  # noqa: T201 (a figure, shown with -rP)
            f"{name}: {len(report.seen)} lines, executed {report.executed}, with {len(report.effects)} effects"
        )
        for fate in USUAL:
            lines, met = choose(report, fate), 0
            for first in range(0, len(lines), BATCH):
                batch = {line: meet(stage, operation, template, fate, line) for line in lines[first : first + BATCH]}
                met += sum(batch.values())
                assert stage.audit() == [], (name, fate, batch)
            print(f"{fate} before {len(lines)} lines, of which {met} were reached")  # noqa: T201
            assert met * 2 > len(lines), "most processes come as far as the first one"


def meet(stage: Stage, operation: Operation, template: Template, fate: Fate, line: int) -> bool:
    """Let one process meet its fate, and its client ask again; return whether it came as far."""
    arguments = operation.prepare(stage)
    met = template.meet(arguments, fate, line)
    if fate == "frozen" and met == "frozen":
        stage.work()
        report = template.thaw()
        is_met = True
    else:
        assert met != "frozen"
        report = met
        is_met = (
            report is None if fate == "killed" else fate == "raises" and report is not None and report.executed >= line
        )
    if operation.after:
        operation.after(stage, arguments, [*([report] if report else []), template.live(arguments)])
    return is_met
