"""Which photos a likeness can be trained from. Pure: it judges measures, and says what would be better."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.core.errors import FieldCode
from shared.images.photo_values import PhotoMeasures

PERSON = "person"
"""The subject of which each photo has to show one face."""

MIN_SIDE_PX = 256
MIN_SHARPNESS = 40.0
"""Photos that are sharp have some hundreds, out of focus or shaken ones less than 20."""

MIN_LIGHT, MAX_LIGHT = 25.0, 238.0
MOST_BLACK, MOST_WHITE = 0.8, 0.85
"""The shares of pixels without detail. A thing before a white wall has many white ones, and can be learned."""

MOST_EQUAL_BITS = 5
"""Of the 64 bits of their hashes two photos differ in so many, if they show the same from the same place."""


@dataclass(frozen=True, slots=True)
class PhotoProblem:
    """Why a photo cannot be used: its place among the five, from 0, a stable code, and a sentence with what to do."""

    place: int
    code: FieldCode
    message: str


def judge(photos: Sequence[PhotoMeasures | None], subject: str) -> list[PhotoProblem]:
    """Return every problem of every photo, in their order; None stands for one that could not be measured."""
    problems = []
    for place, photo in enumerate(photos):
        if photo is None:
            continue
        problems += [PhotoProblem(place, code, message) for code, message in _faults(photo)]
        if subject == PERSON:
            problems += [PhotoProblem(place, code, message) for code, message in _face_faults(photo.faces)]
        same = next((other for other in range(place) if _are_alike(photos[other], photo)), None)
        if same is not None:
            message = f"shows the same as photo {same + 1}; choose one from another side, or with other light"
            problems.append(PhotoProblem(place, "photo_repeated", message))
    return problems


def _faults(photo: PhotoMeasures) -> list[tuple[FieldCode, str]]:
    faults: list[tuple[FieldCode, str]] = []
    if min(photo.width, photo.height) < MIN_SIDE_PX:
        message = f"has {photo.width}x{photo.height} pixels; each side needs {MIN_SIDE_PX}, and 512 or more are better"
        faults.append(("photo_too_small", message))
    is_dark = photo.light < MIN_LIGHT or photo.dark_share > MOST_BLACK
    is_bright = photo.light > MAX_LIGHT or photo.bright_share > MOST_WHITE
    if is_dark:
        faults.append(("photo_too_dark", "is too dark; take it in daylight, or brighten it"))
    if is_bright:
        faults.append(("photo_too_bright", "is too bright to show anything; take it without direct light"))
    if not is_dark and not is_bright and photo.sharpness < MIN_SHARPNESS:
        faults.append(("photo_blurred", "is blurred; hold the camera still and focus on the subject"))
    return faults


def _face_faults(faces: int | None) -> list[tuple[FieldCode, str]]:
    if faces == 0:
        message = "shows no face that can be recognised; take it from the front, nearer, and without a mask"
        return [("photo_without_face", message)]
    if faces is not None and faces > 1:
        return [("photo_of_several", f"shows {faces} faces; cut out the one that is meant, or take it of one person")]
    return []


def _are_alike(one: PhotoMeasures | None, other: PhotoMeasures) -> bool:
    return one is not None and (one.difference_hash ^ other.difference_hash).bit_count() <= MOST_EQUAL_BITS
