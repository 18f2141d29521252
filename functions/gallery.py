"""GET /v1/gallery and /v1/gallery/{job_id}: published pictures. No account is needed."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import JobId, Limit, ServicesDep
from functions.http.problems import problems
from shared.api.schemas import GalleryDetail, GalleryPage
from shared.core.errors import BadRequest, NotFound
from shared.gallery.service import get_item, item_json, item_with_recipe_json, list_gallery
from shared.jobs.views import Pictures, text_json

router = APIRouter(tags=["pictures"])
handler = lambda_handler(router)

FRESH = {"Cache-Control": "no-cache"}
"""The answers are the same for everyone, but presigned URLs expire and pictures are taken down."""
Cursor = Annotated[
    Annotated[str, Field(max_length=200, json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"})] | None, Query()
]


@router.get("/v1/gallery", response_model=GalleryPage, responses=problems(BadRequest))
def gallery(services: ServicesDep, limit: Limit = 20, cursor: Cursor = None) -> Response:
    """List published jobs, newest first."""
    items, after = list_gallery(services, cursor=cursor, limit=limit)
    pictures = Pictures(services)
    rows = ",".join([item_json(item, pictures) for item in items])
    return json_answer(f'{{"items":[{rows}],"next":{text_json(after) if after else "null"}}}', headers=FRESH)


@router.get("/v1/gallery/{job_id}", response_model=GalleryDetail, responses=problems(NotFound))
def gallery_item(job_id: JobId, services: ServicesDep) -> Response:
    """Return one published job with the recipe of its pictures."""
    return json_answer(item_with_recipe_json(get_item(services, job_id), Pictures(services)), headers=FRESH)
