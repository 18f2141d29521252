"""/v1/me: the caller's account, its quota and settings, and deleting it."""

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, ServicesDep, clear_session_cookie
from functions.http.problems import CHANGING, SIGNED_IN, WITH_BODY, problems
from functions.http.threads import passwords
from shared.accounts import addresses, confirmation, sessions
from shared.accounts import service as accounts
from shared.accounts.store import User
from shared.api.account_schemas import (
    AcceptedView,
    AccountChange,
    AccountDeletion,
    AccountView,
    EmailChange,
    PasswordChange,
    UserView,
    WebhookSecretView,
)
from shared.core.errors import BadCredentials, InvalidRequest, NotConfirmed, NotOffered, RateLimited, SignInAgain

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


@router.get("/v1/me", response_model=AccountView, responses=problems(*SIGNED_IN))
def get_account(credential: CredentialDep, services: ServicesDep) -> accounts.AccountOverview:
    """Return your account and what is left of your quota."""
    return accounts.get_account(services, credential)


@router.patch("/v1/me", response_model=UserView, responses=problems(*CHANGING, *WITH_BODY, NotConfirmed))
def change_account(body: AccountChange, credential: CredentialDep, services: ServicesDep) -> User:
    """Set the default notification of new jobs, the language of your mail, or the address of your webhooks."""
    return accounts.change_account(services, credential, body)


@router.get("/v1/me/webhook-secret", response_model=WebhookSecretView, responses=problems(*SIGNED_IN))
def get_webhook_secret(credential: CredentialDep, services: ServicesDep) -> dict[str, str]:
    """Return the secret with which your webhooks are signed."""
    return {"secret": accounts.get_webhook_secret(services, credential)}


@router.post("/v1/me/webhook-secret", response_model=WebhookSecretView, responses=problems(*CHANGING))
def renew_webhook_secret(credential: CredentialDep, services: ServicesDep) -> dict[str, str]:
    """Replace the secret of your webhooks. The old one is not used any more."""
    return {"secret": accounts.get_webhook_secret(services, credential, renew=True)}


@router.post(
    "/v1/me/password",
    status_code=204,
    response_class=Response,
    responses=problems(*CHANGING, *WITH_BODY, BadCredentials, RateLimited, SignInAgain, NotOffered),
)
async def change_password(body: PasswordChange, credential: CredentialDep, services: ServicesDep) -> None:
    """Change your password. Your other sessions end; API tokens stay."""
    await passwords().call(sessions.change_password, services, credential, body.password, body.new_password)


@router.post(
    "/v1/me/email",
    status_code=202,
    response_model=AcceptedView,
    responses=problems(*CHANGING, *WITH_BODY, BadCredentials, RateLimited, SignInAgain),
)
async def change_email(body: EmailChange, credential: CredentialDep, services: ServicesDep) -> dict[str, str]:
    """Send a link to the address that your account is to have. It counts once the link was opened."""
    await passwords().call(addresses.request_change, services, credential, body.password, body.email)
    return {"status": "accepted"}


@router.post(
    "/v1/me/confirmation",
    status_code=202,
    response_model=AcceptedView,
    responses=problems(*CHANGING, InvalidRequest, RateLimited),
)
def request_confirmation(credential: CredentialDep, services: ServicesDep) -> dict[str, str]:
    """Send a link that confirms the address of your account, unless it is confirmed already."""
    confirmation.request_confirmation(services, credential)
    return {"status": "accepted"}


@router.delete(
    "/v1/me", status_code=202, responses=problems(*CHANGING, *WITH_BODY, BadCredentials, RateLimited, SignInAgain)
)
async def delete_account(
    body: AccountDeletion, credential: CredentialDep, services: ServicesDep, response: Response
) -> dict[str, str]:
    """Delete your account with its jobs, pictures and tokens. The password confirms it."""
    await passwords().call(accounts.delete_account, services, credential, body.password)
    clear_session_cookie(response)
    return {"status": "deleted"}
