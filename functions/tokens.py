"""/v1/tokens: API tokens for programs."""

from typing import Any

from fastapi import APIRouter

from functions.http.app import lambda_handler
from functions.http.dependencies import Before, CredentialDep, Limit, ServicesDep, TokenId
from functions.http.problems import CHANGING, SIGNED_IN, WITH_BODY, problems
from shared.accounts import service as accounts
from shared.api.schemas import NewToken, NewTokenView, TokenList
from shared.core.errors import BadRequest, NotFound

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


@router.post("/v1/tokens", status_code=201, response_model=NewTokenView, responses=problems(*CHANGING, *WITH_BODY))
def create_token(body: NewToken, credential: CredentialDep, services: ServicesDep) -> dict[str, Any]:
    """Make an API token. Its secret is shown this once."""
    token_id, created_at, secret = accounts.create_api_token(services, credential, body.name)
    return {"id": token_id, "name": body.name, "created_at": created_at, "token": secret}


@router.get("/v1/tokens", response_model=TokenList, responses=problems(*SIGNED_IN, BadRequest))
def list_tokens(credential: CredentialDep, services: ServicesDep, before: Before, limit: Limit = 20) -> dict[str, Any]:
    """The API tokens, newest first, without their secrets."""
    tokens, after = accounts.list_api_tokens(services, credential, before=before, limit=limit)
    return {"tokens": tokens, "next": after}


@router.delete("/v1/tokens/{token_id}", status_code=204, responses=problems(*CHANGING, NotFound))
def revoke_token(token_id: TokenId, credential: CredentialDep, services: ServicesDep) -> None:
    """Make an API token dead."""
    accounts.revoke_api_token(services, credential, token_id)
