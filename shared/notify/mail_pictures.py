"""The pictures of a mail, read from the storage as far as they fit."""

import logging

from shared.clients.storage import ObjectMissing, ObjectTooLarge
from shared.core.errors import Unavailable
from shared.images.codec import PictureError, thumbnail_jpeg
from shared.notify.messages import MOST_ATTACHED, MOST_INSIDE, MailPicture, attachable
from shared.notify.store import MailClaim
from shared.services import Services

_MAX_THUMBNAIL_BYTES = 2_000_000

_log = logging.getLogger(__name__)


def read(services: Services, claim: MailClaim) -> dict[str, MailPicture]:
    """Return a claim's pictures by their ids. The mail only links to what cannot be read, or is too large for it.

    The first MOST_INSIDE have a thumbnail, and at most MOST_ATTACHED are read in full.
    """
    found: dict[str, MailPicture] = {}
    used_bytes = attached = 0
    try:
        for image in claim.images[:MOST_INSIDE]:
            webp = services.storage.get(image.thumbnail_key, _MAX_THUMBNAIL_BYTES)
            thumbnail = thumbnail_jpeg(webp)
            used_bytes += len(thumbnail)
            found[image.id] = MailPicture(thumbnail, None)
        for image in claim.images:
            if attached < MOST_ATTACHED and attachable(image.size_bytes, used_bytes, len(claim.jobs)):
                full = services.storage.get(image.key, image.size_bytes)
                used_bytes += len(full)
                attached += 1
                inside = found.get(image.id)
                found[image.id] = MailPicture(inside.thumbnail if inside else None, full)
    except (ObjectMissing, ObjectTooLarge, PictureError, Unavailable) as error:
        _log.warning("a mail has only some of its pictures: %s", type(error).__name__)
    return found
