"""From the code of a scene to its picture."""

from datetime import UTC, datetime

from shared.core.errors import NotFound
from shared.core.rate_limits import Limit, check, take
from shared.scenes import store
from shared.services import Services


def picture_url(
    services: Services, code: str, *, thumbnail: bool, download: bool, head: bool, network: str | None = None
) -> str:
    """Return a fresh presigned URL of the picture that a code leads to, for GET or for HEAD.

    network: where the request comes from, None if that may guess.

    Raises:
        NotFound: The code is unknown, or has no picture (yet).
        RateLimited: The network has named too many unknown codes lately; known ones get the same answer then.
    """
    limit = Limit("codes of scenes", services.settings.codes_per_hour, detail="Too many codes of scenes did not work.")
    with services.db.statement() as connection:
        found = store.find_coded(connection, code)
        if network is not None:
            (take if found is None else check)(connection, limit, network)
    if found is None:
        raise NotFound
    key = found.thumbnail_key if thumbnail else found.key
    if key is None:
        raise NotFound("This scene has no picture." if found.state.finished else "This scene has no picture yet.")
    name = f"easel-{code}.{key.rpartition('.')[2]}" if download else None
    return services.storage.presigned_url(key, datetime.now(UTC), download_name=name, method="HEAD" if head else "GET")
