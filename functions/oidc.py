"""/v1/oidc and /v1/me/identities: signing in at the site's OpenID Connect provider."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import URL

from functions.http.app import lambda_handler
from functions.http.dependencies import (
    CredentialDep,
    DeviceDep,
    IdentityId,
    NetworkDep,
    ServicesDep,
    find_session,
    set_session_cookie,
)
from functions.http.problems import CHANGING, SIGNED_IN, WITH_BODY, problems
from functions.http.threads import passwords, providers
from shared.accounts import identities, openid
from shared.accounts.identities import WaysIn
from shared.accounts.openid import SignInFailed
from shared.accounts.openid_state import LIFETIME_S
from shared.api.account_schemas import NewIdentity, ProviderView, WaysInView
from shared.core.errors import (
    BadCredentials,
    BadRequest,
    LastIdentity,
    NotFound,
    NotOffered,
    RateLimited,
    SignInAgain,
    Unavailable,
)
from shared.services import Services

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)

PagePath = Annotated[str, Query(max_length=500, description="The page of this site that the sign-in leads to.")]
Fresh = Annotated[bool, Query(description="Whether only a sign-in of the last five minutes counts.")]
State = Annotated[str, Query(max_length=200)]
Code = Annotated[str | None, Query(max_length=4000)]
Issuer = Annotated[str | None, Query(max_length=1000)]
Failure = Annotated[str | None, Query(max_length=200)]


@router.get(
    "/v1/oidc/login",
    status_code=302,
    response_class=RedirectResponse,
    responses=problems(BadRequest, NotOffered),
)
async def begin(services: ServicesDep, next: PagePath = "/create", fresh: Fresh = False) -> RedirectResponse:
    """Redirect to the site's OpenID Connect provider. If that does not answer, to a page of the site that says so."""
    try:
        started = await providers().call(openid.start, services, next, fresh=fresh)
    except SignInFailed as error:
        return _failed(error, 302)
    except Unavailable as error:
        return _failed(SignInFailed(error.code), 302)
    response = RedirectResponse(started.url, 302)
    _set_cookie(response, services, started.cookie)
    return response


@router.get(
    "/v1/oidc/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses=problems(BadRequest, NotOffered),
)
async def finish(
    request: Request,
    services: ServicesDep,
    network: NetworkDep,
    device: DeviceDep,
    state: State = "",
    code: Code = None,
    iss: Issuer = None,
    error: Failure = None,
) -> RedirectResponse:
    """Sign in, or connect an identity, with what the provider sent the browser back with."""
    callback = openid.Callback(state, code, error, iss)
    cookie = request.cookies.get(_cookie_name(services), "")
    try:
        finished = await providers().call(
            openid.finish,
            services,
            cookie,
            callback,
            credential=find_session(request),
            network=network,
            device=device,
        )
    except SignInFailed as failed:
        response = _failed(failed, 303)
    except Unavailable as failed:
        response = _failed(SignInFailed(failed.code), 303)
    else:
        response = RedirectResponse(finished.path, 303)
        if finished.token is not None:
            set_session_cookie(response, services, finished.token)
    _set_cookie(response, services, None)
    return response


@router.get("/v1/me/identities", response_model=WaysInView, responses=problems(*SIGNED_IN))
def list_identities(credential: CredentialDep, services: ServicesDep) -> WaysIn:
    """List the ways in which you can sign in: with a password, and with which identities."""
    return identities.list_ways_in(services, credential)


@router.post(
    "/v1/me/identities",
    response_model=ProviderView,
    responses=problems(*CHANGING, *WITH_BODY, BadCredentials, RateLimited, SignInAgain, NotOffered),
)
async def connect_identity(
    body: NewIdentity, credential: CredentialDep, services: ServicesDep, response: Response
) -> dict[str, str]:
    """Begin to connect an identity: sign in at the address of the answer."""
    user_id = await passwords().call(openid.confirm_connecting, services, credential, body.password)
    try:
        started = await providers().call(openid.start_connecting, services, user_id)
    except SignInFailed:
        raise Unavailable("The provider does not answer.") from None
    _set_cookie(response, services, started.cookie)
    return {"url": started.url}


@router.delete(
    "/v1/me/identities/{identity_id}",
    status_code=204,
    response_class=Response,
    responses=problems(*CHANGING, NotFound, LastIdentity),
)
def disconnect_identity(identity_id: IdentityId, credential: CredentialDep, services: ServicesDep) -> None:
    """Disconnect an identity."""
    identities.disconnect(services, credential, identity_id)


def _failed(error: SignInFailed, status: int) -> RedirectResponse:
    """Lead to the page that says why."""
    return RedirectResponse(str(URL(error.path).include_query_params(error=error.code)), status)


def _cookie_name(services: Services) -> str:
    """Return the cookie's name. With this prefix no other site under the same domain can set it."""
    return "__Host-easel_oidc" if _is_secure(services) else "easel_oidc"


def _is_secure(services: Services) -> bool:
    return services.settings.public_url.startswith("https://")


def _set_cookie(response: Response, services: Services, value: str | None) -> None:
    """Set the cookie with which a browser comes back from the provider, or with None delete it."""
    response.set_cookie(
        _cookie_name(services),
        value or "",
        max_age=LIFETIME_S if value else 0,
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_secure(services),
    )
