"""Which public keys an authenticator may enrol with (WebAuthn Level 3 §5.8.5, §6.5.1; RFC 9053)."""

from typing import Any, Final

from broker.authentication.message import reject

ALGORITHMS: Final = (-8, -7, -257)
"""EdDSA with Ed25519, ES256 with P-256, RS256: best first."""

_KTY, _ALG, _CRV, _X, _Y = 1, 3, -1, -2, -3
_N, _E = -1, -2
_P256 = {_KTY: 2, _ALG: -7, _CRV: 1}
_ED25519 = {_KTY: 1, _ALG: -8, _CRV: 6}
_RSA = {_KTY: 3, _ALG: -257}

_RSA_BYTES = range(256, 513)
_F4 = b"\x01\x00\x01"


def demand_sound(cose_key: bytes) -> None:
    """Nothing, if the COSE key is of an offered algorithm, on its curve, and of enough bits.

    Raises EvidenceRejected. A key that never signed anything at enrolment, as with attestation
    none, is looked at here for the first time.
    """
    from broker.authentication import library  # noqa: PLC0415  as it says

    key = demand_plain_cbor(cose_key)
    if not isinstance(key, dict) or not all(type(name) is int for name in key):
        raise reject("public_key")
    if not (_is_p256(key) or _is_ed25519(key) or _is_rsa(key)):
        raise reject("public_key")
    try:
        found = library.decode_credential_public_key(cose_key)
        library.decoded_public_key_to_cryptography(found)
    except Exception as error:  # a point that is not on the curve
        raise reject("public_key") from error


def demand_plain_cbor(encoded: bytes) -> Any:
    """What was encoded. Raises EvidenceRejected unless in shortest form with nothing behind it.

    Decoders stop after the first item, and read many spellings of it: bytes that do not come
    out again as they went in could say one thing to us and another to the next reader.
    """
    from broker.authentication import library  # noqa: PLC0415  as it says

    try:
        found = library.parse_cbor(encoded)
        again = library.encode_cbor(found)
    except Exception as error:  # whatever the decoder stumbles over
        raise reject("cbor") from error
    if again != encoded:
        raise reject("cbor")
    return found


def _is_p256(key: dict[int, object]) -> bool:
    return _has(key, _P256, {_X, _Y}) and _sized(key[_X], 32) and _sized(key[_Y], 32)


def _is_ed25519(key: dict[int, object]) -> bool:
    return _has(key, _ED25519, {_X}) and _sized(key[_X], 32)


def _is_rsa(key: dict[int, object]) -> bool:
    if not _has(key, _RSA, {_N, _E}):
        return False
    modulus = key[_N]
    long_enough = isinstance(modulus, bytes) and len(modulus) in _RSA_BYTES and modulus[0] > 127  # noqa: PLR2004  the highest bit, so all 2048 of them count
    return long_enough and key[_E] == _F4


def _has(key: dict[int, object], fixed: dict[int, int], varying: set[int]) -> bool:
    # §6.5.1: no other optional parameters.
    return key.keys() == fixed.keys() | varying and all(key[name] == fixed[name] for name in fixed)


def _sized(value: object, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size
