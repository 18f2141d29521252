"""GET /v1/gallery and /v1/gallery/{job_id}: published pictures, for everyone."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from functions.http.app import lambda_handler
from functions.http.dependencies import JobId, Limit, ServicesDep
from functions.http.problems import problems
from shared.api.schemas import GalleryDetail, GalleryPage
from shared.core.errors import BadRequest, NotFound
from shared.gallery.service import get_item, list_gallery

router = APIRouter(tags=["pictures"])
handler = lambda_handler(router)


@router.get("/v1/gallery", response_model=GalleryPage, responses=problems(BadRequest))
def gallery(
    services: ServicesDep, limit: Limit = 20, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> dict[str, Any]:
    """A page of published jobs, the latest first."""
    items, after = list_gallery(services, cursor=cursor, limit=limit)
    return {"items": items, "next": after}


@router.get("/v1/gallery/{job_id}", response_model=GalleryDetail, responses=problems(NotFound))
def gallery_item(job_id: JobId, services: ServicesDep) -> dict[str, Any]:
    """One published job with the recipe of its pictures."""
    return get_item(services, job_id)
