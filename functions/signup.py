"""POST /v1/signup: create an account and sign in."""

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import DeviceDep, NetworkDep, ServicesDep, set_session_cookie
from functions.http.problems import WITH_BODY, problems
from functions.http.threads import passwords
from shared.accounts import service as accounts
from shared.api.account_schemas import NewAccount, SessionView
from shared.core.errors import Capacity, EmailTaken, NotOffered, RateLimited

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


@router.post(
    "/v1/signup",
    status_code=201,
    response_model=SessionView,
    responses=problems(*WITH_BODY, EmailTaken, RateLimited, Capacity, NotOffered),
)
async def signup(
    body: NewAccount, services: ServicesDep, network: NetworkDep, device: DeviceDep, response: Response
) -> accounts.Session:
    """Create an account. The answer has a session token for programs and sets the session cookie for the site."""
    session = await passwords().call(accounts.sign_up, services, body.email, body.password, network, device)
    set_session_cookie(response, services, session.token)
    return session
