"""/v1/passkeys, /v1/passkey-options and /v1/login/passkey: the caller's passkeys, and signing in with one."""

from typing import Any

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import (
    CredentialDep,
    DeviceDep,
    NetworkDep,
    PasskeyId,
    ServicesDep,
    set_session_cookie,
)
from functions.http.problems import CHANGING, SIGNED_IN, WITH_BODY, problems
from functions.http.threads import passwords
from shared.accounts import passkeys
from shared.accounts.passkey_store import StoredPasskey
from shared.accounts.service import Session
from shared.api.account_schemas import (
    NewPasskey,
    PasskeyCredentials,
    PasskeyList,
    PasskeyOptionsView,
    PasskeyProof,
    PasskeyView,
    SessionView,
)
from shared.core.errors import (
    AccountDisabled,
    BadCredentials,
    CodeRequired,
    NotFound,
    NotOffered,
    RateLimited,
    SignInAgain,
)

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)

_CONFIRMED = (*CHANGING, *WITH_BODY, BadCredentials, CodeRequired, RateLimited, SignInAgain)


@router.post(
    "/v1/login/passkey/options", response_model=PasskeyOptionsView, responses=problems(RateLimited, NotOffered)
)
def begin_log_in(services: ServicesDep, network: NetworkDep) -> dict[str, Any]:
    """Begin to sign in with a passkey: the browser needs the options of the answer, within five minutes."""
    return {"options": passkeys.begin_log_in(services, network)}


@router.post(
    "/v1/login/passkey",
    response_model=SessionView,
    responses=problems(*WITH_BODY, BadCredentials, AccountDisabled, NotOffered),
)
def log_in(body: PasskeyCredentials, services: ServicesDep, device: DeviceDep, response: Response) -> Session:
    """Sign in with a passkey, which says whose account it is. No password and no code is asked for."""
    session = passkeys.log_in(services, body.credential, device)
    set_session_cookie(response, services, session.token)
    return session


@router.get("/v1/passkeys", response_model=PasskeyList, responses=problems(*SIGNED_IN))
def list_passkeys(credential: CredentialDep, services: ServicesDep) -> dict[str, list[StoredPasskey]]:
    """List your passkeys."""
    return {"passkeys": passkeys.list_passkeys(services, credential)}


@router.post("/v1/passkey-options", response_model=PasskeyOptionsView, responses=problems(*_CONFIRMED, NotOffered))
async def begin_adding(body: PasskeyProof, credential: CredentialDep, services: ServicesDep) -> dict[str, Any]:
    """Begin to add a passkey: the browser needs the options of the answer, within five minutes."""
    options = await passwords().call(passkeys.begin_adding, services, credential, body.password, body.code)
    return {"options": options}


@router.post(
    "/v1/passkeys", status_code=201, response_model=PasskeyView, responses=problems(*CHANGING, *WITH_BODY, NotOffered)
)
def add_passkey(body: NewPasskey, credential: CredentialDep, services: ServicesDep) -> StoredPasskey:
    """Add the passkey that your browser has made."""
    return passkeys.add(services, credential, body.name, body.credential)


@router.delete(
    "/v1/passkeys/{passkey_id}",
    status_code=204,
    response_class=Response,
    responses=problems(*_CONFIRMED, NotFound),
)
async def remove_passkey(
    passkey_id: PasskeyId, body: PasskeyProof, credential: CredentialDep, services: ServicesDep
) -> None:
    """Remove a passkey. It opens no session any more; the password or a sign-in at the provider confirms it."""
    await passwords().call(passkeys.remove, services, credential, passkey_id, body.password, body.code)
