"""What callers see of likenesses: records become the values of the HTTP API."""

import json
from typing import Any

from shared.likeness.store import LikenessRecord


def likeness_view(found: LikenessRecord) -> dict[str, Any]:
    """Return a likeness as `shared.api.likenesses.LikenessView` describes it."""
    error = {"code": found.error_code, "message": found.error_message} if found.error_code else None
    return {
        "code": found.code,
        "state": found.state,
        "subject": found.subject,
        "name": found.name,
        "shared": found.shared,
        "progress": found.progress,
        "error": error,
        "report": None if found.report is None else json.loads(found.report),
        "consented_at": found.consented_at,
        "created_at": found.created_at,
        "finished_at": found.finished_at,
        "expires_at": found.expires_at,
        "job_id": str(found.id),
        "links": {"self": f"/v1/likenesses/{found.code}", "job": f"/v1/jobs/{found.id}"},
    }
