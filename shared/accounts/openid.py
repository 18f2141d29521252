"""Signing in with an account at the site's OpenID Connect provider, and connecting one with an account here."""

import logging
import time
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts import identity_store, new_sessions, openid_state
from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.attempts import count_log_in, count_sign_up, new_accounts
from shared.accounts.auth import Credential, require_user
from shared.accounts.freshness import FRESH_S
from shared.accounts.openid_provider import ProviderFailed, SignIn, provider_of
from shared.accounts.openid_state import Pending
from shared.accounts.store import User
from shared.core.errors import (
    AccountDisabled,
    CodedError,
    EaselError,
    EmailTaken,
    FieldError,
    InvalidRequest,
    NotOffered,
    NotSignedIn,
    RateLimited,
)
from shared.core.log import fields as log_fields
from shared.core.rate_limits import Limit, take
from shared.services import Services

MOST_IDENTITIES = 10
LOGIN_PAGE, ACCOUNT_PAGE = "/login", "/account"
_USES = Limit("use of a sign-in at the provider", 1, openid_state.LIFETIME_S + 120)

_log = logging.getLogger(__name__)


class SignInFailed(CodedError):
    """A sign-in at the provider came to nothing. `path` is the page that says why, in the words of `code`."""

    def __init__(self, code: str, path: str = LOGIN_PAGE) -> None:
        super().__init__(code, "The sign-in failed.")
        self.path = path


@dataclass(frozen=True, slots=True)
class Started:
    """Where a browser signs in, and the cookie with which it comes back."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Callback:
    """What the provider sent a browser back with: a code, or an error."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The page that a sign-in leads to, and the token of the new session; None if an identity was connected."""

    path: str
    token: str | None


def start(services: Services, path: str, *, fresh: bool = False) -> Started:
    """Begin to sign in. path: the page of this site that it leads to; fresh: only a sign-in of the last minutes counts.

    Raises:
        NotOffered: This site has no provider.
        SignInFailed: The provider does not answer.
    """
    _require_provider(services)
    return _start(services, openid_state.begin(own_path(path), fresh=fresh))


def confirm_connecting(services: Services, credential: Credential, password: str | None) -> UUID:
    """Return the user who may connect an identity now. Whoever has the account must confirm it.

    Raises:
        NotOffered: This site has no provider.
        InvalidRequest: The account has as many identities as it may have.
        BadCredentials, RateLimited, SignInAgain: As for `service.check_password`.
    """
    with services.db.statement() as connection:
        require_user(connection, credential)
    _require_provider(services)
    user = accounts.check_password(services, credential, password).user
    with services.db.statement() as connection:
        count = len(identity_store.list_all(connection, user.id))
    if count >= MOST_IDENTITIES:
        raise InvalidRequest(fields=(FieldError("identities", "disconnect one first", "too_many", MOST_IDENTITIES),))
    return user.id


def start_connecting(services: Services, user_id: UUID) -> Started:
    """Begin to connect an identity with the account of a user who has confirmed it.

    Raises:
        SignInFailed: The provider does not answer.
    """
    return _start(services, openid_state.begin(ACCOUNT_PAGE, user_id=str(user_id)))


def finish(
    services: Services,
    cookie: str,
    callback: Callback,
    *,
    credential: Credential | None,
    network: str | None = None,
    device: str | None = None,
) -> Finished:
    """Sign in, or connect the identity, with what the provider sent the browser back with.

    credential: of the session that the browser has, if any. network, device: as for `service.sign_up`.

    Raises:
        NotOffered: This site has no provider.
        SignInFailed: Nothing came of it; its code is one of docs/accounts.md or of an error of the API.
    """
    _require_provider(services)
    pending = openid_state.unseal(cookie, services.oidc_client_secret, callback.state)
    if pending is None:
        raise SignInFailed("oidc_state")
    try:
        sign_in = _redeem(services, pending, callback, network)
        if pending.user_id:
            return _connect(services, pending, sign_in, credential)
        return Finished(pending.path, _sign_in(services, sign_in, network, device))
    except (ProviderFailed, SignInFailed, EaselError) as error:
        if isinstance(error, ProviderFailed):
            _log_failure(error)
        raise SignInFailed(error.code, _page_of(pending)) from None


def own_path(path: str) -> str:
    """Return a path of this site, or the one of the form for a job: no other site may be where a sign-in leads."""
    is_own = path.startswith("/") and not path.startswith("//") and path.isascii() and path.isprintable()
    return path if is_own and "\\" not in path else "/create"


def _page_of(pending: Pending) -> str:
    """Return the page on which a sign-in began."""
    return ACCOUNT_PAGE if pending.user_id or pending.fresh else LOGIN_PAGE


def _log_failure(error: ProviderFailed) -> None:
    _log.warning("a sign-in at the provider failed", extra=log_fields(code=error.code, reason=error.message))


def _require_provider(services: Services) -> None:
    if not services.settings.oidc_issuer:
        raise NotOffered("This site has no provider to sign in at.")


def _start(services: Services, pending: Pending) -> Started:
    try:
        url = provider_of(services).authorization_url(pending, FRESH_S if pending.fresh else None)
    except ProviderFailed as error:
        _log_failure(error)
        raise SignInFailed(error.code, _page_of(pending)) from None
    return Started(url, openid_state.seal(pending, services.oidc_client_secret))


def _redeem(services: Services, pending: Pending, callback: Callback, network: str | None) -> SignIn:
    """Return who signed in. Each sign-in is looked at once, and counts as an attempt to log in."""
    if callback.code is None:
        raise SignInFailed("oidc_cancelled" if callback.error == "access_denied" else "oidc_refused")
    count_log_in(services, "", network)
    try:
        with services.db.statement() as connection:
            take(connection, _USES, pending.state)
    except RateLimited:
        raise SignInFailed("oidc_state") from None
    sign_in = provider_of(services).redeem(callback.code, pending, callback.issuer)
    at = sign_in.authenticated_at
    if pending.fresh and (at is None or time.time() - at > FRESH_S):
        raise SignInFailed("oidc_not_fresh")
    return sign_in


def _sign_in(services: Services, sign_in: SignIn, network: str | None, device: str | None) -> str:
    """Return the token of a new session: of the identity's account, or of a new one."""
    token = _sign_in_known(services, sign_in, device)
    if token is not None:
        return token
    email, is_verified = provider_of(services).find_email(sign_in)
    if email is None or not is_verified:
        raise SignInFailed("oidc_unverified")
    count_sign_up(services, network)
    try:
        address = accounts.normalise_email(email)
    except InvalidRequest:
        raise SignInFailed("oidc_unverified") from None
    try:
        with services.db.begin() as connection:
            user = user_store.create(connection, address, password_hash="", confirmed=True)
            if not identity_store.add(connection, user.id, sign_in.issuer, sign_in.subject, email):
                raise EmailTaken
            token = _open_session(services, connection, user, sign_in, device)
            take(connection, new_accounts(services), "")  # last, as in `service.sign_up`
            return token
    except EmailTaken:
        # The same person may have signed in twice at once. Otherwise nobody here can know whose the address is.
        token = _sign_in_known(services, sign_in, device)
        if token is None:
            raise SignInFailed("oidc_email_taken") from None
        return token


def _sign_in_known(services: Services, sign_in: SignIn, device: str | None) -> str | None:
    """Return the token of a new session, or None if no account has the identity."""
    with services.db.begin() as connection:
        user = identity_store.use(connection, sign_in.issuer, sign_in.subject)
        if user is None:
            return None
        if user.disabled:
            raise AccountDisabled
        return _open_session(services, connection, user, sign_in, device)


def _open_session(services: Services, connection: Connection, user: User, sign_in: SignIn, device: str | None) -> str:
    token, _ = new_sessions.open_session(services, connection, user, device, authenticated_at=sign_in.authenticated_at)
    return token


def _connect(services: Services, pending: Pending, sign_in: SignIn, credential: Credential | None) -> Finished:
    """Connect the identity with the account that asked for it, if the browser is still signed in to that."""
    if credential is None:
        raise NotSignedIn
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        if str(user.id) != pending.user_id:
            raise SignInFailed("oidc_state")
        user_store.lock(connection, user.id)
        if len(identity_store.list_all(connection, user.id)) >= MOST_IDENTITIES:
            raise SignInFailed("oidc_refused")
        identity_store.add(connection, user.id, sign_in.issuer, sign_in.subject, sign_in.email)
        if identity_store.find_owner(connection, sign_in.issuer, sign_in.subject) != user.id:
            raise SignInFailed("oidc_taken")
    return Finished(pending.path, None)
