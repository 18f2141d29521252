"""GET /v1/presets: the presets and fields of a submit with their ranges, and which of them this site offers."""

from typing import Any

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import ServicesDep
from functions.http.problems import problems
from shared.api.schemas import PresetsView
from shared.jobs.options import list_options

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.get("/v1/presets", response_model=PresetsView, responses=problems())
def presets(services: ServicesDep, response: Response) -> dict[str, Any]:
    """List types, styles, qualities and aspects with their values, and each field's type, range and default.

    Steps, scale and sizes are those of the generators' models, which are listed, too. Where these differ, steps and
    scale are null: each generator uses its own.

    `offered` is false if no generator of this site supports it: a submit that uses it is refused.
    """
    response.headers["Cache-Control"] = "public, max-age=60"
    return list_options(services)
