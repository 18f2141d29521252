"""/v1/me/push: the browsers that are notified when a job of the caller's has ended (Web Push)."""

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, ServicesDep
from functions.http.problems import CHANGING, SIGNED_IN, WITH_BODY, problems
from shared.accounts import push_subscriptions
from shared.api.push_schemas import PushKeyView, PushRemoval, PushSubscription

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


@router.get("/v1/me/push", response_model=PushKeyView, responses=problems(*SIGNED_IN))
def get_push_key(credential: CredentialDep, services: ServicesDep) -> dict[str, str]:
    """Return the key with which a browser subscribes."""
    return {"key": push_subscriptions.get_key(services, credential)}


@router.post("/v1/me/push", status_code=204, response_class=Response, responses=problems(*CHANGING, *WITH_BODY))
def add_push(body: PushSubscription, credential: CredentialDep, services: ServicesDep) -> None:
    """Notify this browser when a job of yours has ended. Beyond ten, the oldest is forgotten."""
    push_subscriptions.add(services, credential, body)


@router.delete("/v1/me/push", status_code=204, response_class=Response, responses=problems(*CHANGING, *WITH_BODY))
def remove_push(body: PushRemoval, credential: CredentialDep, services: ServicesDep) -> None:
    """Stop notifying this browser."""
    push_subscriptions.remove(services, credential, body.endpoint)
