"""What browsers are asked about passkeys and what they answer (WebAuthn), by py_webauthn.

That is imported where it is used: few log-ins need it.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from shared.accounts.passkey_store import CHALLENGE_LIFETIME_S, PasskeyKey
from shared.accounts.store import User
from shared.core.origins import LOOPBACK_NAMES, canonical_origin, origins_of
from shared.core.settings import Settings

Answer = Mapping[str, Any]
"""What `PublicKeyCredential.toJSON()` of a browser gives."""

_MOST_ID_BYTES = 1023  # WebAuthn, 4: the longest credential id
_LIFETIME_MS = CHALLENGE_LIFETIME_S * 1000


class BadAnswer(Exception):
    """An answer that cannot be read, or proves nothing."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new passkey: its id, its public key in COSE's form, and how many signatures it has made if it counts them."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What an answer says before anything of it is checked: which challenge it is to, by which passkey, of whom."""

    challenge: bytes
    credential_id: bytes
    user_id: bytes | None


def find_domain(settings: Settings) -> str | None:
    """Return the domain that passkeys of this site are for, None if browsers make none for its address.

    They do for names under TLS, and for `localhost`, which people may open instead of 127.0.0.1.
    """
    scheme, _, host = canonical_origin(settings.public_url).partition("://")
    host = urlsplit(f"//{host}").hostname or ""
    if host in LOOPBACK_NAMES:
        return "localhost"
    is_number = ":" in host or host.rpartition(".")[2].isdigit()
    return host if scheme == "https" and not is_number else None


def options_for_new(domain: str, user: User, challenge: bytes, present: Collection[bytes]) -> dict[str, Any]:
    """Return what `navigator.credentials.create` needs, in JSON. present: credential ids of the user's passkeys."""
    from webauthn import generate_registration_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=domain,
        rp_name="Easel",
        user_id=user.id.bytes,
        user_name=user.email,
        challenge=challenge,
        timeout=_LIFETIME_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in present],
    )
    return options_to_json_dict(options)


def options_for_log_in(domain: str, challenge: bytes) -> dict[str, Any]:
    """Return what `navigator.credentials.get` needs, in JSON. It names no passkey, so that it tells of no account."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=domain,
        challenge=challenge,
        timeout=_LIFETIME_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def read_challenge(answer: Answer) -> bytes:
    """Return the challenge that the answer of a new passkey says it is to. Raises BadAnswer."""
    from webauthn.helpers import parse_client_data_json, parse_registration_credential_json

    with _bad_answers():
        credential = parse_registration_credential_json(dict(answer))
        return parse_client_data_json(credential.response.client_data_json).challenge


def read_claim(answer: Answer) -> Claim:
    """Return what the answer of a log-in says. Raises BadAnswer."""
    from webauthn.helpers import parse_authentication_credential_json, parse_client_data_json

    with _bad_answers():
        credential = parse_authentication_credential_json(dict(answer))
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        return Claim(challenge, credential.raw_id, credential.response.user_handle)


def check_new(settings: Settings, domain: str, answer: Answer, challenge: bytes) -> NewKey:
    """Return the passkey that an answer brings. Which authenticator made it plays no part: nobody asked for proof.

    Raises:
        BadAnswer: It is of another site, of an older challenge, or of nobody who was verified.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers import parse_attestation_object, parse_registration_credential_json
    from webauthn.helpers.structs import AttestationFormat

    with _bad_answers():
        credential = parse_registration_credential_json(dict(answer))
        attestation = parse_attestation_object(credential.response.attestation_object)
        # Browsers take certificates out; what is left may be signed by the passkey itself.
        if attestation.fmt not in (AttestationFormat.NONE, AttestationFormat.PACKED) or attestation.att_stmt.x5c:
            raise BadAnswer
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=domain,
            expected_origin=origins_of(settings.public_url),
            require_user_verification=True,
        )
    if len(verified.credential_id) > _MOST_ID_BYTES:
        raise BadAnswer
    return NewKey(verified.credential_id, verified.credential_public_key, verified.sign_count)


def check_signature(settings: Settings, domain: str, answer: Answer, challenge: bytes, key: PasskeyKey) -> int:
    """Return the count of signatures of a passkey that has signed a challenge now.

    Raises:
        BadAnswer: The signature is not that of the passkey on this site, its count has not gone up, or nobody was
            verified.
    """
    from webauthn import verify_authentication_response

    with _bad_answers():
        verified = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=domain,
            expected_origin=origins_of(settings.public_url),
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    return verified.new_sign_count


def is_of(claim: Claim, user_id: UUID) -> bool:
    """Return whether an answer names this user, as passkeys that are found without an address do."""
    return claim.user_id == user_id.bytes


@contextmanager
def _bad_answers() -> Iterator[None]:
    """Turn what py_webauthn raises about an answer into BadAnswer.

    Its own exceptions have one base. Of values that it does not expect it lets the others through.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from webauthn.helpers.exceptions import WebAuthnException

    unexpected = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
    try:
        yield
    except (WebAuthnException, UnsupportedAlgorithm, *unexpected) as error:
        raise BadAnswer from error
