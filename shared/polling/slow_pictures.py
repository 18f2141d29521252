"""Users' pictures that take long to decode: beside the steps, so that their jobs hold no place at a generator.

A job whose start picture is not decoded at once goes back into the queue for a pause. What came of the picture, a PNG
or why it cannot be used, is an object in the storage for an hour, which any worker finds when the job starts again.
"""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from uuid import UUID

from shared.clients.storage import ObjectMissing, ObjectTooLarge
from shared.core import garbage
from shared.core.errors import Unavailable
from shared.core.limits import HOUR_S, MAX_UPLOAD_BYTES
from shared.images import codec
from shared.images.jail import TakesLong
from shared.jobs import store as job_store
from shared.polling.claims import ClaimedJob, ClaimedSource
from shared.polling.patience import patient
from shared.services import Services

MOST_WAITING = 64
"""The pictures that wait here for their turn. A job whose picture finds no room asks again after its next pause."""

MAX_PNG_BYTES = 4 * 2048 * 2048
"""A decoded start picture, three bytes a pixel, with room for what does not compress."""

_log = logging.getLogger(__name__)


class SlowPictures:
    """The slow pictures of one process, decoded one after the other."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread = ThreadPoolExecutor(1, "slow-pictures")
        self._in_hand: set[str] = set()
        self._lock = threading.Lock()

    def png(self, claim: ClaimedJob, source: ClaimedSource, data: bytes) -> bytes:
        """Return an upload as the PNG that is sent.

        Raises:
            PictureError: It cannot be used.
            TakesLong: It is decoded beside the steps; the job has to wait for that.
            Unavailable: The storage fails, or too many pictures are decoded.
        """
        key = _key(claim, source)
        if claim.refusals and (found := self._find(key)) is not None:
            return found
        if claim.remote_id is not None:
            return codec.source_png(data)  # it was quick when the job was sent, and holds its place anyway
        if key in self._in_hand:
            raise TakesLong
        try:
            return codec.source_png(data, speed="quick")
        except TakesLong:
            self._hand_over(key, claim, source)
            raise

    def close(self, *, wait: bool = False) -> None:
        """Take no more pictures. The one in hand is left to another process, or waited for."""
        self._thread.shutdown(wait=wait, cancel_futures=True)

    def _find(self, key: str) -> bytes | None:
        try:
            found = self._services.storage.get(key, MAX_PNG_BYTES)
        except (ObjectMissing, ObjectTooLarge):
            return None
        if found.startswith(b"{"):
            raise codec.PictureError(**json.loads(found))
        return found

    def _hand_over(self, key: str, claim: ClaimedJob, source: ClaimedSource) -> None:
        with self._lock:
            if key in self._in_hand or len(self._in_hand) >= MOST_WAITING:
                return
            self._in_hand.add(key)
        self._thread.submit(self._decode, key, claim.id, source)
        _log.info("a start picture takes long; it is decoded beside the steps")

    def _decode(self, key: str, job_id: UUID, source: ClaimedSource) -> None:
        try:
            with patient("a start picture"):
                self._store(key, self._result(source))
                with self._services.db.statement() as connection:
                    job_store.end_pause(connection, job_id)
                self._services.wake_ups.wake()
        finally:
            with self._lock:
                self._in_hand.discard(key)

    def _result(self, source: ClaimedSource) -> bytes:
        try:
            data = self._services.storage.get(source.key, MAX_UPLOAD_BYTES, etag=source.etag)
            return codec.source_png(data, speed="slow")
        except codec.PictureError as error:
            return json.dumps({"code": error.code, "message": error.message}).encode()
        except (ObjectMissing, ObjectTooLarge) as error:
            raise Unavailable("A start picture has gone.") from error  # the job's next start says so

    def _store(self, key: str, content: bytes) -> None:
        with self._services.db.begin() as connection:
            garbage.discard(connection, key, in_s=HOUR_S)
        self._services.storage.put(key, content, "application/octet-stream")


def _key(claim: ClaimedJob, source: ClaimedSource) -> str:
    name = sha256(f"{source.key} {source.etag}".encode()).hexdigest()[:32]
    return f"jobs/{claim.id}/start-{name}"
