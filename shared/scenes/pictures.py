"""The pictures of a catalogue in the storage: where they are, and what a generator gets of them."""

from typing import TYPE_CHECKING
from uuid import UUID

from shared.core.limits import MAX_UPLOAD_BYTES
from shared.generators.scenes import ScenePictures
from shared.jobs.records import JobSettings

if TYPE_CHECKING:
    from shared.clients.storage import Storage  # importing it takes 250 ms, and not every function needs it

BACKGROUND, POSE, POSE_MASK, FACE_MASK = "background.png", "pose.png", "pose_mask.png", "face_mask.png"
THUMBNAIL = "thumbnail.webp"


def prefix(picture_id: UUID | str) -> str:
    """Return the folder of a place's picture, or of an action's shot."""
    return f"scenes/{picture_id}/"


def id_of(key: str) -> UUID | None:
    """Return the place's picture or the action's shot to which an object belongs; None for other objects."""
    folder, _, rest = key.partition("/")
    try:
        return UUID(rest.partition("/")[0]) if folder == "scenes" else None
    except ValueError:
        return None


def of_job(storage: "Storage", settings: JobSettings) -> ScenePictures | None:
    """Fetch the pictures of a job's scene; None for a job without one.

    Raises:
        ObjectMissing, ObjectTooLarge, Unavailable: There is something wrong with a picture, or with the storage.
    """
    scene = settings.get("scene")
    if scene is None:
        return None
    names = (
        prefix(scene["background"]) + BACKGROUND,
        *(prefix(scene["pose"]) + name for name in (POSE, POSE_MASK, FACE_MASK)),
    )
    return ScenePictures(*(storage.get(name, MAX_UPLOAD_BYTES) for name in names))
