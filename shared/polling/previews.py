"""Previews of pictures that are being made: small, at most one a second for each job, and deleted after an hour.

A preview is never a result: it is not counted, has no recipe, and one that cannot be used or stored is left out.
"""

import logging

from shared.clients.storage import Storage
from shared.core.errors import Unavailable
from shared.images import codec
from shared.polling.claims import ClaimedJob

PAUSE_S = 1.0
"""The shortest time between two previews of a job, whatever the generator sends."""

MOST_SIDE_PX = 512
"""The longest side of a preview that is decoded; the protocol's have at most half of it."""

_log = logging.getLogger(__name__)


def is_due(claim: ClaimedJob) -> bool:
    """Return whether the job may have another preview now."""
    return claim.preview_s is None or claim.preview_s >= PAUSE_S


def store(storage: Storage, claim: ClaimedJob, data: bytes | None) -> str | None:
    """Encode a generator's preview again and store it; return its key, None without a usable one."""
    if data is None or not is_due(claim):
        return None
    key = claim.preview_key
    try:
        if max(codec.read_size(data)) > MOST_SIDE_PX:
            return None
        storage.put(key, codec.preview_webp(codec.decode_picture(data, expected_size=None)), "image/webp")
    except codec.PictureError:
        return None
    except Unavailable as error:
        _log.warning("a preview could not be stored: %s", error.detail)
        return None
    return key
