"""The two WebAuthn ceremonies: what the browser is asked, and whether its answer holds.

WebAuthn Level 3 §7.1 and §7.2. Pure: no database, no request. The signature and attestation
formats are py_webauthn's; everything that it leaves to its caller is checked here or in
`message`, `client_data` and `public_key`.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, TypeVar

from broker.authentication.client_data import Expected, demand_ours
from broker.authentication.message import (
    UnverifiedAssertion,
    UnverifiedAttestation,
    base64url,
    reject,
)
from broker.authentication.public_key import ALGORITHMS, demand_plain_cbor, demand_sound

_T = TypeVar("_T")

_FLAGS = 32
_PRESENT, _VERIFIED, _BACKUP_ELIGIBLE, _BACKED_UP = 0x01, 0x04, 0x08, 0x10
_ATTESTED, _EXTENDED = 0x40, 0x80
_HEADER = 37
"""Octets of rpIdHash, flags and signCount (§6.1)."""
_ATTESTED_START = _HEADER + 16 + 2
"""Octets before the credential ID: the AAGUID and the ID's length follow the header (§6.5.1)."""
_LONGEST_WAIT = timedelta(minutes=5)
_SEVERAL_DEVICES = "multi_device"
"""How py_webauthn calls a key that may be on more devices than one."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What is stored of an enrolled key, as far as an assertion is judged by it."""

    credential_id: bytes
    user_handle: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnrolledKey:
    """A key that proved itself at enrolment; the raw messages are kept for later re-checks."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    attestation_format: str
    backup_eligible: bool
    backed_up: bool
    transports: tuple[str, ...]
    attestation_object: bytes
    client_data: bytes


@dataclass(frozen=True, slots=True)
class UsedKey:
    """What an accepted assertion says anew about its key."""

    sign_count: int
    backed_up: bool


def creation_options(  # noqa: PLR0913  each is a member of the options
    expected: Expected,
    *,
    user_handle: bytes,
    user_name: str,
    exclude: Iterable[KnownKey],
    lifetime: timedelta,
    attested: bool = False,
) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptionsJSON (§5.4) for the page's script.

    `attested`: ask what the key's maker says of it, which tells us the model.
    """
    return {
        "rp": {"id": expected.rp_id, "name": "Miftah"},
        "user": {"id": base64url(user_handle), "name": user_name, "displayName": user_name},
        "challenge": base64url(expected.challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": a} for a in ALGORITHMS],
        "timeout": _milliseconds(lifetime),
        "excludeCredentials": _descriptors(exclude),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required" if expected.attended else "preferred",
        },
        "hints": ["client-device", "security-key", "hybrid"] if expected.attended else [],
        "attestation": "direct" if attested else "none",
        "extensions": {"credProps": True},
    }


def request_options(
    expected: Expected, *, allow: Iterable[KnownKey], lifetime: timedelta
) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptionsJSON (§5.5); nothing in `allow` asks for any key."""
    return {
        "challenge": base64url(expected.challenge),
        "rpId": expected.rp_id,
        "timeout": _milliseconds(lifetime),
        "allowCredentials": _descriptors(allow),
        "hints": ["client-device", "security-key", "hybrid"],
        "userVerification": "required",
    }


def verify_attestation(answer: UnverifiedAttestation, expected: Expected) -> EnrolledKey:
    """The key that was made. Raises EvidenceRejected whose hint is the reason (§7.1).

    A statement of attestation must be true if there is one, but no trust is drawn from it.
    """
    from broker.authentication import library  # noqa: PLC0415  as it says

    demand_ours(answer.client_data, "webauthn.create", expected)
    statement = demand_plain_cbor(answer.attestation_object)
    if not isinstance(statement, dict) or statement.keys() != {"fmt", "attStmt", "authData"}:
        raise reject("attestation_object")
    if answer.discoverable is False:
        raise reject("not_discoverable")  # it could never be used where nobody types a name
    _demand_verified_user(statement["authData"], expected)
    verified = _held(lambda: library.verify_registration(answer, expected, ALGORITHMS))
    if verified.credential_id != answer.credential_id:
        raise reject("credential_id_differs")
    demand_sound(verified.credential_public_key)
    attested = _ATTESTED_START + len(answer.credential_id) + len(verified.credential_public_key)
    _demand_extensions(statement["authData"], attested)
    return EnrolledKey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        attestation_format=str(verified.fmt),
        backup_eligible=verified.credential_device_type == _SEVERAL_DEVICES,
        backed_up=verified.credential_backed_up,
        transports=answer.transports,
        attestation_object=answer.attestation_object,
        client_data=answer.client_data,
    )


def demand_for_us(answer: UnverifiedAssertion, expected: Expected) -> None:
    """Nothing, if all holds that can be judged without knowing the key (§7.2 steps 9–19).

    Raises EvidenceRejected whose hint is the reason.
    """
    demand_ours(answer.client_data, "webauthn.get", expected)
    _demand_verified_user(answer.authenticator_data, expected)
    if answer.authenticator_data[_FLAGS] & _ATTESTED:  # §6.3.3: an assertion carries none
        raise reject("authenticator_data")
    _demand_extensions(answer.authenticator_data, _HEADER)


def verify_assertion(
    answer: UnverifiedAssertion, known: KnownKey, expected: Expected, *, identified: bool
) -> UsedKey:
    """What is new about the key. Raises EvidenceRejected whose hint is the reason (§7.2).

    `identified`: whether we already knew whose key to ask for; if not, the answer must say.
    """
    from broker.authentication import library  # noqa: PLC0415  as it says

    demand_for_us(answer, expected)
    _demand_owner(answer, known, identified=identified)
    verified = _held(lambda: library.verify_authentication(answer, known.public_key, expected))
    if known.backup_eligible != (verified.credential_device_type == _SEVERAL_DEVICES):
        raise reject("backup_eligibility_changed")
    # After the signature: judged before it, anyone could report a stranger's key as cloned.
    count = verified.new_sign_count
    if (known.sign_count or count) and count <= known.sign_count:
        raise reject("counter_not_risen")
    return UsedKey(count, verified.credential_backed_up)


def _demand_owner(answer: UnverifiedAssertion, known: KnownKey, *, identified: bool) -> None:
    """§7.2 step 6."""
    if answer.user_handle is None:
        if not identified:
            raise reject("user_handle_missing")
    elif not hmac.compare_digest(answer.user_handle, known.user_handle):
        raise reject("user_handle_differs")


def _demand_verified_user(authenticator_data: object, expected: Expected) -> None:
    """§7.1 steps 14–17, §7.2 steps 16–19: for us, with the person present and known to the key."""
    if not isinstance(authenticator_data, bytes) or len(authenticator_data) < _HEADER:
        raise reject("authenticator_data")
    if authenticator_data[:_FLAGS] != sha256(expected.rp_id.encode()).digest():
        raise reject("rp_id")
    flags = authenticator_data[_FLAGS]
    if expected.attended and not flags & _PRESENT:
        raise reject("user_not_present")
    if expected.attended and not flags & _VERIFIED:
        raise reject("user_not_verified")
    if flags & _BACKED_UP and not flags & _BACKUP_ELIGIBLE:
        raise reject("backup_flags")


def _demand_extensions(authenticator_data: bytes, start: int) -> None:
    """§6.1: where the flag is set, a map of extension outputs, and nothing else, follows."""
    if authenticator_data[_FLAGS] & _EXTENDED:
        outputs = demand_plain_cbor(authenticator_data[start:])
        if not isinstance(outputs, dict) or not all(isinstance(name, str) for name in outputs):
            raise reject("extensions")


def _held(verify: Callable[[], _T]) -> _T:
    """What `verify` returns. Raises EvidenceRejected for whatever it raises.

    py_webauthn lets ValueError, KeyError, UnsupportedAlgorithm and others through: one in six
    of 6 000 mutated attestation objects raised something that was not its own exception.
    """
    try:
        return verify()
    except Exception as error:
        raise reject(f"library:{type(error).__name__}") from error


def _descriptors(keys: Iterable[KnownKey]) -> list[Mapping[str, Any]]:
    return [
        {"type": "public-key", "id": base64url(key.credential_id)}
        | ({"transports": list(key.transports)} if key.transports else {})
        for key in keys
    ]


def _milliseconds(lifetime: timedelta) -> int:
    return int(min(lifetime, _LONGEST_WAIT) / timedelta(milliseconds=1))
