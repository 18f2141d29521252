"""GET /v1/health: whether the parts that Easel stands on answer."""

from typing import Any

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import ServicesDep
from functions.http.problems import problems
from shared.api.schemas import HealthView
from shared.metrics.health import check

router = APIRouter(tags=["health"])
handler = lambda_handler(router)

RETRY_AFTER_S = 5


@router.get("/v1/health", response_model=HealthView, responses=problems() | {503: {"model": HealthView}})
def health(services: ServicesDep, response: Response) -> dict[str, Any]:
    """200 when database, storage and broker answer, else 503 with what does not."""
    checks = check(services)
    healthy = all(word == "ok" for word in checks.values())
    response.headers["Cache-Control"] = "no-store"
    if not healthy:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return {"status": "ok" if healthy else "unavailable", "checks": checks}
