"""ID tokens: their signature and what they say about a sign-in. Imported only when one is verified: it takes 200 ms."""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry

__all__ = ["InvalidToken", "UnknownKey", "challenge", "read_keys", "verify"]

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures that only the provider can make: never `none`, and no HMAC, whose key a verifier knows as well."""

KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
MOST_KEYS = 50
LEEWAY_S = 60
"""How far the provider's clock and this machine's may be apart."""

challenge = create_s256_code_challenge


class InvalidToken(Exception):
    """A token proves nothing; the message says why, for the log."""


class UnknownKey(InvalidToken):
    """No known key made a token's signature: the provider may have other keys by now."""


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """Return the keys of a JWK Set. One that cannot be used is left out, so that the others work."""
    listed = document.get("keys")
    keys = []
    for entry in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if not isinstance(entry, dict) or entry.get("kty") not in KEY_TYPES or entry.get("use", "sig") != "sig":
            continue
        try:
            keys.append(JWKRegistry.import_key(entry))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(keys)


def verify(
    token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, access_token: str | None
) -> dict[str, Any]:
    """Return the claims of an ID token that the issuer made for this client and this sign-in, and that still counts.

    Raises:
        UnknownKey: None of the keys made its signature.
        InvalidToken: It is no such token.
    """
    # joserfc ignores the argument `algorithms` beside a registry. Headers that it does not know must be ignored
    # (RFC 7515, section 4).
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        decoded = jwt.decode(token, keys, registry=registry)
        # Authlib knows EdDSA's hash of the access token only under its old name, and refuses what it does not know.
        has_known_hash = decoded.header["alg"] != "Ed25519"
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
            },
            {"nonce": nonce, "client_id": client_id, "access_token": access_token if has_known_hash else None},
        )
        claims.validate(leeway=LEEWAY_S)
    except (InvalidKeyIdError, BadSignatureError) as error:
        raise UnknownKey(type(error).__name__) from None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise InvalidToken(str(error)[:200] if isinstance(error, JoseError) else type(error).__name__) from None
    return dict(claims)
