"""GET /v1/places and GET /v1/actions: what scenes are put together from."""

from typing import Any

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import ServicesDep
from functions.http.links import link_max_age_s
from functions.http.problems import problems
from shared.api.scene_schemas import ActionList, PlaceList
from shared.jobs.resolution import makes_scenes
from shared.scenes import views

router = APIRouter(tags=["scenes"])
handler = lambda_handler(router)


@router.get("/v1/places", response_model=PlaceList, responses=problems())
def places(services: ServicesDep, response: Response) -> dict[str, Any]:
    """List the places of scenes, each with its pictures."""
    response.headers["Cache-Control"] = f"public, max-age={link_max_age_s(services)}"
    return {
        "places": views.list_places(services),
        "offered": makes_scenes(services),
        "likeness_offered": makes_scenes(services, adapted=True),
    }


@router.get("/v1/actions", response_model=ActionList, responses=problems())
def actions(services: ServicesDep, response: Response) -> dict[str, Any]:
    """List what persons in scenes can do, each with a mannequin near, in the middle and far away."""
    response.headers["Cache-Control"] = f"public, max-age={link_max_age_s(services)}"
    return {"actions": views.list_actions(services)}
