"""POST /v1/signup: create an account and sign in, or, where addresses are confirmed, send a link for that."""

from typing import Any

from fastapi import APIRouter, Response

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import DeviceDep, NetworkDep, ServicesDep, set_session_cookie
from functions.http.problems import WITH_BODY, problems
from functions.http.threads import in_thread, passwords
from shared.accounts import confirmation
from shared.accounts import service as accounts
from shared.api.account_schemas import AcceptedView, NewAccount, SessionView
from shared.core.errors import NO_PASSWORD, Capacity, EmailTaken, InvalidRequest, NotOffered, RateLimited

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)

_BY_MAIL: dict[int | str, dict[str, Any]] = {
    202: {"model": AcceptedView, "description": "This site confirms addresses: a mail has been sent to this one."}
}


@router.post(
    "/v1/signup",
    status_code=201,
    response_model=SessionView,
    responses=problems(*WITH_BODY, EmailTaken, RateLimited, Capacity, NotOffered) | _BY_MAIL,
)
async def signup(
    body: NewAccount, services: ServicesDep, network: NetworkDep, device: DeviceDep, response: Response
) -> accounts.Session | Response:
    """Create an account. The answer has a session token for programs and sets the session cookie for the site.

    On a site that confirms addresses it is 202 for every address, and the rest comes by mail.
    """
    if services.settings.confirms_addresses:
        await in_thread(confirmation.request_account, services, body.email, body.language, network)
        return json_answer('{"status": "accepted"}', 202)
    if body.password is None:
        raise InvalidRequest(fields=(NO_PASSWORD,))
    session = await passwords().call(
        accounts.sign_up, services, body.email, body.password, network, device, body.language
    )
    set_session_cookie(response, services, session.token)
    return session
