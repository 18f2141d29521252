"""The queues of wake-ups and of mail events, on SQS."""

import json
from collections.abc import Iterable, Mapping

from provisioning.clients import Client, Wrong, connect, split_url
from provisioning.items import Item, settle

_SCHEMES = ("sqs", "sqs+http")

WAKE_UP_VISIBILITY_S = 360
"""A worker may hold several messages for a task's time limit (60 s) each. A longer time costs nothing."""

WAKE_UP_RETENTION_S = 3600
DEAD_LETTER_RETENTION_S = 14 * 24 * 3600
MOST_RECEIVES = 5


MAIL_EVENTS_VISIBILITY_S = 120
MAIL_EVENTS_RETENTION_S = 14 * 24 * 3600
"""The poller may be down for days. If a message is lost, somebody gets mail that they do not want."""


def queue(env: Mapping[str, str]) -> Iterable[str]:
    """Set up the queue of wake-ups, and the queue of dead letters, which no worker could process."""
    url = env.get("EASEL_BROKER_URL", "")
    if url and split_url("EASEL_BROKER_URL", url).scheme not in _SCHEMES:
        yield "queue: left out, since EASEL_BROKER_URL names a broker that needs none"
        return
    yield from _pair("EASEL_BROKER_URL", url, WAKE_UP_RETENTION_S, WAKE_UP_VISIBILITY_S)


def mail_events(env: Mapping[str, str]) -> Iterable[str]:
    """Set up the queue of what SES reports about mails, and its dead letters, which the poller could not read."""
    url = env.get("EASEL_MAIL_EVENTS_URL", "")
    if not url:
        yield "mail-events: left out, since EASEL_MAIL_EVENTS_URL is not set"
        return
    if split_url("EASEL_MAIL_EVENTS_URL", url).scheme not in _SCHEMES:
        raise Wrong("EASEL_MAIL_EVENTS_URL must be sqs://host/account/queue, or sqs+http:// for an emulator.")
    yield from _pair("EASEL_MAIL_EVENTS_URL", url, MAIL_EVENTS_RETENTION_S, MAIL_EVENTS_VISIBILITY_S)


def _pair(variable: str, url: str, retention_s: int, visibility_s: int) -> Iterable[str]:
    """Set up the queue that a variable's URL names (`easel` without one), and the queue of its dead letters."""
    parts = split_url(variable, url)
    host = parts.hostname or ""
    region = host.split(".")[1] if host.endswith(".amazonaws.com") else "us-east-1" if url else None
    sqs = connect("sqs", f"http://{parts.netloc}" if parts.scheme == "sqs+http" else None, region)
    name = parts.path.rpartition("/")[2] or "easel"
    dead = f"{name}-dead-letters"
    line = settle(_queue(sqs, dead, {"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_S)}))
    yield line
    if "left out" in line:
        return
    url = sqs.get_queue_url(QueueName=dead)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": MOST_RECEIVES}
    attributes = {
        "MessageRetentionPeriod": str(retention_s),
        "VisibilityTimeout": str(visibility_s),
        "RedrivePolicy": json.dumps(redrive),
    }
    yield settle(_queue(sqs, name, attributes))


def _queue(sqs: Client, name: str, attributes: dict[str, str]) -> Item:
    def read() -> dict[str, object]:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        urls.append(url)
        return {key: _parsed(found.get(key)) for key in attributes}

    def write() -> None:
        if urls:
            sqs.set_queue_attributes(QueueUrl=urls[0], Attributes=attributes)
        else:
            sqs.create_queue(QueueName=name, Attributes=attributes)

    urls: list[str] = []
    return Item(f"queue {name}", read, {key: _parsed(value) for key, value in attributes.items()}, write)


def _parsed(value: str | None) -> object:
    """Return an attribute's value with numbers as int, also inside a policy, where some servers use strings."""
    parsed = json.loads(value) if value else None
    if isinstance(parsed, dict):
        return {key: int(entry) if str(entry).isdecimal() else entry for key, entry in parsed.items()}
    return parsed
