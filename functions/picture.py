"""GET /i/{image_id} and GET /s/{code}: the stable links to pictures."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from functions.http.app import lambda_handler
from functions.http.dependencies import ImageId, NetworkDep, SceneCode, ServicesDep
from functions.http.head import is_head
from functions.http.links import link_max_age_s
from functions.http.problems import problems
from shared.core.errors import BadRequest, NotFound, RateLimited
from shared.gallery.service import picture_url
from shared.scenes import links as scenes
from shared.services import Services

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
    return _redirect(services, url)


@router.get(
    "/s/{code}",
    status_code=302,
    response_class=RedirectResponse,
    responses=problems(BadRequest, NotFound, RateLimited),
)
def scene_picture(
    request: Request,
    code: SceneCode,
    services: ServicesDep,
    network: NetworkDep,
    thumbnail: bool = False,
    download: bool = False,
) -> RedirectResponse:
    """Redirect to a fresh presigned URL of a scene's picture: 404 until there is one.

    The code is the permission, until the job is deleted or an operator takes it down.
    """
    url = scenes.picture_url(
        services, code, thumbnail=thumbnail, download=download, head=is_head(request), network=network
    )
    return _redirect(services, url)


def _redirect(services: Services, url: str) -> RedirectResponse:
    return RedirectResponse(url, 302, headers={"Cache-Control": f"private, max-age={link_max_age_s(services)}"})
