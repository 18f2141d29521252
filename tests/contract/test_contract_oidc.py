"""Signing in at an OpenID Connect provider: the way there and back, and each answer that proves nothing."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from shared.accounts import openid_provider, openid_state
from shared.admin import accounts
from shared.services import Services
from tests.support.browser_session import PASSWORD, SITE, Browser, count, failed
from tests.support.doors import Doors
from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider

ADA = {"email": "ada@example.com", "password": PASSWORD}


def test_the_first_sign_in_makes_an_account(
    browser: Browser, provider_site: Services, provider: IdentityProvider
) -> None:
    assert browser.sign_in("?next=/pictures%3Fstate%3Dfailed") == "/pictures?state=failed"
    me = browser.me()["user"]
    assert me["email"] == "ada@example.com"
    [identity] = browser.ways_in()["identities"]
    assert (identity["issuer"], identity["email"]) == (provider.issuer, "ada@example.com")
    assert browser.ways_in()["has_password"] is False
    again = Browser(browser.door)
    provider.person |= {"email": "ada@another.example.com"}  # the subject counts, not the address
    assert again.sign_in() == "/create"
    assert again.me()["user"] == me
    assert (count(provider_site, "users"), count(provider_site, "identities")) == (1, 1)
    assert browser.send("POST", "/v1/logout").status_code == 204
    assert (browser.me()["code"], again.me()["user"]["id"]) == ("not_signed_in", me["id"])


def test_what_is_sent_to_the_provider(browser: Browser, provider: IdentityProvider) -> None:
    first, second = (dict(parse_qsl(urlsplit(browser.leave()).query)) for _ in range(2))
    assert first["scope"] == "openid email"
    assert first["redirect_uri"] == f"{SITE}/v1/oidc/callback"
    assert "max_age" not in first
    assert not {first[name] for name in ("state", "nonce", "code_challenge")} & set(second.values())
    assert dict(parse_qsl(urlsplit(browser.leave("?fresh=true")).query))["max_age"] == "300"
    evil = browser.send("GET", "/v1/oidc/login", headers={"Host": "evil.example.com"})
    assert "evil" not in evil.headers["location"]
    [cookie] = evil.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-easel_oidc=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=600"} <= set(cookie.split("; "))
    assert CLIENT_SECRET not in str(evil.headers)


@pytest.mark.parametrize(
    "path", ["https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "login", "/a\nb", "/я", ""]
)
def test_a_sign_in_leads_to_this_site_only(browser: Browser, path: str) -> None:
    assert browser.come_back(browser.visit(browser.leave("?" + str(httpx.QueryParams(next=path))))) == "/create"


def test_the_clients_secret_is_sent_as_the_provider_wants(browser: Browser, provider: IdentityProvider) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_basic", "client_secret_post"]
    assert browser.sign_in() == "/create"
    assert provider.forms[0]["client_secret"] == CLIENT_SECRET
    provider.__exit__()
    with IdentityProvider() as basic:
        address = openid_provider.Provider(basic.issuer, CLIENT_ID, CLIENT_SECRET, SITE)
        pending = openid_state.begin("/")
        code = dict(parse_qsl(urlsplit(httpx.get(address.authorization_url(pending)).headers["location"]).query))
        assert address.redeem(code["code"], pending, code["iss"]).subject == basic.person["sub"]
        assert "client_secret" not in basic.forms[0]


# What comes back


def test_another_state(browser: Browser, provider: IdentityProvider) -> None:
    callback = browser.visit(browser.leave())
    other = browser.visit(Browser(browser.door).leave())  # an attacker's own sign-in, opened in this browser
    for wrong in (other, "/v1/oidc/callback", "/v1/oidc/callback?code=x&state=", "/v1/oidc/callback?state=x&error=x"):
        kept = dict(browser.cookies)
        assert failed(browser.come_back(wrong)) == "oidc_state"
        browser.cookies = kept
    assert "/token" not in provider.calls
    assert browser.come_back(callback) == "/create"


def test_a_callback_without_its_cookie_or_with_a_forged_one(browser: Browser, provider: IdentityProvider) -> None:
    callback = browser.visit(browser.leave())
    state = dict(parse_qsl(urlsplit(callback).query))["state"]
    forged = openid_state.seal(openid_state.Pending(state, "n", "v", "/", time.time()), "another secret")
    for cookie in ("", "x", "A" * 4000, forged):
        browser.cookies = {"__Host-easel_oidc": cookie}
        assert failed(browser.come_back(callback)) == "oidc_state"
    assert "/token" not in provider.calls


def test_a_callback_works_once(browser: Browser, provider_site: Services, provider: IdentityProvider) -> None:
    provider.reuses_codes = True
    callback, cookies = browser.visit(browser.leave()), dict(browser.cookies)
    assert browser.come_back(callback) == "/create"
    assert browser.cookies["__Host-easel_oidc"] == "", "the cookie is deleted"
    browser.cookies = cookies
    assert failed(browser.come_back(callback)) == "oidc_state"
    assert count(provider_site, "tokens") == 1


def test_a_sign_in_that_took_too_long(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    callback = browser.visit(browser.leave())
    monkeypatch.setattr(openid_state, "LIFETIME_S", -1)
    assert failed(browser.come_back(callback)) == "oidc_state"


@pytest.mark.parametrize(("error", "code"), [("access_denied", "oidc_cancelled"), ("server_error", "oidc_refused")])
def test_an_error_of_the_provider(browser: Browser, error: str, code: str) -> None:
    state = dict(parse_qsl(urlsplit(browser.leave()).query))["state"]
    answer = httpx.QueryParams(state=state, error=error, error_description="<script>")
    assert failed(browser.come_back(f"/v1/oidc/callback?{answer}")) == code


FAR = 4_000_000_000
"""A time that is not reached soon, in seconds since 1970."""

WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "another"},
    "no-nonce": {"nonce": None},
    "audience": {"aud": "another"},
    "no-audience": {"aud": None},
    "several-audiences": {"aud": ["easel", "another"]},
    "party": {"azp": "another"},
    "issuer": {"iss": "https://accounts.example.com"},
    "expired": {"exp": 1_000_000_000},
    "endless": {"exp": None},
    "endless-text": {"exp": "never"},
    "future": {"iat": FAR},
    "not-yet": {"nbf": FAR},
    "no-subject": {"sub": None},
    "empty-subject": {"sub": ""},
    "long-subject": {"sub": "x" * 256},
    "number": {"sub": 5},
    "access-token": {"at_hash": "another"},
}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS)
def test_a_token_with_a_wrong_claim(
    browser: Browser, provider_site: Services, provider: IdentityProvider, wrong: str
) -> None:
    provider.claims = WRONG_CLAIMS[wrong]
    assert failed(browser.sign_in()) == "oidc_refused"
    assert count(provider_site, "users") == 0
    provider.claims = {}
    assert browser.sign_in() == "/create"


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_token_with_a_wrong_signature(browser: Browser, provider_site: Services, provider: IdentityProvider) -> None:
    public = provider.keys[0]
    stranger = RSAKey.generate_key(2048, {"kid": str(public.kid)})
    secret = OctKey.import_key(CLIENT_SECRET.ljust(32, "x"), {"kid": str(public.kid)})
    for key, header in (
        (stranger, {}),
        (stranger, {"kid": "unknown"}),
        (secret, {"alg": "HS256"}),
        (public, {"alg": "none"}),
        (public, {"kid": "x" * 5000}),
    ):
        provider.signing_key, provider.header = key, header
        assert failed(browser.sign_in()) == "oidc_refused"
    for token in (b'{"id_token": "x"}', b'{"id_token": 5}', b"{}"):
        provider.bodies["/token"] = token
        assert failed(browser.sign_in()) == "oidc_refused"
    assert count(provider_site, "users") == 0


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048, {"kid": "k"}), "PS256"),
        (ECKey.generate_key("P-256", {"kid": "k"}), "ES256"),
        (OKPKey.generate_key("Ed25519", {"kid": "k"}), "EdDSA"),
        (OKPKey.generate_key("Ed25519", {"kid": "k"}), "Ed25519"),
    ],
    ids=["PS256", "ES256", "EdDSA", "Ed25519"],
)
def test_other_signatures_and_headers(browser: Browser, provider: IdentityProvider, key: Any, algorithm: str) -> None:
    provider.keys = [*provider.keys, key]
    provider.bodies["/jwks"] = _with_strange_keys(provider)
    provider.signing_key, provider.header = key, {"alg": algorithm, "pi.atm": "an extension"}
    assert browser.sign_in() == "/create"


def _with_strange_keys(provider: IdentityProvider) -> bytes:
    strange = [{"kty": "AKP", "kid": "post-quantum"}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": 1}, 5]
    return json.dumps({"keys": [*strange, *(key.as_dict(private=False) for key in provider.keys)]}).encode()


def test_new_keys_are_looked_for_once_a_while(
    browser: Browser, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser.sign_in() == "/create"
    provider.rotate()
    assert failed(browser.sign_in()) == "oidc_refused", "the keys were read in this minute"
    assert provider.calls.count("/jwks") == 1
    monkeypatch.setattr(openid_provider, "RENEWAL_PAUSE_S", 0.0)
    assert browser.sign_in() == "/create"
    assert browser.sign_in() == "/create"
    assert provider.calls.count("/jwks") == 2
    assert provider.calls.count("/.well-known/openid-configuration") == 1


# Who


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "false"},
        {"email_verified": 1},
        {"email": None},
        {"email": "no address"},
        {"email": "x" * 400 + "@example.com"},
    ],
)
def test_an_address_that_the_provider_has_not_verified(
    browser: Browser, provider_site: Services, provider: IdentityProvider, claims: dict[str, Any]
) -> None:
    provider.person |= claims
    assert failed(browser.sign_in()) == "oidc_unverified"
    assert (count(provider_site, "users"), count(provider_site, "tokens")) == (0, 0)


def test_the_address_is_asked_for_where_the_token_has_none(browser: Browser, provider: IdentityProvider) -> None:
    provider.email_in_token = False
    assert browser.sign_in() == "/create"
    assert browser.me()["user"]["email"] == "ada@example.com"
    assert Browser(browser.door).sign_in() == "/create"
    assert provider.calls.count("/userinfo") == 1, "only for a new account"
    provider.person = {"sub": "another"}
    provider.bodies["/userinfo"] = b'{"sub": "248289761001", "email": "bob@example.com", "email_verified": true}'
    assert failed(browser.sign_in()) == "oidc_refused"


def test_an_address_with_an_account_is_not_taken_over(browser: Browser, provider_site: Services) -> None:
    assert browser.send("POST", "/v1/signup", json=ADA).status_code == 201
    guest = Browser(browser.door)
    assert failed(guest.sign_in()) == "oidc_email_taken"
    assert guest.me()["code"] == "not_signed_in"
    assert browser.connect() == "/account"
    assert guest.sign_in() == "/create"
    assert guest.me()["user"] == browser.me()["user"]


def test_first_sign_ins_at_once_make_one_account(browser: Browser, provider_site: Services) -> None:
    browsers = [Browser(browser.door) for _ in range(4)]
    callbacks = [one.visit(one.leave()) for one in browsers]
    with ThreadPoolExecutor(4) as pool:
        where = list(pool.map(Browser.come_back, browsers, callbacks))
    assert where == ["/create"] * 4
    assert len({one.me()["user"]["id"] for one in browsers}) == 1
    assert (count(provider_site, "users"), count(provider_site, "identities")) == (1, 1)


def test_a_disabled_account(browser: Browser, provider_site: Services) -> None:
    browser.sign_in()
    accounts.disable(provider_site, "ada@example.com", None, hide=False)
    guest = Browser(browser.door)
    assert failed(guest.sign_in()) == "account_disabled"
    assert guest.me()["code"] == "not_signed_in"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"max_accounts_per_hour": 1}, "capacity"),
        ({"signups_per_address": 1}, "rate_limited"),
        ({"logins_per_address": 1}, "rate_limited"),
    ],
)
def test_the_limits_of_signing_up_count(
    doors: Doors,
    with_settings: Callable[..., Services],
    provider: IdentityProvider,
    limits: dict[str, int],
    code: str,
) -> None:
    services = with_settings(public_url=SITE, **provider.settings, **limits)
    browser = Browser(doors.open(services))
    assert browser.sign_in() == "/create"
    provider.person |= {"sub": "another", "email": "bob@example.com"}
    assert failed(Browser(browser.door).sign_in()) == code
    assert count(services, "users") == 1


# The provider's faults


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
@pytest.mark.parametrize("fault", ["down", "large", "no-json", "redirect"])
def test_a_faulty_provider(browser: Browser, provider: IdentityProvider, path: str, fault: str) -> None:
    match fault:
        case "down":
            provider.statuses[path] = 503
        case "large":
            provider.bodies[path] = b" " * (openid_provider.MAX_ANSWER_BYTES + 1)
        case "no-json":
            provider.bodies[path] = b"<html>"
        case "redirect":
            provider.statuses[path] = 307
    begun = browser.send("GET", "/v1/oidc/login")
    if path.startswith("/.well-known"):
        assert (begun.status_code, begun.headers["location"]) == (302, "/login?error=oidc_unavailable")
        assert failed(browser.leave()) == "oidc_unavailable"
        assert provider.calls == [path], "it is not asked again at once"
    else:
        assert failed(browser.come_back(browser.visit(begun.headers["location"]))) == "oidc_unavailable"


def test_a_slow_provider(browser: Browser, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid_provider, "ANSWER_TIMEOUT_S", 0.2)
    provider.open.clear()
    answer = browser.send("GET", "/v1/oidc/login")
    assert (answer.status_code, answer.headers["location"]) == (302, "/login?error=oidc_unavailable")


def test_no_provider_at_all(browser: Browser, provider: IdentityProvider) -> None:
    address = browser.leave()
    callback = browser.visit(address)
    provider.__exit__()
    assert failed(browser.come_back(callback)) == "oidc_unavailable"
    provider.__enter__()


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://accounts.example.com"},
        {"issuer": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://accounts.example.com/authorize"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": 5},
    ],
)
def test_a_discovery_document_that_leads_elsewhere(
    browser: Browser, provider: IdentityProvider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    answer = browser.send("GET", "/v1/oidc/login")
    assert (answer.status_code, answer.headers["location"]) == (302, "/login?error=oidc_unavailable")


def test_a_callback_of_another_issuer(browser: Browser, provider: IdentityProvider) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    callback = httpx.URL(browser.visit(browser.leave()))
    for wrong in (callback.copy_set_param("iss", "https://evil.example.com"), callback.copy_remove_param("iss")):
        cookies = dict(browser.cookies)
        assert failed(browser.come_back(str(wrong))) in ("oidc_refused", "oidc_state")
        browser.cookies = cookies
    assert "/token" not in provider.calls
