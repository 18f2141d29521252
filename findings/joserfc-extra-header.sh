#!/usr/bin/env bash
# joserfc 1.8.0, which Authlib uses to verify ID tokens, and a token of PyJWT 2.13.0 whose header has a parameter of its own.
#
# Seen: joserfc refuses the token with UnsupportedHeaderError, while PyJWT reads it. RFC 7515, section 4, says that header
# parameters that are not understood must be ignored, unless `crit` names them. Providers do send some of their own, so
# whoever verifies their tokens with joserfc's defaults turns everybody away; a registry that does not check headers reads
# the token.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check joserfc==1.8.0 pyjwt==2.13.0
cat >header.py <<'PYTHON'
import jwt as pyjwt
from joserfc import jwt
from joserfc.errors import UnsupportedHeaderError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

key = RSAKey.generate_key(2048)
plain = pyjwt.encode({"sub": "248289761001"}, key.private_key, "RS256")
extended = pyjwt.encode({"sub": "248289761001"}, key.private_key, "RS256", headers={"example.session": "7"})
assert pyjwt.decode(extended, key.public_key, ["RS256"]) == {"sub": "248289761001"}
assert jwt.decode(plain, key, algorithms=["RS256"]).claims == {"sub": "248289761001"}
try:
    jwt.decode(extended, key, algorithms=["RS256"])
except UnsupportedHeaderError as error:
    print(f"with a header of its own: {error}")
else:
    raise SystemExit("joserfc reads the token now")
lenient = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
assert jwt.decode(extended, key, registry=lenient).claims == {"sub": "248289761001"}
PYTHON
venv/bin/python header.py
