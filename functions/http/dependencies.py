"""The dependencies of endpoints: services, the caller's credential, ids and pages."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request, Response, Security
from fastapi.security import HTTPBearer
from pydantic import Field

from functions.http.client_address import client_network
from functions.http.cursors import CURSOR_PATTERN, read_cursor
from functions.http.long_poll import LongPoll
from functions.http.manifest import needed_right
from shared.accounts.auth import Credential
from shared.accounts.devices import describe
from shared.accounts.tokens import token_hash
from shared.api.scene_schemas import CODE_PATTERN
from shared.core.errors import CrossSite, NotFound, NotSignedIn
from shared.core.limits import DAY_S
from shared.core.origins import origins_of
from shared.services import Services

SESSION_COOKIE = "easel_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# The dependencies are coroutines, since FastAPI would run each plain function in a thread.


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _long_poll(request: Request) -> LongPoll:
    long_poll: LongPoll = request.app.state.long_poll
    return long_poll


async def _network(request: Request) -> str | None:
    return client_network(request, request.app.state.services.settings)


_bearer = HTTPBearer(
    auto_error=False, description="A session token from sign-up or log-in, or an API token from `POST /v1/tokens`."
)


async def _credential(request: Request, _documented: Annotated[object, Security(_bearer)]) -> Credential:
    """Read the bearer token, or else the session cookie, with the right that the route needs.

    The right is checked where the token is looked up, before anything else is read. A request with a cookie that
    changes something must come from the site itself. The header is read here, since HTTPBearer does not distinguish a
    malformed header from a missing one; it is declared for the API's docs.

    Raises:
        NotSignedIn: The request has nothing of a token's form; its body is not looked at.
        CrossSite: A page of another site sent the request.
    """
    return Credential(_token_hash(request), needed_right(request.method, request.scope["route"].path))


def _token_hash(request: Request) -> bytes:
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return _well_formed(token.strip() if scheme.lower() == "bearer" else "")
    token = request.cookies.get(SESSION_COOKIE, "")
    if token and request.method not in _SAFE_METHODS and not _from_same_site(request):
        raise CrossSite
    return _well_formed(token)


async def _maybe_credential(request: Request) -> Credential | None:
    """Return the caller's credential where an account makes a difference but is not needed."""
    try:
        return Credential(_token_hash(request), None)
    except (NotSignedIn, CrossSite):
        return None


def _well_formed(token: str) -> bytes:
    hashed = token_hash(token)
    if hashed is None:
        raise NotSignedIn
    return hashed


def _from_same_site(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") in origins_of(request.app.state.services.settings.public_url)


async def _job_id(job_id: Annotated[str, Path()]) -> UUID:
    return _parse_id(job_id)


async def _image_id(image_id: Annotated[str, Path()]) -> UUID:
    return _parse_id(image_id)


async def _token_id(token_id: Annotated[str, Path()]) -> UUID:
    return _parse_id(token_id)


async def _identity_id(identity_id: Annotated[str, Path()]) -> UUID:
    return _parse_id(identity_id)


async def _passkey_id(passkey_id: Annotated[str, Path()]) -> UUID:
    return _parse_id(passkey_id)


async def _session_id(session_id: Annotated[str, Path()]) -> UUID:
    return _parse_id(session_id)


async def _export_id(export_id: Annotated[str, Path()]) -> UUID:
    return _parse_id(export_id)


async def _device(request: Request) -> str | None:
    return describe(request.headers.get("user-agent", ""))


async def _group_id(group_id: Annotated[str, Path()]) -> UUID:
    return _parse_id(group_id)


async def _scene_code(code: Annotated[str, Path()]) -> str:
    if not re.fullmatch(CODE_PATTERN, code):
        raise NotFound
    return code


def _parse_id(text: str) -> UUID:
    """Parse an id; anything else gets the same answer as an id that does not exist."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


ServicesDep = Annotated[Services, Depends(_services)]
LongPollDep = Annotated[LongPoll, Depends(_long_poll)]
NetworkDep = Annotated[str | None, Depends(_network)]
MaybeCredentialDep = Annotated[Credential | None, Depends(_maybe_credential)]
CredentialDep = Annotated[Credential, Depends(_credential)]
Cursor = Annotated[str, Field(max_length=200, json_schema_extra={"pattern": CURSOR_PATTERN})]
JobId = Annotated[UUID, Depends(_job_id)]
ImageId = Annotated[UUID, Depends(_image_id)]
TokenId = Annotated[UUID, Depends(_token_id)]
SceneCode = Annotated[str, Depends(_scene_code)]
ExportId = Annotated[UUID, Depends(_export_id)]
IdentityId = Annotated[UUID, Depends(_identity_id)]
PasskeyId = Annotated[UUID, Depends(_passkey_id)]
SessionId = Annotated[UUID, Depends(_session_id)]
DeviceDep = Annotated[str | None, Depends(_device)]
GroupId = Annotated[UUID, Depends(_group_id)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")]


async def _before(credential: CredentialDep, cursor: Annotated[Cursor | None, Query()] = None) -> UUID | None:
    return None if cursor is None else read_cursor(credential, cursor)


Before = Annotated[UUID | None, Depends(_before)]
Limit = Annotated[int, Query(ge=1, le=100)]


def find_session(request: Request) -> Credential | None:
    """Return the session of the browser that another site sends here, if it has one. For calls that check the rest."""
    hashed = token_hash(request.cookies.get(SESSION_COOKIE, ""))
    return None if hashed is None else Credential(hashed)


def set_session_cookie(response: Response, services: Services, token: str) -> None:
    """Set the session cookie, which scripts of the page cannot read."""
    secure = services.settings.public_url.startswith("https://")
    max_age_s = services.settings.session_days * DAY_S
    response.set_cookie(
        SESSION_COOKIE, token, max_age=max_age_s, path="/", httponly=True, samesite="lax", secure=secure
    )


def clear_session_cookie(response: Response) -> None:
    """Delete the session cookie."""
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
