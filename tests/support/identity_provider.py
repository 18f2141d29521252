"""A small OpenID Connect provider on the loopback interface, which signs in whoever a test names, or lies as told."""

import base64
import json
import secrets
import time
from functools import cache
from hashlib import sha256, sha512
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import Key, RSAKey
from joserfc.jws import JWSRegistry

CLIENT_ID, CLIENT_SECRET = "easel", "a secret: 100% + more"
ANY_ALGORITHM = JWSRegistry(
    algorithms=["RS256", "PS256", "ES256", "HS256", "EdDSA", "Ed25519", "none"], strict_check_header=False
)


class IdentityProvider:
    """Serves inside `with`, and checks what a client sends: its secret, the redirect address, PKCE.

    person: the claims of whoever signs in next; `sub`, `email` and `email_verified` by default.
    metadata, claims, header: what is added to the discovery document, the next ID tokens, and their headers; None
    takes a member out. signing_key: signs instead of the newest of `keys`.
    statuses: of paths that fail. bodies: of paths that answer something else. While `open` is not set, no path answers.
    calls: the paths called. forms: what the token endpoint got.
    """

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "248289761001", "email": "ada@example.com", "email_verified": True}
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.signing_key: Key | None = None
        self.email_in_token, self.reuses_codes = True, False
        self.statuses: dict[str, int] = {}
        self.bodies: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.open = Event()
        self.open.set()
        self._requests: dict[str, dict[str, str]] = {}
        self._people: dict[str, dict[str, Any]] = {}
        self.keys: list[Key] = [_first_key()]

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def issuer(self) -> str:
        """Return the issuer, which is also the server's address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings of a site that signs people in here."""
        return {
            "oidc_issuer": self.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_name": "Example ID",
        }

    def rotate(self) -> None:
        """Sign with a new key from now on. The old one is not published any more."""
        self.keys = [_new_key()]

    def get(self, path: str, query: dict[str, str], token: str) -> tuple[int, Any]:
        """Return the status and the answer of a GET."""
        match path:
            case "/.well-known/openid-configuration":
                return 200, {name: value for name, value in self._document().items() if value is not None}
            case "/jwks":
                return 200, {"keys": [key.as_dict(private=False) for key in self.keys]}
            case "/authorize":
                return self._authorize(query)
            case "/userinfo" if token in self._people:
                return 200, self._people[token]
        return 404, {}

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Return the status and the answer of the token endpoint."""
        self.forms.append(form)
        kind, _, pair = authorization.partition(" ")
        if kind == "Basic":
            client, secret = (unquote_plus(part) for part in base64.b64decode(pair).decode().split(":"))
        else:
            client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if (client, secret) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        asked = self._requests.get(form["code"], {}) if self.reuses_codes else self._requests.pop(form["code"], {})
        challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if (asked.get("redirect_uri"), asked.get("code_challenge")) != (form["redirect_uri"], challenge):
            return 400, {"error": "invalid_grant"}
        access_token = secrets.token_urlsafe(16)
        self._people[access_token] = dict(self.person)
        return 200, {
            "access_token": access_token,
            "token_type": "Bearer",
            "id_token": self.id_token(asked["nonce"], access_token),
        }

    def id_token(self, nonce: str, access_token: str) -> str:
        """Return an ID token for the person."""
        now = int(time.time())
        # OpenID Connect names no hash for EdDSA; providers use the one that Ed25519 itself does.
        hashed = (sha512 if str(self.header.get("alg")).startswith("Ed") else sha256)(access_token.encode()).digest()
        half = hashed[: len(hashed) // 2]
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
            **(self.person if self.email_in_token else {"sub": self.person["sub"]}),
            **self.claims,
        }
        key = self.signing_key or self.keys[-1]
        header = {"alg": "RS256", "kid": key.kid, **self.header}
        sent = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({k: v for k, v in header.items() if v is not None}, sent, key, registry=ANY_ALGORITHM)

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.metadata,
        }

    def _authorize(self, query: dict[str, str]) -> tuple[int, Any]:
        wanted = {"response_type": "code", "client_id": CLIENT_ID, "code_challenge_method": "S256"}
        if not (wanted.items() <= query.items() and "openid" in query["scope"].split() and query["nonce"]):
            return 400, {"error": "invalid_request"}
        code = secrets.token_urlsafe(16)
        self._requests[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return 302, f"{query['redirect_uri']}?{urlencode(back)}"


def _new_key() -> Key:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})


_first_key = cache(_new_key)


def _handler(provider: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = urlsplit(self.path)
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self._answer(target.path, lambda: provider.get(target.path, dict(parse_qsl(target.query)), token))

        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            given = self.headers.get("Authorization", "")
            self._answer(urlsplit(self.path).path, lambda: provider.exchange(form, given))

        def _answer(self, path: str, make: Any) -> None:
            provider.calls.append(path)
            provider.open.wait(60)
            status, value = (provider.statuses[path], {}) if path in provider.statuses else make()
            body = provider.bodies.get(path) or json.dumps(value).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True  # the client has read enough

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
