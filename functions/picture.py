"""GET /i/{image_id}: the stable link to a picture."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from functions.http.app import lambda_handler
from functions.http.dependencies import ImageId, ServicesDep
from functions.http.head import is_head
from functions.http.problems import problems
from shared.core.errors import BadRequest, NotFound
from shared.gallery.service import picture_url

router = APIRouter(tags=["pictures"])
handler = lambda_handler(router)


@router.get("/i/{image_id}", status_code=302, response_class=RedirectResponse, responses=problems(BadRequest, NotFound))
def picture(
    request: Request,
    image_id: ImageId,
    services: ServicesDep,
    thumbnail: bool = False,
    timelapse: bool = False,
    download: bool = False,
) -> RedirectResponse:
    """Redirect to a fresh presigned URL: of the picture, its thumbnail, or the video of its making if there is one.

    The id cannot be guessed and is the permission: the link works whether the job is published or not, until the job is
    deleted or an operator takes it down.
    """
    url = picture_url(
        services, image_id, thumbnail=thumbnail, timelapse=timelapse, download=download, head=is_head(request)
    )
    # A presigned URL is valid for at least half of its lifetime; the redirect must not be cached for longer than that.
    max_age_s = min(60, services.settings.url_ttl_s // 2)
    return RedirectResponse(url, 302, headers={"Cache-Control": f"private, max-age={max_age_s}"})
