"""Requests whose pictures differ in their words: no protocol has that, so each picture is a separate request."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace

from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    Generator,
    GeneratorError,
    Phase,
    Progress,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.generators.training import Trainer, trainer_of

_MARK = "several:"
"""What the ids of such requests begin with; the ids of their parts follow as JSON."""


@dataclass(frozen=True, slots=True)
class Several:
    """A generator that also makes requests with variants, unless it is synchronous: its caller then asks in parts."""

    client: Generator

    @property
    def synchronous(self) -> bool:
        """Return whether it works while `result` waits."""
        return self.client.synchronous

    @property
    def waits(self) -> bool:
        """Return whether `status` can wait for a change."""
        return self.client.waits

    @property
    def capabilities(self) -> Capabilities:
        """Return what the generator last reported."""
        return self.client.capabilities

    @property
    def trainer(self) -> Trainer | None:
        """Return what makes and takes adapters."""
        return trainer_of(self.client)

    def start(self, request: GenerationRequest) -> str:
        """Send the request, or one for each of its pictures."""
        if not request.variants or self.client.synchronous:
            return self.client.start(request)
        ids: list[str] = []
        try:
            for index in range(request.n):
                part = replace(request.picture(index), key=f"{request.key}.{index}")
                ids.append(self.client.start(part))
        except GeneratorError:
            # One that knows keys answers the repeated request with the same ids.
            for sent in ids if "key" not in self.capabilities.extensions else ():
                self.client.cancel(sent)
            raise
        return _MARK + json.dumps(ids)

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop, preview: bool = False) -> Progress:
        """Ask how far the request is. Of several, only the first that is not finished is waited for and shown."""
        parts = _parts(remote_id)
        if parts is None:
            return self.client.status(remote_id, wait_s=wait_s, stop=stop, preview=preview)
        found: list[Progress] = []
        for part in parts:
            progress = self.client.status(part, wait_s=wait_s, stop=stop, preview=preview)
            found.append(progress)
            if progress.phase == Phase.FAILED:
                self.cancel(remote_id)
                return progress
            if progress.phase != Phase.FINISHED:
                wait_s, preview = 0, False
        return _together(found)

    def result(
        self, remote_id: str, request: GenerationRequest, stop: Stop = never_stop, room: Room = no_room
    ) -> Result:
        """Fetch the result; of several, the pictures of all in the order of the variants."""
        parts = _parts(remote_id)
        if parts is None:
            return self.client.result(remote_id, request, stop, room)
        room()
        results = [self.client.result(part, request.picture(index), stop, no_room) for index, part in enumerate(parts)]
        return replace(
            results[0],
            images=tuple(image for one in results for image in one.images),
            descriptions=tuple(text for one in results for text in one.descriptions),
            frames=tuple(frame for one in results for frame in one.frames),
        )

    def cancel(self, remote_id: str) -> None:
        """Ask the generator to stop. Never raises."""
        for part in _parts(remote_id) or [remote_id]:
            self.client.cancel(part)

    def health(self) -> Capabilities:
        """Ask whether the generator answers and what it offers. Raises GeneratorUnavailable."""
        return self.client.health()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def _parts(remote_id: str) -> list[str] | None:
    """Return the ids of the parts; None for the id of a plain request, which a generator may have chosen freely."""
    if remote_id.startswith(_MARK):
        with suppress(ValueError):
            parts = json.loads(remote_id.removeprefix(_MARK))
            if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
                return parts
    return None


def _together(parts: list[Progress]) -> Progress:
    """Return the progress of the whole: queued until one part begins, finished when all are."""
    phases = {part.phase for part in parts}
    if phases == {Phase.FINISHED}:
        return Progress(Phase.FINISHED)
    if phases == {Phase.QUEUED}:
        return parts[0]
    done = sum(1.0 if part.phase == Phase.FINISHED else part.fraction or 0.0 for part in parts)
    preview = next((part.preview for part in parts if part.preview), None)
    return Progress(Phase.PROCESSING, fraction=done / len(parts), preview=preview)
