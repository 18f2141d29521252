"""/v1/tokens: API tokens for programs."""

from typing import TypedDict

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.cursors import next_cursor
from functions.http.dependencies import Before, CredentialDep, Limit, ServicesDep, TokenId
from functions.http.problems import CHANGING, SIGNED_IN, WITH_BODY, problems
from shared.accounts import api_tokens
from shared.accounts.token_store import StoredToken
from shared.api.account_schemas import CreatedTokenView, NewToken, TokenList
from shared.core.errors import BadRequest, NotFound

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


class TokenPage(TypedDict):
    """A page of API tokens, and the id to continue after."""

    tokens: list[StoredToken]
    next: str | None


@router.post("/v1/tokens", status_code=201, response_model=CreatedTokenView, responses=problems(*CHANGING, *WITH_BODY))
def create_token(body: NewToken, credential: CredentialDep, services: ServicesDep) -> api_tokens.NewApiToken:
    """Create an API token. Its secret is shown only in this answer."""
    return api_tokens.create_api_token(
        services, credential, body.name, expires_in_days=body.expires_in_days, rights=body.rights
    )


@router.get("/v1/tokens", response_model=TokenList, responses=problems(*SIGNED_IN, BadRequest))
def list_tokens(credential: CredentialDep, services: ServicesDep, before: Before, limit: Limit = 20) -> TokenPage:
    """List your API tokens, newest first, without their secrets."""
    tokens, after = api_tokens.list_api_tokens(services, credential, before=before, limit=limit)
    return {"tokens": tokens, "next": next_cursor(credential, after)}


@router.delete(
    "/v1/tokens/{token_id}", status_code=204, response_class=Response, responses=problems(*CHANGING, NotFound)
)
def revoke_token(token_id: TokenId, credential: CredentialDep, services: ServicesDep) -> None:
    """Revoke an API token."""
    api_tokens.revoke_api_token(services, credential, token_id)
