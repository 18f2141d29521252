"""GET /v1/presets: what the words of a submit stand for, the range of each field, and what this site offers."""

from typing import Any

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import ServicesDep
from functions.http.problems import problems
from shared.api.schemas import PresetsView
from shared.jobs.options import list_offers

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.get("/v1/presets", response_model=PresetsView, responses=problems())
def presets(services: ServicesDep, response: Response) -> dict[str, Any]:
    """Types, styles, qualities and aspects with their values; every field's type, range and default. `offered` is false
    where no generator of this site can make it, so that a submit which asks for it is refused."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return list_offers(services)
