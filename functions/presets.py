"""GET /v1/presets: what the words of a submit stand for, and the range of each field."""

from typing import Any

from fastapi import APIRouter, Response

from functions.edge.app import lambda_handler
from functions.edge.problems import problems
from shared import presets as known
from shared.contract import PresetsView, request_fields

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.get("/v1/presets", response_model=PresetsView, responses=problems())
def presets(response: Response) -> dict[str, Any]:
    """Types, styles, qualities and aspects with their values; every field's type, range and default."""
    response.headers["Cache-Control"] = "public, max-age=300"
    choices = {"types": known.TYPES, "styles": known.STYLES, "qualities": known.QUALITIES, "aspects": known.ASPECTS}
    public = {name: [choice.public() for choice in group.values()] for name, group in choices.items()}
    return {**public, "fields": request_fields()}
