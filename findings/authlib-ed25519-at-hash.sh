#!/usr/bin/env bash
# Authlib 1.9.10, and the ID token of an OpenID Connect provider that signs with Ed25519 and names the algorithm so.
#
# Seen: the claim at_hash of such a token is refused whatever it holds, with InvalidClaimError. Authlib knows which hash goes
# with EdDSA, but not that Ed25519 is the same (RFC 9864 names it, and deprecates EdDSA); joserfc 1.8.0, on which Authlib
# builds, signs and verifies with Ed25519, and warns of EdDSA. OpenID Connect Core, 3.1.3.6, wants the left half of the hash
# that the algorithm uses, which is SHA-512 here.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check authlib==1.9.10 joserfc==1.8.0
cat >at_hash.py <<'PYTHON'
import base64
import hashlib
import time
import warnings

warnings.simplefilter("ignore")

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import OKPKey

key = OKPKey.generate_key("Ed25519")
half = hashlib.sha512(b"an access token").digest()[:32]
now = int(time.time())
claims = {"iss": "https://accounts.example.com", "sub": "248289761001", "aud": "easel", "iat": now, "exp": now + 60}
claims["at_hash"] = base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def validate(algorithm):
    token = jwt.decode(jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm]), key, algorithms=[algorithm])
    try:
        CodeIDToken(token.claims, token.header, {}, {"access_token": "an access token"}).validate()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "accepted"


seen = {algorithm: validate(algorithm) for algorithm in ("EdDSA", "Ed25519")}
print(seen)
assert seen["EdDSA"] == "accepted"
assert seen["Ed25519"].startswith("InvalidClaimError"), seen
PYTHON
venv/bin/python at_hash.py
