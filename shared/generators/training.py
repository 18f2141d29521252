"""Trainings and adapters at an img_generator: its extensions `train` and `adapters`.

`Trainer` is the interface of both beside `base.Generator`, whose `status` and `cancel` a training shares.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from shared.generators.adapters import Adapter
from shared.generators.answers import (
    REFUSALS,
    check_http,
    encoded,
    member,
    read_id,
    read_name,
    refusal,
    unwrapped,
    wire_id,
)
from shared.generators.base import Generator, GeneratorBroken, GeneratorUnavailable, Stop, never_stop
from shared.generators.strict_json import read_json
from shared.generators.transport import BoundedHttp

SEND_TIMEOUT_S = 60.0
FILE_TIMEOUT_S = 300.0
"""How long an adapter may take, one way or the other."""

SMALL_ANSWER_BYTES = 64 * 1024
MOST_IN_REPORT = 32
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """A training, independent of a protocol. `photos` are JPEG files, `key` is as in a GenerationRequest."""

    photos: tuple[bytes, ...] = field(repr=False)
    subject: str
    steps_per_image: int
    seed: int
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training made: the SHA-256 of the adapter's file, and what the trainer measured, with names for people."""

    sha256: str
    report: dict[str, str | float]


class AdaptersMissing(GeneratorBroken):
    """The generator does not have adapters that a request names; send them, and then the request again."""

    def __init__(self, missing: Collection[str]) -> None:
        super().__init__("generator_lacks_adapters", "The generator does not keep the adapters that it was sent.")
        self.missing = frozenset(missing)


class Trainer(Protocol):
    """What makes and takes adapters at a generator. Every call is bounded, and raises nothing but GeneratorError."""

    def train(self, order: TrainingOrder) -> str:
        """Begin a training; return the generator's id for it."""

    def result(self, remote_id: str) -> Trained:
        """Return what a finished training made."""

    def get_adapter(self, sha256: str, most_bytes: int, stop: Stop = never_stop) -> bytes:
        """Return the file of an adapter, not checked."""

    def send_adapter(self, sha256: str, data: bytes) -> None:
        """Make the generator keep the file of an adapter."""


def trainer_of(generator: Generator) -> Trainer | None:
    """Return the trainer at a generator, None where its protocol has none."""
    return cast("Trainer | None", getattr(generator, "trainer", None))


class ImgGeneratorTrainer:
    """The trainer at an img_generator. `extensions` returns those of now, or raises GeneratorError."""

    def __init__(self, http: BoundedHttp, extensions: Callable[[], frozenset[str]]) -> None:
        self._http = http
        self._extensions = extensions

    def train(self, order: TrainingOrder) -> str:
        """Begin a training; return the generator's number for it as text."""
        extensions = self._extensions()
        if "train" not in extensions:
            raise GeneratorUnavailable("generator_misconfigured", "The generator no longer trains.")
        fields: dict[str, Any] = {
            "images": [encoded(photo) for photo in order.photos],
            "subject": order.subject,
            "steps_per_image": order.steps_per_image,
            "seed": order.seed,
        }
        if order.key and "key" in extensions:
            fields["key"] = order.key
        body = json.dumps(fields).encode()
        answer = self._http.send("POST", "/train", body, timeout_s=SEND_TIMEOUT_S, limit_bytes=SMALL_ANSWER_BYTES)
        if answer.status in REFUSALS:
            raise refusal(answer, fields)
        check_http(answer, about_id=False)
        return read_id(read_json(answer.body))

    def result(self, remote_id: str) -> Trained:
        """Return what a finished training made. Raises ForgottenId."""
        body = json.dumps({"id": wire_id(remote_id)}).encode()
        answer = self._http.send("POST", "/get_results", body, timeout_s=SEND_TIMEOUT_S, limit_bytes=SMALL_ANSWER_BYTES)
        check_http(answer, about_id=True)
        value = unwrapped(read_json(answer.body), "adapter")
        sha256 = member(value, "adapter") if isinstance(value, dict) else None
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise bad_adapter("The generator named no adapter as the result of its training.")
        report = member(cast(dict[str, Any], value), "report")
        return Trained(sha256, _read_report(report))

    def get_adapter(self, sha256: str, most_bytes: int, stop: Stop = never_stop) -> bytes:
        """Return the file of an adapter, not checked. Raises ForgottenId where the generator has dropped it."""
        path = f"/adapters/{sha256}"
        answer = self._http.send("GET", path, None, timeout_s=FILE_TIMEOUT_S, limit_bytes=most_bytes, stop=stop)
        check_http(answer, about_id=True)
        return answer.body

    def send_adapter(self, sha256: str, data: bytes) -> None:
        """Make the generator keep the file of an adapter."""
        answer = self._http.send(
            "PUT",
            f"/adapters/{sha256}",
            data,
            timeout_s=FILE_TIMEOUT_S,
            limit_bytes=SMALL_ANSWER_BYTES,
            content_type="application/octet-stream",
        )
        if answer.status in REFUSALS:
            raise refusal(answer, {"adapters": None})
        check_http(answer, about_id=False)


def bad_adapter(message: str) -> GeneratorBroken:
    """Return the error for a training whose result cannot be used."""
    return GeneratorBroken("generator_bad_adapter", message, lasting=True)


def read_missing(body: bytes, asked: Sequence[Adapter]) -> frozenset[str]:
    """Return which of these adapters a refusal says are missing; none if it is about something else."""
    try:
        value = read_json(body)
    except GeneratorBroken:
        return frozenset()
    named = member(value, "adapters") if isinstance(value, dict) else None
    wanted = frozenset(adapter.sha256 for adapter in asked)
    return (
        wanted.intersection(name for name in named if isinstance(name, str)) if isinstance(named, list) else frozenset()
    )


def _read_report(value: object) -> dict[str, str | float]:
    """Return the short texts and the numbers of a report, a limited number of them."""
    if not isinstance(value, dict):
        return {}
    kept: dict[str, str | float] = {}
    for name, entry in list(value.items())[:MOST_IN_REPORT]:
        found = entry if isinstance(entry, int | float) and not isinstance(entry, bool) else read_name(entry)
        if found is not None and (word := read_name(name)):
            kept[word] = found
    return kept
