"""What the browser's script hands over, parsed strictly (WebAuthn Level 3 §5.1, toJSON).

Nothing here is proved: the names say `Unverified` until `ceremony` has looked at them.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from broker.errors import EvidenceRejected, TooLarge

LIMIT: Final = 64 * 1024
"""Characters of a message; the largest real one, a TPM's attestation, has about 10 000."""

ID_LENGTHS: Final = range(16, 1024)
"""Bytes of a credential ID (§4, §7.1 step 25): unguessable, and at most 1023."""

USER_HANDLE_LENGTHS: Final = range(1, 65)
"""Bytes of a user handle (§5.4.3)."""

TRANSPORTS: Final = frozenset({"ble", "hybrid", "internal", "nfc", "smart-card", "usb"})
"""Ways to reach an authenticator that we may store and ask for again (§5.8.4)."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class UnverifiedAttestation:
    """What `navigator.credentials.create` is said to have given."""

    credential_id: bytes
    client_data: bytes
    attestation_object: bytes
    transports: tuple[str, ...]
    discoverable: bool | None


@dataclass(frozen=True, slots=True)
class UnverifiedAssertion:
    """What `navigator.credentials.get` is said to have given."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def reject(reason: str) -> EvidenceRejected:
    """The refusal of a key's answer: one code for the person, the reason for the record."""
    return EvidenceRejected("key_rejected", reason)


def base64url(raw: bytes) -> str:
    """The octets as WebAuthn writes them in JSON: base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def octets(text: object) -> bytes:
    """What base64url without padding stands for. Raises EvidenceRejected where it is not that."""
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise reject("message_malformed")
    try:
        found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise reject("message_malformed") from error
    if base64url(found) != text:  # bits behind the last octet: two spellings of one value
        raise reject("message_malformed")
    return found


def parse_attestation(text: str) -> UnverifiedAttestation:
    """The answer to an enrolment. Raises EvidenceRejected when malformed, TooLarge."""
    message, response = _credential(text)
    return UnverifiedAttestation(
        credential_id=_credential_id(message),
        client_data=_octets(response, "clientDataJSON"),
        attestation_object=_octets(response, "attestationObject"),
        transports=_transports(response.get("transports", [])),
        discoverable=_discoverable(message),
    )


def parse_assertion(text: str) -> UnverifiedAssertion:
    """The answer to a sign-in. Raises EvidenceRejected when malformed, TooLarge."""
    message, response = _credential(text)
    return UnverifiedAssertion(
        credential_id=_credential_id(message),
        client_data=_octets(response, "clientDataJSON"),
        authenticator_data=_octets(response, "authenticatorData"),
        signature=_octets(response, "signature"),
        user_handle=_user_handle(response),
    )


def parse_object(text: str) -> dict[str, Any]:
    """The JSON object in `text`. Raises ValueError: another type, a name twice, NaN, too deep."""
    try:
        found = json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004  the sender's mistake, not a caller's
    return found


def _credential(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(text) > LIMIT:
        raise TooLarge("key_rejected", "message_too_large")
    try:
        message = parse_object(text)
    except ValueError as error:
        raise reject("message_malformed") from error
    response = message.get("response")
    if message.get("type") != "public-key" or not isinstance(response, dict):
        raise reject("message_malformed")
    return message, response


def _credential_id(message: Mapping[str, Any]) -> bytes:
    found = _octets(message, "rawId")
    if message.get("id") != message["rawId"]:
        raise reject("credential_id_differs")
    if len(found) not in ID_LENGTHS:
        raise reject("credential_id_length")
    return found


def _user_handle(response: Mapping[str, Any]) -> bytes | None:
    if response.get("userHandle") is None:
        return None
    found = _octets(response, "userHandle")
    if len(found) not in USER_HANDLE_LENGTHS:
        raise reject("user_handle_length")
    return found


def _octets(holder: Mapping[str, Any], name: str) -> bytes:
    return octets(holder.get(name))


def _transports(found: object) -> tuple[str, ...]:
    # §5.2.1.1: unknown values are to be ignored, and a lie here only spoils a hint.
    if not isinstance(found, list):
        raise reject("message_malformed")
    return tuple(sorted({t for t in found if isinstance(t, str) and t in TRANSPORTS}))


def _discoverable(message: Mapping[str, Any]) -> bool | None:
    """What the client says about `rk` (§10.1.3), None where it says nothing."""
    results = message.get("clientExtensionResults") or {}
    properties = results.get("credProps") if isinstance(results, dict) else None
    rk = properties.get("rk") if isinstance(properties, dict) else None
    return rk if isinstance(rk, bool) else None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(name)
