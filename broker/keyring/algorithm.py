"""Each signature algorithm: how its key is made, known and used (RFC 7518 §3, RFC 8037 §3.1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

RSA_BITS = 2048
"""At least so many (RFC 7518 §3.3); more would cost four times as much a signature."""

_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How to make a private key, whether a key is one, and how it signs.

    `sign` returns the octets of a JWS signature.
    """

    generate: Callable[[], PrivateKey]
    fits: Callable[[object], bool]
    sign: Callable[[Any, bytes], bytes]


def generate(alg: str) -> PrivateKey:
    """A fresh private key for `alg`."""
    return ALGORITHMS[alg].generate()


def _is_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) and isinstance(
        key.curve, ec.SECP256R1
    )


def _is_rsa(key: object) -> bool:
    return isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) and key.key_size >= RSA_BITS


def _is_ed25519(key: object) -> bool:
    return isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey)


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, RSA_BITS)


def _ecdsa(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")  # RFC 7518 §3.4


ALGORITHMS: Mapping[str, Algorithm] = {
    "ES256": Algorithm(lambda: ec.generate_private_key(ec.SECP256R1()), _is_p256, _ecdsa),
    "RS256": Algorithm(
        _rsa,
        _is_rsa,
        lambda key, message: bytes(key.sign(message, padding.PKCS1v15(), hashes.SHA256())),
    ),
    "PS256": Algorithm(
        _rsa, _is_rsa, lambda key, message: bytes(key.sign(message, _PSS, hashes.SHA256()))
    ),
    "EdDSA": Algorithm(
        ed25519.Ed25519PrivateKey.generate,
        _is_ed25519,
        lambda key, message: bytes(key.sign(message)),
    ),
}
"""Every algorithm that a key of ours may sign with, the first the one that we prefer."""

REQUIRED = ("ES256", "RS256")
"""Without these the broker does not start: ours, and the one that Discovery §3 demands."""
