"""The queue of wake-ups, on SQS."""

import json
from collections.abc import Iterable, Mapping

from provisioning.clients import Client, connect, split_url
from provisioning.items import Item, settle

WAKE_UP_VISIBILITY_S = 360
"""A worker may hold a message for a task's time limit (300 s), and a minute more."""

WAKE_UP_RETENTION_S = 3600
DEAD_LETTER_RETENTION_S = 14 * 24 * 3600
MOST_RECEIVES = 5


def queue(env: Mapping[str, str]) -> Iterable[str]:
    """Set up the queue of wake-ups, and the queue of dead letters, which no worker could process."""
    url = env.get("EASEL_BROKER_URL", "")
    parts = split_url("EASEL_BROKER_URL", url)
    if url and parts.scheme not in ("sqs", "sqs+http"):
        yield "queue: left out, since EASEL_BROKER_URL names a broker that needs none"
        return
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
        "MessageRetentionPeriod": str(WAKE_UP_RETENTION_S),
        "VisibilityTimeout": str(WAKE_UP_VISIBILITY_S),
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
