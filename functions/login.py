"""POST /v1/login: sign in."""

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import DeviceDep, NetworkDep, ServicesDep, set_session_cookie
from functions.http.problems import WITH_BODY, problems
from functions.http.threads import passwords
from shared.accounts import service as accounts
from shared.api.account_schemas import Credentials, SessionView
from shared.core.errors import AccountDisabled, BadCredentials, CodeRequired, NotOffered, RateLimited

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


@router.post(
    "/v1/login",
    response_model=SessionView,
    responses=problems(*WITH_BODY, BadCredentials, CodeRequired, AccountDisabled, RateLimited, NotOffered),
)
async def login(
    body: Credentials, services: ServicesDep, network: NetworkDep, device: DeviceDep, response: Response
) -> accounts.Session:
    """Sign in. An unknown address gets the same answer as a wrong password, and takes as long.

    Accounts with a second factor need `code`; without it the answer to the right password is `code_required`.
    """
    session = await passwords().call(accounts.log_in, services, body.email, body.password, network, device, body.code)
    set_session_cookie(response, services, session.token)
    return session
