"""The site's OpenID Connect provider: its addresses and keys, and the exchange of a code for who signed in.

Every call is bounded in time and bytes, and no connection to the database is held meanwhile.
"""

import math
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

from shared.accounts.openid_state import Pending
from shared.core import deadline
from shared.core.errors import CodedError
from shared.core.setting_types import is_this_machine
from shared.generators.base import GeneratorError
from shared.generators.strict_json import read_json
from shared.generators.transport import Answer, BoundedHttp
from shared.services import Services

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 3.0, 5.0
TOTAL_S = 9.0
"""What all calls of one sign-in may take together."""

MAX_ANSWER_BYTES = 256 * 1024
MAX_SUBJECT_CHARACTERS = 255  # as OpenID Connect Core says
MAX_EMAIL_CHARACTERS = 320
KEPT_S = 3600.0
PAUSE_S = 5.0
"""For how long a provider that failed is not asked again."""

RENEWAL_PAUSE_S = 60.0
"""The shortest time between two looks for new keys."""

SCOPE = "openid email"
FORM = "application/x-www-form-urlencoded"

Kept = TypeVar("Kept")


class ProviderFailed(CodedError):
    """The provider cannot be used now (`oidc_unavailable`), or its answer proves nothing (`oidc_refused`).

    The message is for the operators' log.
    """


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the discovery document says. `sends_secret_in_body`: how the token endpoint wants the client's secret."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str | None
    sends_secret_in_body: bool
    names_itself: bool


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in. `authenticated_at`: when, in seconds since 1970, if the provider says so."""

    issuer: str
    subject: str
    email: str | None
    is_verified: bool
    authenticated_at: float | None
    access_token: str | None = field(repr=False)


@dataclass
class _Kept(Generic[Kept]):
    """A value that is loaded at first use and again after an hour; one caller loads, the others wait for it."""

    load: Callable[[float], Kept]
    _value: Kept | None = None
    _loaded_at: float = -math.inf
    _failure: ProviderFailed | None = None
    _failed_at: float = -math.inf
    _lock: Lock = field(default_factory=Lock)

    def get(self, end: float, *, older_than_s: float = KEPT_S) -> Kept:
        """Return the value, loading it again if it is older than this. Raises ProviderFailed."""
        with self._lock:
            now = time.monotonic()
            if self._value is not None and now - self._loaded_at < older_than_s:
                return self._value
            if self._failure is not None and now - self._failed_at < PAUSE_S:
                raise ProviderFailed(self._failure.code, self._failure.message)
            try:
                self._value = self.load(end)
            except ProviderFailed as failure:
                self._failure, self._failed_at = failure, time.monotonic()
                raise
            self._failure, self._loaded_at = None, time.monotonic()
            return self._value


class Provider:
    """A provider with its client's settings. Threads may share it."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, redirect_url: str) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_url = redirect_url
        self._endpoints = _Kept(self._discover)
        self._keys = _Kept(self._load_keys)

    def authorization_url(self, pending: Pending, max_age_s: int | None = None) -> str:
        """Return where a browser signs in. max_age_s: how old the sign-in there may be.

        Raises:
            ProviderFailed: The provider's addresses cannot be read.
        """
        from shared.accounts.openid_tokens import challenge

        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_url,
            "scope": SCOPE,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": challenge(pending.verifier),
            "code_challenge_method": "S256",
        }
        if max_age_s is not None:
            parameters["max_age"] = str(max_age_s)
        address = self._endpoints.get(_end()).authorization
        return address + ("&" if "?" in address else "?") + urlencode(parameters)

    def redeem(self, code: str, pending: Pending, issuer: str | None) -> SignIn:
        """Return who signed in. issuer: the parameter `iss` of the callback (RFC 9207).

        Raises:
            ProviderFailed: The code or the token that it stands for proves nothing, or the provider does not answer.
        """
        end = _end()
        endpoints = self._endpoints.get(end)
        if issuer != endpoints.issuer and (issuer is not None or endpoints.names_itself):
            raise ProviderFailed("oidc_refused", "the callback names another issuer, or none")
        answer = self._exchange_code(endpoints, code, pending.verifier, end)
        access_token = _text(answer, "access_token")
        claims = self._verify(_text(answer, "id_token") or "", endpoints.issuer, pending.nonce, access_token, end)
        if len(claims["sub"]) > MAX_SUBJECT_CHARACTERS:
            raise ProviderFailed("oidc_refused", "the subject is too long")
        email, is_verified = _email_of(claims)
        return SignIn(endpoints.issuer, claims["sub"], email, is_verified, _authenticated_at(claims), access_token)

    def find_email(self, sign_in: SignIn) -> tuple[str | None, bool]:
        """Return the address of who signed in and whether it is verified; asks for it if the ID token has none.

        Raises:
            ProviderFailed: The provider does not answer, or about another person.
        """
        address = self._endpoints.get(_end()).userinfo
        if sign_in.email is not None or address is None or sign_in.access_token is None:
            return sign_in.email, sign_in.is_verified
        claims = _read(
            _send("GET", address, _end(), headers={"Authorization": f"Bearer {sign_in.access_token}"}), "userinfo"
        )
        if claims.get("sub") != sign_in.subject:
            raise ProviderFailed("oidc_refused", "userinfo is about another subject")
        return _email_of(claims)

    def _exchange_code(self, endpoints: Endpoints, code: str, verifier: str, end: float) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_url,
            "code_verifier": verifier,
        }
        headers = {}
        if endpoints.sends_secret_in_body:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        else:
            # RFC 6749, section 2.3.1: both are encoded as in a form first. Authlib's encoder leaves that out.
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return _read(_send("POST", endpoints.token, end, urlencode(form).encode(), headers), "the token endpoint")

    def _verify(self, token: str, issuer: str, nonce: str, access_token: str | None, end: float) -> dict[str, Any]:
        from shared.accounts.openid_tokens import InvalidToken, UnknownKey, verify

        expected: dict[str, Any] = {
            "issuer": issuer,
            "client_id": self._client_id,
            "nonce": nonce,
            "access_token": access_token,
        }
        try:
            try:
                return verify(token, self._keys.get(end), **expected)
            except UnknownKey:
                return verify(token, self._keys.get(end, older_than_s=RENEWAL_PAUSE_S), **expected)
        except InvalidToken as error:
            raise ProviderFailed("oidc_refused", f"the ID token is refused: {error}") from None

    def _discover(self, end: float) -> Endpoints:
        address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = _read(_send("GET", address, end), "the discovery document")
        issuer = _text(found, "issuer") or ""
        if issuer.rstrip("/") != self._issuer.rstrip("/"):
            raise ProviderFailed("oidc_unavailable", "the discovery document is of another issuer")
        methods = found.get("token_endpoint_auth_methods_supported")
        return Endpoints(
            issuer,
            self._address(found, "authorization_endpoint"),
            self._address(found, "token_endpoint"),
            self._address(found, "jwks_uri"),
            self._address(found, "userinfo_endpoint") if found.get("userinfo_endpoint") else None,
            isinstance(methods, list) and "client_secret_post" in methods,
            found.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, document: Mapping[str, Any], name: str) -> str:
        """Return an address of the document, over TLS unless both it and the issuer are on this machine."""
        address = _text(document, name) or ""
        try:
            parts = urlsplit(address)
            is_safe = parts.scheme == "https" or (
                parts.scheme == "http" and is_this_machine(parts.hostname) and self._issuer.startswith("http://")
            )
        except ValueError:
            is_safe = False
        if not is_safe or not parts.hostname or not (address.isascii() and address.isprintable()):
            raise ProviderFailed("oidc_unavailable", f"the discovery document has no usable {name}")
        return address

    def _load_keys(self, end: float) -> "KeySet":
        from shared.accounts.openid_tokens import read_keys

        return read_keys(_read(_send("GET", self._endpoints.get(end).keys, end), "the key set"))


def provider_of(services: Services) -> Provider:
    """Return the provider of the site, the same one each time."""
    settings = services.settings
    redirect_url = settings.public_url.rstrip("/") + "/v1/oidc/callback"
    return _provider(settings.oidc_issuer, settings.oidc_client_id, services.oidc_client_secret, redirect_url)


@lru_cache(maxsize=4)
def _provider(issuer: str, client_id: str, client_secret: str, redirect_url: str) -> Provider:
    return Provider(issuer, client_id, client_secret, redirect_url)


def _end() -> float:
    return min(time.monotonic() + TOTAL_S, deadline.ends_at())


def _send(
    method: str, address: str, end: float, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Make one call. Raises ProviderFailed without an answer."""
    parts = urlsplit(address)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    left_s = end - time.monotonic()
    if left_s <= 0:
        raise ProviderFailed("oidc_unavailable", "the calls of this sign-in took too long")
    http = BoundedHttp(
        f"{parts.scheme}://{parts.netloc}", connect_timeout_s=min(CONNECT_TIMEOUT_S, left_s), headers=headers
    )
    with closing(http):
        try:
            return http.send(
                method,
                target,
                body,
                timeout_s=min(ANSWER_TIMEOUT_S, left_s),
                limit_bytes=MAX_ANSWER_BYTES,
                content_type=FORM,
            )
        except GeneratorError as error:
            what = error.code.removeprefix("generator_")
            raise ProviderFailed("oidc_unavailable", f"no answer of the provider: {what}") from None


def _read(answer: Answer, what: str) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises ProviderFailed for an error."""
    if answer.status != 200:
        code = "oidc_refused" if 400 <= answer.status < 500 and answer.status != 429 else "oidc_unavailable"
        raise ProviderFailed(code, f"{what} answered with status {answer.status}")
    try:
        document = read_json(answer.body)
    except GeneratorError:
        document = None
    if not isinstance(document, dict):
        raise ProviderFailed("oidc_unavailable", f"{what} is no JSON object")
    return document


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None


def _email_of(claims: Mapping[str, Any]) -> tuple[str | None, bool]:
    email = _text(claims, "email")
    verified = claims.get("email_verified")  # some providers write it as a text
    return (email if email and len(email) <= MAX_EMAIL_CHARACTERS else None), verified is True or verified == "true"


def _authenticated_at(claims: Mapping[str, Any]) -> float | None:
    """Return the time of the claim `auth_time`, never one in the future."""
    value = claims.get("auth_time")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(max(0, min(value, time.time())))
