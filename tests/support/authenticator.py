"""An authenticator and its browser in software: it makes passkeys (ES256) and signs with them."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def text_of(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


@dataclass
class Authenticator:
    """One passkey, in a browser at `origin`. What it says may be changed; `count` is that of the next signature."""

    origin: str = "http://localhost:8080"
    domain: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    user: bytes = b""
    attestation: str = "none"
    statement: dict[str, Any] = field(default_factory=dict)
    signs_itself: bool = False
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to `navigator.credentials.create`, as JSON has it."""
        self.user = bytes_of(options["user"]["id"])
        length = len(self.credential_id).to_bytes(2, "big")
        attested = bytes(16) + length + self.credential_id + self._cose_key()
        data = self._data(self.flags | HAS_KEY) + attested
        client_data = self._client_data("webauthn.create", options["challenge"])
        own = {"alg": -7, "sig": self._signature(data, client_data)} if self.signs_itself else {}
        attestation = cbor2.dumps({"fmt": self.attestation, "attStmt": self.statement | own, "authData": data})
        response = {"clientDataJSON": text_of(client_data), "attestationObject": text_of(attestation)}
        return self._answer(response | {"transports": ["internal"]})

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to `navigator.credentials.get`, as JSON has it."""
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._data(self.flags)
        response = {
            "clientDataJSON": text_of(client_data),
            "authenticatorData": text_of(data),
            "signature": text_of(self._signature(data, client_data)),
            "userHandle": text_of(self.user),
        }
        return self._answer(response)

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        name = text_of(self.credential_id)
        more = {"type": "public-key", "authenticatorAttachment": "platform", "clientExtensionResults": {}}
        return {"id": name, "rawId": name, "response": response, **more}

    def _signature(self, data: bytes, client_data: bytes) -> bytes:
        return self.key.sign(data + sha256(client_data).digest(), ECDSA(SHA256()))

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, flags: int) -> bytes:
        return sha256(self.domain.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _cose_key(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
