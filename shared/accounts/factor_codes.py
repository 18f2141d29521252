"""The codes of second factors: those of an authenticator app (TOTP, RFC 6238), and recovery codes.

pyotp and segno are imported where they are used: few log-ins need them.
"""

import hmac
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts import factor_store
from shared.accounts.factor_store import SecondFactor
from shared.core.errors import BadCredentials, CodeRequired
from shared.core.limits import DAY_S
from shared.core.rate_limits import Limit, give_back, take
from shared.services import Services

PERIOD_S = 30
RECOVERY_CODES = 10
_SECRET_BYTES = 20  # as many as SHA-1, which the apps use, has (RFC 4226, 4)
_GUESSES = Limit("codes by account", 10, DAY_S, detail="Too many wrong codes. Use a recovery code, or try again later.")


@dataclass(frozen=True, slots=True)
class NewFactor:
    """A factor that is to be confirmed: its secret in base32, its `otpauth://` address, and that as a QR code."""

    secret: str
    uri: str
    qr_svg: str


def new_secret() -> bytes:
    """Return a secret for an authenticator app."""
    return secrets.token_bytes(_SECRET_BYTES)


def describe(secret: bytes, email: str, host: str) -> NewFactor:
    """Return a secret as apps take it, under the name of the site and the account."""
    import segno
    from pyotp import TOTP

    app = TOTP(b32encode(secret).decode())
    uri = app.provisioning_uri(name=email, issuer_name=f"Easel ({host})")
    drawn = BytesIO()
    segno.make(uri, error="m", micro=False).save(
        drawn, kind="svg", scale=4, dark="#000", light="#fff", xmldecl=False, nl=False
    )
    return NewFactor(app.secret, uri, drawn.getvalue().decode())


def new_recovery_codes() -> list[str]:
    """Return codes of 80 random bits, in groups for people."""
    texts = (b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES))
    return ["-".join(re.findall("....", whole)) for whole in texts]


def recovery_hash(user_id: UUID, code: str) -> bytes:
    """Return what is stored of a recovery code. It has too many bits to be found from a fast hash."""
    return sha256(user_id.bytes + _plain(code).encode()).digest()


def require_code(services: Services, user_id: UUID, code: str | None) -> None:
    """Use up the code that a log-in has, if the account needs one.

    Raises:
        CodeRequired: The account has a second factor, and there is no code.
        BadCredentials: The code is wrong, or was used.
        RateLimited: There were too many wrong codes of the app for this account.
    """
    with services.db.statement() as connection:
        factor = factor_store.find(connection, user_id)
        if factor is None or not factor.confirmed:
            return
        if code is None:
            raise CodeRequired
        use_code(connection, factor, code)


def use_code(connection: Connection, factor: SecondFactor, code: str) -> None:
    """Use up a code of the app or a recovery code. Not in a transaction, which would forget wrong ones.

    Raises:
        BadCredentials: The code is wrong, or was used.
        RateLimited: There were too many wrong codes of the app for this account.
    """
    plain = _plain(code)
    if re.fullmatch("[0-9]{6}", plain):
        take(connection, _GUESSES, str(factor.user_id))
        step = _step_of(factor, plain)
        if step is None or not factor_store.use_step(connection, factor, step):
            raise BadCredentials("The code is wrong, or was used already.")
        give_back(connection, _GUESSES, str(factor.user_id))
    elif not factor_store.use_recovery_code(connection, factor.user_id, recovery_hash(factor.user_id, plain)):
        raise BadCredentials("The code is wrong, or was used already.")


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).lower()


def _step_of(factor: SecondFactor, code: str) -> int | None:
    """Return the period whose code this is: now, or one before or after, as clocks differ."""
    from pyotp import TOTP

    app = TOTP(b32encode(factor.secret).decode())
    now = factor.now_s // PERIOD_S
    steps = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(app.generate_otp(step), code)]
    return steps[-1] if steps else None
