"""One step of one generating job: send it, ask about it, or fetch and store what it made.

A step works under a claim and ends in one transaction: a release (the job goes on later) or a move (the job leaves the
generator). Whatever another process does meanwhile, a step whose claim is gone writes nothing.
"""

import logging
from datetime import UTC
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.clients.storage import ObjectMissing, ObjectTooLarge
from shared.core import garbage
from shared.core.errors import Unavailable
from shared.core.limits import MAX_UPLOAD_BYTES
from shared.generators.abilities import describe, ignored_fields
from shared.generators.base import (
    ForgottenId,
    GenerationRequest,
    Generator,
    GeneratorBroken,
    GeneratorError,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
    Phase,
    Progress,
    Stop,
    never_stop,
)
from shared.images import codec as pictures
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED, GENERATOR_TOO_SLOW, SOURCE_MISSING, WORKER_STOPPED, Reason
from shared.jobs.records import StoredImage
from shared.jobs.requests import generation_request
from shared.jobs.states import (
    FIRST_POLL_S,
    LONGEST_GENERATING_S,
    LOST_OBJECTS_KEPT_S,
    MAX_ATTEMPTS,
    UNREACHABLE_S,
    Event,
    State,
    next_poll_s,
)
from shared.polling import claims as claim_store
from shared.polling import generators as generator_store
from shared.services import Services

STORAGE_RETRY_S = 2.0
NOT_SENT = frozenset({"generator_unreachable", "generator_busy", "generator_redirected", "generator_misconfigured"})
"""Failures of a send after which the generator surely has nothing; others spend an attempt."""

_OUTCOMES = {
    State.QUEUED: "requeued",
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
}

_log = logging.getLogger(__name__)


def objects_of(job_id: UUID, attempt_token: UUID) -> str:
    """The prefix of the keys under which a claim stores what it made."""
    return f"jobs/{job_id}/{attempt_token}/"


def _reason(error: GeneratorError) -> Reason:
    return Reason(error.code, error.message)


class Step:
    """The step that is due for the claimed job. `run` returns the seconds until the next one, None when it left.

    `protocol` is what the generator speaks. `stop` says when a call that takes long is no longer wanted: the user has
    cancelled the job, or this process is to end. Afterwards `kind` and `outcome` say what it did and what that came to,
    in the words of `shared.metrics.process`.
    """

    def __init__(
        self, services: Services, claim: Row[Any], generator: Generator, protocol: str, stop: Stop = never_stop
    ) -> None:
        self._services = services
        self._claim = claim
        self._generator = generator
        self._protocol = protocol
        self._stop = stop
        self._prefix = objects_of(claim.id, claim.attempt_token)
        self.kind = "send" if claim.remote_id is None else "ask"
        self.outcome = "error"

    def run(self) -> float | None:
        if self._claim.cancelling:
            self.kind = "cancel"
            return self._cancel()
        try:
            return self._send() if self._claim.remote_id is None else self._ask()
        except GeneratorBroken as error:
            return self._lose_attempt(_reason(error))
        except GeneratorRefused as error:
            return self._fail(_reason(error))
        except GeneratorStopped:
            return self._release(0, waiting=WORKER_STOPPED)

    def _cancel(self) -> None:
        if self._claim.remote_id is not None:
            self._generator.cancel(self._claim.remote_id)
        self._leave(State.CANCELLED, Event.CANCELLED)

    def _send(self) -> float | None:
        try:
            order = self._order()
        except pictures.PictureError as error:
            return self._fail(Reason(error.code, f"A start picture cannot be used: {error.message}"))
        except (ObjectMissing, ObjectTooLarge):
            return self._fail(SOURCE_MISSING)
        except Unavailable as error:
            return self._wait_for_storage(error)
        try:
            remote_id = self._generator.start(order)
        except GeneratorUnavailable as error:
            return self._not_taken(error, counted=0)
        except GeneratorBroken as error:
            self._note_failure(error.message)
            return self._lose_attempt(_reason(error), spent=1)
        left_out = ignored_fields(self._protocol, order)
        adapted = Reason("not_followed", describe(left_out)) if left_out else None
        if self._generator.synchronous:
            return self._release(0, remote_id=remote_id, event=Event.SENT, adapted=adapted)
        self._note_success()
        return self._release(FIRST_POLL_S, remote_id=remote_id, event=Event.SENT, adapted=adapted)

    def _not_taken(self, error: GeneratorUnavailable, *, counted: int) -> None:
        """The order did not get through, or nobody knows whether it did. `counted`: attempts counted for it already."""
        self._note_failure(error.message)
        if error.code in NOT_SENT:
            return self._leave(State.QUEUED, Event.WAITING, reason=_reason(error), attempts=-counted)
        return self._lose_attempt(_reason(error), spent=1 - counted)

    def _ask(self) -> float | None:
        try:
            progress = self._generator.status(self._claim.remote_id)
            if progress.phase == Phase.READY:
                return self._draw()
            if progress.phase == Phase.FINISHED:
                return self._fetch()
        except GeneratorUnavailable as error:
            return self._wait_for_generator(error)
        except ForgottenId:
            # It was restarted and answers again; the others need not wait for the time alone to pass.
            self._note_success()
            raise
        if progress.phase == Phase.FAILED:
            return self._lose_attempt(GENERATOR_FAILED)
        if (self._claim.sent_s or 0) > LONGEST_GENERATING_S:
            self._generator.cancel(self._claim.remote_id)
            return self._lose_attempt(GENERATOR_TOO_SLOW)
        self._note_success()
        return self._note_progress(progress)

    def _note_progress(self, progress: Progress) -> float:
        working = progress.phase == Phase.PROCESSING
        fraction = progress.fraction if progress.fraction is not None else (0.0 if working else None)
        first = working and self._claim.progress is None
        delay_s = next_poll_s(self._claim.sent_s or 0, progress.position, progress.fraction)
        return self._release(delay_s, progress=fraction, event=Event.PROCESSING if first else None)

    def _draw(self) -> float | None:
        """Have a synchronous generator draw: this step lasts as long as the picture takes. Nothing was sent before, and
        after a call that failed nothing is held there, so that a failure is that of a send."""
        try:
            # A picture that cannot be stored is work for nothing: it cannot be fetched a second time.
            self._services.storage.check()
        except Unavailable as error:
            return self._wait_for_storage(error)
        with self._services.db.statement() as connection:
            claim_store.note_processing(connection, self._id, self._token)
        try:
            return self._fetch()
        except GeneratorUnavailable as error:
            return self._not_taken(error, counted=1)

    def _fetch(self) -> float | None:
        self.kind = "fetch"
        try:
            order = self._order()
            result = self._generator.result(self._claim.remote_id, order, self._stop)
            self._note_success()
            # Where unchanged pictures are not sent back, what was described are the sources themselves.
            stored = self._store(result.images or order.source_images, order, result.descriptions)
        except (pictures.PictureError, ObjectMissing, ObjectTooLarge) as error:
            code = error.code if isinstance(error, pictures.PictureError) else SOURCE_MISSING.code
            return self._lose_attempt(Reason(code, f"The generator's picture cannot be used ({code})."))
        except Unavailable as error:
            return self._wait_for_storage(error)
        with self._services.db.begin() as connection:
            state = job_store.end_attempt(
                connection, self._id, State.SUCCEEDED, Event.SUCCEEDED, attempt_token=self._token
            )
            if state == State.SUCCEEDED:
                claim_store.insert_images(connection, self._id, stored)
            else:
                garbage.discard(connection, self._prefix)
        self.outcome = _OUTCOMES[state]
        if state == State.SUCCEEDED:
            # Apart from the move: a dispatcher holds the clock while it waits for users' rows, so who holds a user's
            # row must not wait for the clock.
            with self._services.db.statement() as connection:
                claim_store.note_pace(connection, self._id)
        return None

    def _store(
        self, images: tuple[bytes, ...], order: GenerationRequest, descriptions: tuple[str, ...]
    ) -> list[StoredImage]:
        """Check, complete and store every picture; verify by size that all of it is there."""
        stored, sizes = [], {}
        not_followed = tuple(setting.field for setting in ignored_fields(self._protocol, order))
        for index, (data, expected_size) in enumerate(
            zip(images, order.output_sizes or [None] * len(images), strict=True)
        ):
            image = pictures.decode_png(data, expected_size=expected_size)
            description = descriptions[index] if descriptions else None
            seed = None if "seed" in not_followed else (order.seed + index) % 2**32
            png = pictures.encode_png(image, self._recipe(seed, index, description, not_followed))
            files = {f"{self._prefix}{index}.png": (png, "image/png")}
            files[f"{self._prefix}{index}.webp"] = (pictures.thumbnail_webp(image), "image/webp")
            for key, (content, content_type) in files.items():
                self._services.storage.put(key, content, content_type)
                sizes[key] = len(content)
            key, thumbnail_key = files
            stored.append(
                StoredImage(index, key, thumbnail_key, image.width, image.height, len(png), seed, description)
            )
        if self._services.storage.sizes_bytes(self._prefix) != sizes:
            raise Unavailable("The storage does not hold what was written to it.")
        return stored

    def _order(self) -> GenerationRequest:
        sources = tuple(
            pictures.source_png(self._services.storage.get(key, MAX_UPLOAD_BYTES)) for key in self._claim.source_keys
        )
        claim = self._claim
        # A job that was put back counts its attempts anew, and must not be answered with an order of its earlier life.
        life = f"{self._id}.{claim.requeues}" if claim.requeues else str(self._id)
        return generation_request(claim.prompt, claim.settings, source_images=sources, key=f"{life}:{claim.attempts}")

    def _recipe(
        self, seed: int | None, index: int, description: str | None, not_followed: tuple[str, ...]
    ) -> pictures.Recipe:
        return pictures.Recipe(
            prompt=self._claim.prompt,
            negative_prompt=self._claim.settings["negative_prompt"],
            settings=self._claim.settings,
            seed=seed,
            index=index,
            generator=self._claim.generator,
            description=description,
            job_id=str(self._id),
            created_at=self._claim.created_at.astimezone(UTC).isoformat(),
            not_followed=not_followed,
        )

    def _wait_for_generator(self, error: GeneratorUnavailable) -> float | None:
        self._note_failure(error.message)
        unreachable_s = self._claim.unreachable_s or 0
        if unreachable_s > UNREACHABLE_S:
            return self._lose_attempt(_reason(error))
        return self._release(1 + unreachable_s / 4, unreachable=True, waiting=_reason(error))

    def _wait_for_storage(self, error: Unavailable) -> float:
        _log.warning("the storage failed a step: %s", error.detail)
        waiting = Reason("storage_unavailable", error.detail)
        with self._services.db.begin() as connection:
            if self._claim.remote_id is not None:
                # The next try is another claim, with a prefix of its own.
                garbage.discard(connection, self._prefix, in_s=LOST_OBJECTS_KEPT_S)
            delay_s = claim_store.release(connection, self._id, self._token, STORAGE_RETRY_S, waiting=waiting)
        self.outcome = "waits"
        return delay_s

    def _lose_attempt(self, reason: Reason, *, spent: int = 0) -> None:
        """Put the job back into the queue, or give up after the last attempt. `spent`: attempts not yet counted."""
        if self._claim.attempts + spent >= MAX_ATTEMPTS:
            message = f"Given up after {MAX_ATTEMPTS} attempts. {reason.message}"
            return self._fail(Reason(reason.code, message), spent=spent)
        return self._leave(State.QUEUED, Event.RETRYING, reason=reason, attempts=spent)

    def _fail(self, reason: Reason, *, spent: int = 0) -> None:
        self._leave(State.FAILED, Event.FAILED, reason=reason, attempts=spent)

    def _leave(self, to: State, event: Event, **details: Any) -> None:
        with self._services.db.begin() as connection:
            state = job_store.end_attempt(connection, self._id, to, event, attempt_token=self._token, **details)
            if self._claim.remote_id is not None:
                garbage.discard(connection, self._prefix, in_s=LOST_OBJECTS_KEPT_S)
        self.outcome = _OUTCOMES[state]

    def _release(self, next_step_s: float, **details: Any) -> float:
        with self._services.db.statement() as connection:
            delay_s = claim_store.release(connection, self._id, self._token, next_step_s, **details)
        self.outcome = "waits" if "waiting" in details else "goes_on"
        return delay_s

    def _note_success(self) -> None:
        if not self._claim.generator_failures:
            return
        with self._services.db.statement() as connection:
            generator_store.note_success(connection, self._claim.generator)

    def _note_failure(self, reason: str) -> None:
        with self._services.db.statement() as connection:
            generator_store.note_failure(connection, self._claim.generator, reason)

    @property
    def _id(self) -> UUID:
        job_id: UUID = self._claim.id
        return job_id

    @property
    def _token(self) -> UUID:
        token: UUID = self._claim.attempt_token
        return token
