"""Looking at uploads before something is learned from them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

from shared.accounts.auth import Credential, require_user
from shared.core.errors import FieldCode, FieldError, InvalidRequest
from shared.core.limits import MAX_UPLOAD_BYTES
from shared.images.photo_values import PhotoMeasures
from shared.images.source_rules import PictureError, check_head
from shared.jobs import upload_store
from shared.jobs.resolution import trains_likenesses
from shared.jobs.uploads import SENT_AGAIN, fix_contents
from shared.likeness.measuring import measurer
from shared.likeness.photos import PERSON, judge
from shared.likeness.turns import turns
from shared.services import Services

MAX_PHOTO_PIXELS = 40_000_000

Refusal: TypeAlias = tuple[FieldCode, str]
"""Why a photo cannot be used at all: a code, and what to do."""

_NOT_OFFERED = FieldError("photos", "cannot be used: no generator of this site trains likenesses", "not_offered")
_NOT_YOURS: Refusal = ("not_yours", "is not the key of an upload of yours")
_NOT_UPLOADED: Refusal = ("not_uploaded", "has not been uploaded yet")
_BROKEN: Refusal = ("picture_broken", "cannot be read as a picture; save it as a JPEG again")
_ADVICE = {
    "picture_wrong_format": "is no PNG, JPEG or WebP file",
    "picture_too_many_pixels": f"has more than {MAX_PHOTO_PIXELS // 10**6} million pixels; make it smaller",
    "picture_too_small": "is much too small, or much too narrow",
    "picture_animated": "is animated; choose a still picture",
}


def check_photos(services: Services, credential: Credential, keys: Sequence[str], subject: str) -> None:
    """Check that these are the user's own uploads, have arrived, and that a likeness can be trained from them here.

    The page asks as photos come, and a submit asks last. Each photo costs a processor some tenths of a second.
    No connection to the database is held while the storage is asked.

    Raises:
        InvalidRequest: With everything that is wrong with any of them, as `photos.<place>`, or no generator trains.
        Unavailable: Too many photos are being looked at.
    """
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        own = upload_store.list_own(connection, user.id, keys)
    if not trains_likenesses(services):
        raise InvalidRequest("No generator of this site trains likenesses.", fields=(_NOT_OFFERED,))
    measured: list[PhotoMeasures | None] = []
    faults: list[FieldError] = []
    etags: dict[str, str] = {}
    with turns.turn(user.id), measurer(faces=subject == PERSON) as lent:
        for place, key in enumerate(keys):
            found = _look(services, key, etags, lent.measure) if key in own else _NOT_YOURS
            measured.append(found if isinstance(found, PhotoMeasures) else None)
            if not isinstance(found, PhotoMeasures):
                faults.append(_fault(place, *found))
    faults += [_fault(problem.place, problem.code, problem.message) for problem in judge(measured, subject)]
    if not faults:
        changed = fix_contents(services, etags, own)
        faults = [_fault(keys.index(key), "not_uploaded", SENT_AGAIN) for key in changed]
    if faults:
        raise InvalidRequest("Some photos cannot be used; see 'errors'.", fields=tuple(faults))


def _fault(place: int, code: FieldCode, message: str) -> FieldError:
    return FieldError(f"photos.{place}", f"photo {place + 1} {message}", code)


def _look(
    services: Services, key: str, etags: dict[str, str], measure: Callable[[bytes], PhotoMeasures | str]
) -> PhotoMeasures | Refusal:
    """Return what was measured, or why the photo cannot be used; note its ETag."""
    from shared.clients.storage import ObjectMissing

    try:
        data, etags[key] = services.storage.get_begin(key, MAX_UPLOAD_BYTES + 1)
        if len(data) > MAX_UPLOAD_BYTES:
            return "too_large", "has more than 20 MB"
        size = check_head(data)
    except ObjectMissing:
        return _NOT_UPLOADED
    except PictureError as error:
        return _by_picture(error.code)
    if size is None:
        return _BROKEN
    if size[0] * size[1] > MAX_PHOTO_PIXELS:
        return _by_picture("picture_too_many_pixels")
    found = measure(data)
    return _by_picture(found) if isinstance(found, str) else found


def _by_picture(code: str) -> Refusal:
    advice = _ADVICE.get(code)
    return _BROKEN if advice is None else (cast(FieldCode, code), advice)
