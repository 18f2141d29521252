"""GET /v1/health: whether database, storage, broker and poller work."""

from typing import TypedDict

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import ServicesDep
from functions.http.problems import problems
from shared.api.schemas import HealthView
from shared.metrics.health import check

router = APIRouter(tags=["health"])
handler = lambda_handler(router)

RETRY_AFTER_S = 5


class Health(TypedDict):
    """The result of every check: "ok" or the error."""

    status: str
    checks: dict[str, str]


@router.get("/v1/health", response_model=HealthView, responses=problems() | {503: {"model": HealthView}})
def health(services: ServicesDep, response: Response) -> Health:
    """Check database, storage, broker and poller. The status is 200 if all of them work, else 503."""
    checks = check(services)
    healthy = all(result == "ok" for result in checks.values())
    response.headers["Cache-Control"] = "no-store"
    if not healthy:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return {"status": "ok" if healthy else "unavailable", "checks": checks}
