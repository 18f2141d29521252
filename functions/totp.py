"""/v1/totp: the second factor of the caller's account."""

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, ServicesDep
from functions.http.problems import CHANGING, WITH_BODY, problems
from functions.http.threads import passwords
from shared.accounts import second_factor
from shared.accounts.factor_codes import NewFactor
from shared.api.account_schemas import (
    NewFactorRequest,
    NewFactorView,
    RecoveryCodesView,
    SecondFactorCode,
    SecondFactorProof,
)
from shared.core.errors import BadCredentials, NotFound, RateLimited, SecondFactorOn

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)

_CHECKED = (*CHANGING, *WITH_BODY, BadCredentials, RateLimited)


@router.post("/v1/totp", response_model=NewFactorView, responses=problems(*_CHECKED, SecondFactorOn))
async def begin(body: NewFactorRequest, credential: CredentialDep, services: ServicesDep) -> NewFactor:
    """Make a secret for your authenticator app. It counts once a code of it has confirmed it."""
    return await passwords().call(second_factor.begin, services, credential, body.password)


@router.put("/v1/totp", response_model=RecoveryCodesView, responses=problems(*_CHECKED, NotFound, SecondFactorOn))
def confirm(body: SecondFactorCode, credential: CredentialDep, services: ServicesDep) -> dict[str, list[str]]:
    """Switch the second factor on with a code of the app. Only this answer shows the recovery codes."""
    return {"recovery_codes": second_factor.confirm(services, credential, body.code)}


@router.delete("/v1/totp", status_code=204, response_class=Response, responses=problems(*_CHECKED, NotFound))
async def switch_off(body: SecondFactorProof, credential: CredentialDep, services: ServicesDep) -> None:
    """Switch the second factor off."""
    await passwords().call(second_factor.switch_off, services, credential, body.password, body.code)


@router.post("/v1/totp/recovery-codes", response_model=RecoveryCodesView, responses=problems(*_CHECKED, NotFound))
async def renew_recovery_codes(
    body: SecondFactorProof, credential: CredentialDep, services: ServicesDep
) -> dict[str, list[str]]:
    """Replace the recovery codes. Only this answer shows the new ones."""
    codes = await passwords().call(second_factor.renew_recovery_codes, services, credential, body.password, body.code)
    return {"recovery_codes": codes}
