"""Keys of clients, and what they sign with them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from broker.oidc.client_assertion import TYPE
from tests.conftest import ISSUER

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class ClientKey:
    """A client's key pair and the name it goes by."""

    private: Private = field(repr=False)
    alg: str = "ES256"
    kid: str = "key-1"

    @property
    def public(self) -> dict[str, Any]:
        """The JWK to publish."""
        return {**self._jwk().as_dict(private=False), "kid": self.kid}

    @property
    def key_set(self) -> dict[str, Any]:
        return {"keys": [self.public]}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """A compact JWS; a header parameter of None is left out."""
        parameters = {"alg": self.alg, "kid": self.kid} | header
        said = {name: value for name, value in parameters.items() if value is not None}
        signed = b".".join(_b64(json.dumps(part).encode()) for part in (said, claims))
        # By the algorithm itself: joserfc warns of "EdDSA", which clients still use (RFC 9864).
        signature = JWSRegistry.algorithms[self.alg].sign(signed, self._jwk())
        return (signed + b"." + _b64(signature)).decode()

    def _jwk(self) -> ECKey | RSAKey | OKPKey:
        pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return OKPKey.import_key(pem)
        if isinstance(self.private, rsa.RSAPrivateKey):
            return RSAKey.import_key(pem)
        return ECKey.import_key(pem)


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def a_key(alg: str = "ES256", kid: str = "key-1") -> ClientKey:
    """A key for `alg`; RSA ones are all the same one, because making them is slow."""
    if alg == "EdDSA":
        return ClientKey(ed25519.Ed25519PrivateKey.generate(), alg, kid)
    if alg == "ES256":
        return ClientKey(ec.generate_private_key(ec.SECP256R1()), alg, kid)
    return ClientKey(_rsa(), alg, kid)


def assertion_claims(now: datetime, client_id: str = "service", **changed: Any) -> dict[str, Any]:
    """What an ordinary client assertion says; None leaves a claim out."""
    at = int(now.timestamp())
    ordinary: dict[str, Any] = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "jti": "assertion-1",
        "iat": at,
        "exp": at + 60,
    }
    return {name: v for name, v in (ordinary | changed).items() if v is not None}


def assertion_form(assertion: str, **more: str) -> dict[str, str]:
    """The form of a request that a client assertion authenticates."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": TYPE,
        "client_assertion": assertion,
    } | more
