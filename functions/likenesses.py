"""/v1/likenesses: trained from five photos, then listed, changed and deleted by their codes."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from functions.http.app import lambda_handler
from functions.http.cursors import next_cursor
from functions.http.dependencies import Before, CredentialDep, IdempotencyKey, Limit, ServicesDep
from functions.http.problems import CHANGING, SIGNED_IN, SUBMITTING, WITH_BODY, problems
from shared.api.likenesses import LikenessChange, LikenessList, LikenessRequest, LikenessView, PhotoCheck
from shared.core.errors import BadRequest, NotFound, RateLimited, StillRunning, TooManyLikenesses
from shared.likeness import service
from shared.likeness.looking import check_photos
from shared.likeness.views import likeness_view

router = APIRouter(tags=["likenesses"])
handler = lambda_handler(router)

Code = Annotated[str, Path(description="Eight digits, a secret: whoever has it may use the likeness if it is shared.")]


@router.post(
    "/v1/likenesses",
    status_code=202,
    response_model=LikenessView,
    responses=problems(*SUBMITTING, TooManyLikenesses),
)
def submit_likeness(
    body: LikenessRequest,
    response: Response,
    credential: CredentialDep,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Train a likeness from five uploads; answer with the code by which pictures name it once it is ready.

    The photos are looked at first, and a refusal names everything that is wrong with any of them.
    """
    found = service.submit(services, credential, body, idempotency_key)
    response.headers["Location"] = f"/v1/likenesses/{found.code}"
    response.headers["Retry-After"] = "5"
    return likeness_view(found)


@router.post(
    "/v1/likeness-checks",
    status_code=204,
    response_class=Response,
    responses=problems(*CHANGING, *WITH_BODY),
)
def check_likeness_photos(body: PhotoCheck, credential: CredentialDep, services: ServicesDep) -> None:
    """Look at photos before they are submitted; a refusal is the same as that of a submit."""
    check_photos(services, credential, body.photos, body.subject)


@router.get("/v1/likenesses", response_model=LikenessList, responses=problems(*SIGNED_IN, BadRequest))
def list_likenesses(
    credential: CredentialDep, services: ServicesDep, before: Before, limit: Limit = 20
) -> dict[str, Any]:
    """List your likenesses, newest first."""
    found, after = service.list_own(services, credential, before, limit)
    return {"likenesses": [likeness_view(one) for one in found], "next": next_cursor(credential, after)}


@router.get("/v1/likenesses/{code}", response_model=LikenessView, responses=problems(*SIGNED_IN, NotFound, RateLimited))
def get_likeness(code: Code, credential: CredentialDep, services: ServicesDep) -> dict[str, Any]:
    """Return one of your likenesses."""
    return likeness_view(service.get(services, credential, code))


@router.patch(
    "/v1/likenesses/{code}",
    response_model=LikenessView,
    responses=problems(*CHANGING, *WITH_BODY, NotFound, RateLimited),
)
def change_likeness(
    code: Code, body: LikenessChange, credential: CredentialDep, services: ServicesDep
) -> dict[str, Any]:
    """Name or share one of your likenesses; a shared one works for everybody who has its code."""
    return likeness_view(service.change(services, credential, code, body))


@router.delete(
    "/v1/likenesses/{code}",
    status_code=204,
    response_class=Response,
    responses=problems(*CHANGING, NotFound, StillRunning, RateLimited),
)
def delete_likeness(code: Code, credential: CredentialDep, services: ServicesDep) -> None:
    """Delete one of your likenesses with its training's job; its code stops working at once."""
    service.delete(services, credential, code)
