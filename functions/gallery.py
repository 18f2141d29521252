"""GET /v1/gallery and /v1/gallery/{job_id}: published pictures. No account is needed."""

from typing import Annotated, TypedDict

from fastapi import APIRouter, Query

from functions.http.app import lambda_handler
from functions.http.dependencies import JobId, Limit, ServicesDep
from functions.http.problems import problems
from shared.api.schemas import GalleryDetail, GalleryPage
from shared.core.errors import BadRequest, NotFound
from shared.gallery.service import GalleryItemView, get_item, list_gallery

router = APIRouter(tags=["pictures"])
handler = lambda_handler(router)


class Page(TypedDict):
    """A page of the gallery, and the cursor of the next one."""

    items: list[GalleryItemView]
    next: str | None


@router.get("/v1/gallery", response_model=GalleryPage, responses=problems(BadRequest))
def gallery(
    services: ServicesDep, limit: Limit = 20, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> Page:
    """List published jobs, newest first."""
    items, after = list_gallery(services, cursor=cursor, limit=limit)
    return {"items": items, "next": after}


@router.get("/v1/gallery/{job_id}", response_model=GalleryDetail, responses=problems(NotFound))
def gallery_item(job_id: JobId, services: ServicesDep) -> GalleryItemView:
    """Return one published job with the recipe of its pictures."""
    return get_item(services, job_id)
