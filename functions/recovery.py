"""/v1/password-reset and /v1/verify: what links in mails are good for."""

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import NetworkDep, ServicesDep
from functions.http.problems import WITH_BODY, problems
from functions.http.threads import passwords
from shared.accounts import confirmation, recovery
from shared.api.account_schemas import AcceptedView, Confirmation, ConfirmationView, NewPasswordByLink, ResetRequest
from shared.core.errors import AlreadyUsed, BadCredentials, EmailTaken, NotOffered, RateLimited

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


@router.post(
    "/v1/password-reset",
    status_code=202,
    response_model=AcceptedView,
    responses=problems(*WITH_BODY, RateLimited, NotOffered),
)
def request_reset(body: ResetRequest, services: ServicesDep, network: NetworkDep) -> dict[str, str]:
    """Send a link for a new password. The answer is the same whether the address has an account or not."""
    recovery.request_reset(services, body.email, network)
    return {"status": "accepted"}


@router.put(
    "/v1/password-reset",
    status_code=204,
    response_class=Response,
    responses=problems(*WITH_BODY, AlreadyUsed, NotOffered),
)
async def reset_password(body: NewPasswordByLink, services: ServicesDep) -> None:
    """Set the password of the account that the link is for. Its sessions and API tokens end; log in again."""
    await passwords().call(recovery.reset_password, services, body.token, body.password)


@router.post(
    "/v1/verify",
    response_model=ConfirmationView,
    responses=problems(*WITH_BODY, BadCredentials, AlreadyUsed, EmailTaken, RateLimited, NotOffered),
)
async def confirm(body: Confirmation, services: ServicesDep) -> dict[str, str]:
    """Confirm the address that the link was sent to: that of a new account, or the present or next one of another."""
    await passwords().call(confirmation.confirm, services, body.token, body.password)
    return {"status": "confirmed"}
