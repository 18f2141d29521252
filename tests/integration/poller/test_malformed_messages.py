"""A message that no Easel has sent costs a line in the worker's log, and never the worker."""

import base64
import json
from pathlib import Path
from typing import Any

from local.site import worker_answers
from shared.clients.broker import QUEUE
from shared.testing.fake_generator import FakeGenerator
from tests.support.own_redis import own_redis
from tests.support.processes import program
from tests.support.waiting import until
from tests.support.world import World


def message(**changes: Any) -> dict[str, Any]:
    """Return a message as Celery puts it into the list, with these changes; None removes a part."""
    body = base64.b64encode(json.dumps([[], {}, {}]).encode()).decode()
    whole: dict[str, Any] = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": "easel.wake", "id": "6f1c3c1c-5a9e-4d0e-8d34-0c7a0a3a4f52"},
        "properties": {
            "correlation_id": "6f1c3c1c-5a9e-4d0e-8d34-0c7a0a3a4f52",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "0d3a2a51-6d43-4c2c-9f0e-86b9e0f2c111",
        },
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def headers(**changes: Any) -> dict[str, Any]:
    return message(headers=message()["headers"] | changes)


def properties(**changes: Any) -> dict[str, Any]:
    return message(properties=message()["properties"] | changes)


MALFORMED: dict[str, Any] = {
    "no JSON": b"no JSON",
    "no text": b"\xff\xfe\x00",
    "empty": b"",
    "a list": [],
    "a number": 7,
    "an object without parts": {},
    "no properties": message(properties=None),
    "properties of another kind": message(properties=[1]),
    "no delivery tag": message(properties={}),
    "no body": message(body=None),
    "a body of another kind": message(body={"a": 1}),
    "a body that is not base64": message(body="?"),
    "an unknown encoding of the body": properties(body_encoding="other"),
    "a body that is no JSON": message(body=base64.b64encode(b"{").decode()),
    "a body of another form": message(body=base64.b64encode(b"7").decode()),
    "another content type": message(**{"content-type": "application/x-python-serialize"}),
    "an unknown content type": message(**{"content-type": "image/png"}),
    "an unknown content encoding": message(**{"content-encoding": "other"}),
    "no headers": message(headers=None),
    "headers of another kind": message(headers=[1]),
    "an unknown task": headers(task="easel.other"),
    "a task of another kind": headers(task={"a": 1}),
    "no id": headers(id=None),
    "a time that is none": headers(eta="tomorrow"),
    "an expiry that is none": headers(expires="never"),
    "a time limit that is none": headers(timelimit="long"),
    "arguments that the task has not": message(body=base64.b64encode(b"[[1, 2], {}, {}]").decode()),
    "a chain of tasks": message(body=base64.b64encode(b'[[], {}, {"callbacks": [7], "chain": 7}]').decode()),
    "nested too deeply": b"[" * 100_000,
    "large": message(body="x" * 20_000_000),
}


BROADCASTS = "/0.celery.pidbox"
"""The channel of Redis over which kombu carries calls to all workers."""


def test_a_worker_outlasts_malformed_messages(
    world: World, environment: dict[str, str], generator: FakeGenerator, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with own_redis() as (url, server):
        settings = environment | {"EASEL_GENERATORS": generator.setting, "EASEL_BROKER_URL": url}
        with program(settings, log, "worker") as worker:
            first = world.submit(world.user())
            until(lambda: world.state(first) == "succeeded", "a job before")
            children = worker.children
            for name, content in MALFORMED.items():
                server.lpush(QUEUE, content if isinstance(content, bytes) else json.dumps(content))
                job = world.submit(world.user())
                until(lambda job=job: world.state(job) == "succeeded", f"a job after: {name}")  # type: ignore[misc]
                assert worker.process.poll() is None, name
            assert worker.children == children
            assert worker.stop() == 0


def test_a_worker_outlasts_malformed_calls_to_all_workers(
    world: World, environment: dict[str, str], generator: FakeGenerator, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with own_redis() as (url, server):
        settings = environment | {"EASEL_GENERATORS": generator.setting, "EASEL_BROKER_URL": url}
        with program(settings, log, "worker") as worker:
            until(lambda: worker_answers(url), "the worker answers")
            for content in MALFORMED.values():
                call = content if isinstance(content, bytes) else json.dumps(content)
                # Celery subscribes again after some of them, and hears nothing meanwhile.
                until(lambda call=call: server.publish(BROADCASTS, call) == 1, "the worker hears it")  # type: ignore[misc]
            until(lambda: worker_answers(url), "the worker still answers")
            job = world.submit(world.user())
            until(lambda: world.state(job) == "succeeded", "a job after them")
            assert worker.stop() == 0


def test_a_worker_outlasts_a_key_of_another_type(
    world: World, environment: dict[str, str], generator: FakeGenerator, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with own_redis() as (url, server):
        settings = environment | {"EASEL_GENERATORS": generator.setting, "EASEL_BROKER_URL": url}
        with program(settings, log, "worker") as worker:
            first = world.submit(world.user())
            until(lambda: world.state(first) == "succeeded", "a job before")
            with server.pipeline() as both:
                both.delete(QUEUE)
                both.set(QUEUE, "text")
                both.execute()
            until(lambda: "errorstat_WRONGTYPE" in server.info("errorstats"), "the worker is refused")
            second = world.submit(world.user())
            until(lambda: world.state(second) == "succeeded", "a job meanwhile")
            server.delete(QUEUE)
            until(lambda: worker_answers(url), "the worker answers again")
            assert worker.process.poll() is None
            assert worker.stop() == 0
