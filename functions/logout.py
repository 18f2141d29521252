"""POST /v1/logout: revoke the token that was sent."""

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, ServicesDep, clear_session_cookie
from functions.http.problems import CHANGING, problems
from shared.accounts import service as accounts

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


@router.post("/v1/logout", status_code=204, response_class=Response, responses=problems(*CHANGING))
def logout(credential: CredentialDep, services: ServicesDep, response: Response) -> None:
    """Sign out. The token stops working immediately, everywhere."""
    accounts.log_out(services, credential)
    clear_session_cookie(response)
