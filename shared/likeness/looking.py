"""Looking at uploads before something is learned from them, each in a process that may take only so much."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import shared
from shared.accounts.auth import Credential, require_user
from shared.core.errors import FieldCode, FieldError, InvalidRequest, Unavailable
from shared.core.limits import MAX_UPLOAD_BYTES
from shared.images.photo_values import MAX_MEMORY_BYTES, PROGRAM, PhotoMeasures
from shared.images.source_rules import PictureError, check_head
from shared.jobs import upload_store
from shared.likeness.photos import judge
from shared.services import Services

if TYPE_CHECKING:
    import shared.images.photo_measures  # only another process imports it; so the bundle has it

LIMIT_S = 15.0
"""How long looking at one photo may take, and how long a request waits for its turn. Most take a third of a second."""

MAX_PHOTO_PIXELS = 40_000_000
AT_ONCE = 2
"""How many photos a process looks at at the same time."""

_PROGRAM = [sys.executable, "-m", PROGRAM, str(MAX_MEMORY_BYTES)]
_FOLDER = Path(shared.__path__[0]).parent
_BROKEN: tuple[FieldCode, str] = ("picture_broken", "cannot be read as a picture; save it as a JPEG again")

_turns = threading.Semaphore(AT_ONCE)
_log = logging.getLogger(__name__)


def check_photos(services: Services, credential: Credential, keys: Sequence[str]) -> None:
    """Check that these are the user's own uploads, have arrived, and that a likeness can be trained from them.

    No connection to the database is held while the storage is asked.

    Raises:
        InvalidRequest: With everything that is wrong with any of them, as `photos.<place>`.
        Unavailable: Too many photos are being looked at.
    """
    with services.db.statement() as connection:
        own = upload_store.list_own_keys(connection, require_user(connection, credential).id, keys)
    measured: list[PhotoMeasures | None] = []
    faults: list[FieldError] = []
    for place, key in enumerate(keys):
        found = _look(services, key) if key in own else _refused("not_yours", "is not the key of an upload of yours")
        measured.append(found if isinstance(found, PhotoMeasures) else None)
        if not isinstance(found, PhotoMeasures):
            faults.append(_fault(place, *found))
    faults += [_fault(problem.place, problem.code, problem.message) for problem in judge(measured)]
    if faults:
        raise InvalidRequest("Some photos cannot be used; see 'errors'.", fields=tuple(faults))


def _refused(code: FieldCode, message: str) -> tuple[FieldCode, str]:
    return code, message


def _fault(place: int, code: FieldCode, message: str) -> FieldError:
    return FieldError(f"photos.{place}", f"photo {place + 1} {message}", code)


def _look(services: Services, key: str) -> PhotoMeasures | tuple[FieldCode, str]:
    from shared.clients.storage import ObjectMissing, ObjectTooLarge

    try:
        data = services.storage.get(key, MAX_UPLOAD_BYTES)
        size = check_head(data)
    except ObjectMissing:
        return "not_uploaded", "has not been uploaded yet"
    except ObjectTooLarge:
        return "too_large", "has more than 20 MB"
    except PictureError as error:
        return _by_picture(error.code)
    if size is None or size[0] * size[1] > MAX_PHOTO_PIXELS:
        return _BROKEN if size is None else _by_picture("picture_too_many_pixels")
    return _measure(data)


def _measure(data: bytes) -> PhotoMeasures | tuple[FieldCode, str]:
    if not _turns.acquire(timeout=LIMIT_S):
        raise Unavailable("Too many photos are being looked at.", retry_after_s=5)
    try:
        # Without this process's environment, which has keys.
        done = subprocess.run(  # noqa: S603 # the program is Easel's
            _PROGRAM, input=data, capture_output=True, timeout=LIMIT_S, check=False, cwd=_FOLDER, env={}
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        _log.warning("a photo could not be looked at: %s", type(error).__name__)
        return _BROKEN
    finally:
        _turns.release()
    if done.returncode:
        _log.warning("a photo could not be looked at: the program ended with %d", done.returncode)
        return _BROKEN
    found = json.loads(done.stdout)
    return _by_picture(found["code"]) if "code" in found else PhotoMeasures(**found)


_ADVICE: dict[str, str] = {
    "picture_wrong_format": "is no PNG, JPEG or WebP file",
    "picture_too_many_pixels": f"has more than {MAX_PHOTO_PIXELS // 10**6} million pixels; make it smaller",
    "picture_too_small": "is much too small, or much too narrow",
    "picture_animated": "is animated; choose a still picture",
}


def _by_picture(code: str) -> tuple[FieldCode, str]:
    advice = _ADVICE.get(code)
    return _BROKEN if advice is None else (cast(FieldCode, code), advice)
