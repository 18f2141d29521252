"""The steps that meet a fault: what comes before each, what it does, and what is right after the fault has ended."""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from PIL import Image

from shared.api.schemas import JobRequest
from shared.core.errors import AlreadyFinished, NotFound
from shared.jobs import submission
from shared.notify import outbox, webhooks
from shared.polling import dispatch, garbage
from shared.testing.fake_generator import Plan
from tests.support.faults.stage import Stage
from tests.support.poller import Poller
from tests.support.world import SMALL

Given = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A step. `prepare` returns what it works on, as a rule with a `job`; `act` does it with the poller that is given.

    end: the state in which its job is in the end. `is_call`: a caller does it, who tries again after a refusal.
    """

    name: str
    prepare: Callable[[Stage], Given]
    act: Callable[[Stage, Poller, Given], object]
    end: str = "succeeded"
    is_call: bool = False


def _to_submit(stage: Stage) -> Given:
    user = stage.world.user()
    return {"user": user, "credential": stage.world.credential(user), "key": str(uuid4()), "request": {}}


def _submit(stage: Stage, poller: Poller, given: Given) -> None:
    request = JobRequest(**(SMALL | given["request"]))
    given["job"] = UUID(submission.submit(poller.services, given["credential"], request, given["key"]).id)
    stage.ledger.note_submit(given["user"], given["key"], given["job"])


def _queued(stage: Stage, **request: Any) -> Given:
    return {"job": stage.submit(**request)}


def _started(stage: Stage, **request: Any) -> Given:
    given = _queued(stage, **request)
    assert given["job"] in stage.world.poller.start()
    stage.world.hurry()
    return given


def _sent(stage: Stage, polls: int = 0) -> Given:
    stage.generator.plans.append(Plan(polls=polls))
    given = _started(stage)
    stage.world.step(given["job"])
    stage.world.hurry()
    return given


def _running(stage: Stage) -> Given:
    given = _sent(stage, 2)
    return given | {"credential": stage.owner(given["job"])}


def _unhealthy(stage: Stage) -> Given:
    """Queue a job for a generator that has failed, and that may be asked again."""
    given = _queued(stage)
    stage.world.sql("UPDATE generators SET failures = 1, retry_at = clock_timestamp()")
    return given


def _cancelling(stage: Stage) -> Given:
    given = _running(stage)
    submission.cancel(stage.world.services, given["credential"], given["job"])
    stage.ledger.cancelled.add(given["job"])
    return given


def _finished(stage: Stage, **request: Any) -> Given:
    given = _queued(stage, **request)
    stage.world.finish(given["job"])
    return given | {"credential": stage.owner(given["job"])}


def _deleted(stage: Stage) -> Given:
    given = _finished(stage)
    submission.delete(stage.world.services, given["credential"], given["job"])
    stage.ledger.deleting.add(given["job"])
    stage.ledger.deleted.add(given["job"])
    stage.forgive()
    return given


@cache
def _png() -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def _with_source(stage: Stage) -> Given:
    user = stage.world.user()
    job_id = stage.world.submit(user, source_images=[stage.upload(user, _png())])
    assert job_id in stage.world.poller.start()
    stage.world.hurry()
    return {"job": job_id}


def _to_submit_source(stage: Stage) -> Given:
    given = _to_submit(stage)
    return given | {"request": {"source_images": [stage.upload(given["user"], _png())]}}


def _to_mail(stage: Stage) -> Given:
    given = _finished(stage, notify="email")
    stage.forgive()
    return given


def _to_call(stage: Stage) -> Given:
    given = _queued(stage, webhook_url=f"http://127.0.0.1:{stage.proxies['webhook'].port}/easel")
    stage.world.finish(given["job"])
    stage.forgive()
    return given


def _cancel(stage: Stage, poller: Poller, given: Given) -> None:
    try:
        submission.cancel(poller.services, given["credential"], given["job"])
    except AlreadyFinished:
        assert stage.world.state(given["job"]) == "cancelled"
    stage.ledger.cancelled.add(given["job"])


def _delete(stage: Stage, poller: Poller, given: Given) -> None:
    stage.ledger.deleting.add(given["job"])
    with suppress(NotFound):
        submission.delete(poller.services, given["credential"], given["job"])
    stage.ledger.deleted.add(given["job"])


def _advance(_stage: Stage, poller: Poller, given: Given) -> None:
    poller.advance(given["job"])


STEPS = {
    step.name: step
    for step in (
        Step("submit", _to_submit, _submit, is_call=True),
        Step("submit+photo", _to_submit_source, _submit, is_call=True),
        Step("cancel", _running, _cancel, "cancelled", is_call=True),
        Step("delete", _finished, _delete, "deleted", is_call=True),
        Step("start", _queued, lambda _, poller, __: dispatch.start(poller.services, poller.pool.count_ignored())),
        Step("send", _started, _advance),
        Step("send+photo", _with_source, _advance),
        Step("ask", lambda stage: _sent(stage, 2), _advance),
        Step("fetch", _sent, _advance),
        Step("end", _cancelling, _advance, "cancelled"),
        Step("sweep", _queued, lambda _, poller, __: poller.sweep()),
        Step("probe", _unhealthy, lambda _, poller, __: poller.sweep()),
        Step("collect", _deleted, lambda _, poller, __: garbage.empty_garbage(poller.services), "deleted"),
        Step("mail", _to_mail, lambda _, poller, __: outbox.send_due(poller.services)),
        Step("webhook", _to_call, lambda _, poller, __: webhooks.send_due(poller.services)),
    )
}
