"""POST /v1/unsubscribe/{secret}: the one click with which a mail program ends mail (RFC 8058)."""

from typing import Annotated

from fastapi import APIRouter, Path

from functions.http.app import lambda_handler
from functions.http.dependencies import ServicesDep
from functions.http.problems import problems
from shared.api.account_schemas import UnsubscribedView
from shared.core.errors import BadRequest, NotFound
from shared.notify import unsubscribing

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)

Secret = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.post("/v1/unsubscribe/{secret}", response_model=UnsubscribedView, responses=problems(BadRequest, NotFound))
def unsubscribe(secret: Secret, services: ServicesDep) -> dict[str, str]:
    """End the mail to the account that a mail's List-Unsubscribe names. The secret is the permission."""
    unsubscribing.unsubscribe(services, bytes.fromhex(secret))
    return {"status": "unsubscribed"}
