"""Export use cases: asking for one, looking at it, and deleting it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.accounts.auth import Credential, require_user
from shared.core import garbage, rate_limits
from shared.core.errors import NotFound, Unavailable
from shared.core.limits import DAY_S
from shared.core.paging import page
from shared.exports import store
from shared.exports.store import ExportRecord
from shared.services import Services

_FAILED = "The export could not be made for a day. Ask for another one."


def folder(user_id: UUID, export_id: UUID | None = None) -> str:
    """Return the prefix of the objects of a user's exports, or of one of them."""
    return f"exports/{user_id}/" + (f"{export_id}/" if export_id else "")


def request(services: Services, credential: Credential) -> ExportRecord:
    """Ask for an export, which replaces the last one; while one of the user's is being made, return that one.

    Raises:
        RateLimited: The user has had as many exports as they may in a day.
        Unavailable: The one that was being made has ended meanwhile.
    """
    limit = rate_limits.Limit("exports", services.settings.exports_per_day, DAY_S)
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        export_id = store.create(connection, user.id)
        if export_id is not None:
            rate_limits.take(connection, limit, str(user.id))
            old = store.delete_others(connection, user.id, export_id)
            garbage.discard(connection, *(folder(user.id, one) for one in old))
            return _require(store.find(connection, user.id, export_id))
        found = store.find_unfinished(connection, user.id)
    if found is None:
        raise Unavailable("The export before this one has just been finished. Ask again.", retry_after_s=1)
    return found


def get(services: Services, credential: Credential, export_id: UUID) -> ExportRecord:
    """Return an export of the user. Raises NotFound if they have none with this id."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        return _require(store.find(connection, user.id, export_id))


def list_own(
    services: Services, credential: Credential, *, before: UUID | None, limit: int
) -> tuple[list[ExportRecord], str | None]:
    """Return a page of the user's exports, newest first, and the id to continue after."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        found = store.list_page(connection, user.id, before=before, limit=limit + 1)
    return page(found, limit)


def delete(services: Services, credential: Credential, export_id: UUID) -> None:
    """Delete an export with its files, also one that is being made.

    Raises:
        NotFound: The user has no export with this id.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        if not store.delete(connection, user.id, export_id):
            raise NotFound
        garbage.discard(connection, folder(user.id, export_id))


def export_view(services: Services, found: ExportRecord) -> dict[str, Any]:
    """Return an export as `shared.api.account_schemas.ExportView` describes it, with presigned URLs of its files."""
    now = datetime.now(UTC)
    return {
        "id": str(found.id),
        "state": found.state,
        "progress": found.progress,
        "error": {"code": found.error_code, "message": _FAILED} if found.error_code else None,
        "files": [
            {
                "url": services.storage.presigned_url(file.key, now, download_name=f"easel-{file.number}.zip"),
                "size_bytes": file.size_bytes,
            }
            for file in (() if found.error_code else found.files)
        ],
        "created_at": found.created_at,
        "finished_at": found.finished_at,
        "expires_at": found.expires_at,
        "links": {"self": f"/v1/exports/{found.id}"},
    }


def _require(found: ExportRecord | None) -> ExportRecord:
    if found is None:
        raise NotFound
    return found
