"""/v1/sessions: where the caller is signed in, and ending that."""

from typing import TypedDict

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.cursors import next_cursor
from functions.http.dependencies import Before, CredentialDep, Limit, ServicesDep, SessionId
from functions.http.problems import CHANGING, SIGNED_IN, problems
from shared.accounts import sessions
from shared.accounts.session_store import StoredSession
from shared.api.account_schemas import SessionList
from shared.core.errors import BadRequest, NotFound

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


class SessionPage(TypedDict):
    """A page of sessions, and the id to continue after."""

    sessions: list[StoredSession]
    next: str | None


@router.get("/v1/sessions", response_model=SessionList, responses=problems(*SIGNED_IN, BadRequest))
def list_sessions(credential: CredentialDep, services: ServicesDep, before: Before, limit: Limit = 20) -> SessionPage:
    """List your sessions, newest first."""
    found, after = sessions.list_sessions(services, credential, before=before, limit=limit)
    return {"sessions": found, "next": next_cursor(credential, after)}


@router.delete("/v1/sessions", status_code=204, response_class=Response, responses=problems(*CHANGING))
def end_other_sessions(credential: CredentialDep, services: ServicesDep) -> None:
    """Log out everywhere else. API tokens stay."""
    sessions.end_other_sessions(services, credential)


@router.delete(
    "/v1/sessions/{session_id}", status_code=204, response_class=Response, responses=problems(*CHANGING, NotFound)
)
def end_session(session_id: SessionId, credential: CredentialDep, services: ServicesDep) -> None:
    """End one of your sessions."""
    sessions.end_session(services, credential, session_id)
