"""Scenes: GET /v1/places, GET /v1/actions, POST /v1/scenes and GET /s/{code}."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, IdempotencyKey, SceneCode, ServicesDep
from functions.http.head import is_head
from functions.http.problems import SUBMITTING, problems
from shared.api.scene_schemas import ActionList, PlaceList, SceneRequest, SceneView
from shared.core.errors import BadRequest, NotFound
from shared.jobs.views import Pictures
from shared.scenes import service, views
from shared.services import Services

router = APIRouter(tags=["scenes"])
handler = lambda_handler(router)


@router.get("/v1/places", response_model=PlaceList, responses=problems())
def places(services: ServicesDep, response: Response) -> dict[str, Any]:
    """List the places of scenes, each with its pictures."""
    response.headers["Cache-Control"] = f"public, max-age={_max_age_s(services)}"
    return {"places": views.list_places(services)}


@router.get("/v1/actions", response_model=ActionList, responses=problems())
def actions(services: ServicesDep, response: Response) -> dict[str, Any]:
    """List what persons in scenes can do, each with a mannequin near, in the middle and far away."""
    response.headers["Cache-Control"] = f"public, max-age={_max_age_s(services)}"
    return {"actions": views.list_actions(services)}


@router.post("/v1/scenes", status_code=202, response_model=SceneView, responses=problems(*SUBMITTING))
def submit(
    body: SceneRequest, credential: CredentialDep, services: ServicesDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Submit a scene: a person in a place. It is a job like any other, and has a code that leads to its picture."""
    job = service.submit(services, credential, body, idempotency_key)
    headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": "1"}
    return json_answer(views.scene_json(job, Pictures(services)), 202, headers)


@router.get("/s/{code}", status_code=302, response_class=RedirectResponse, responses=problems(BadRequest, NotFound))
def picture(
    request: Request, code: SceneCode, services: ServicesDep, thumbnail: bool = False, download: bool = False
) -> RedirectResponse:
    """Redirect to a fresh presigned URL of a scene's picture: 404 until there is one, with `Retry-After` meanwhile.

    The code is the permission, until the job is deleted or an operator takes it down.
    """
    url = service.picture_url(services, code, thumbnail=thumbnail, download=download, head=is_head(request))
    return RedirectResponse(url, 302, headers={"Cache-Control": f"private, max-age={_max_age_s(services)}"})


def _max_age_s(services: Services) -> int:
    """Return for how long presigned URLs may be cached: they are valid for at least half of their lifetime."""
    return min(60, services.settings.url_ttl_s // 2)
