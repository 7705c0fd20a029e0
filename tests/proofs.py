"""A DPoP key of the tests' own (RFC 9449), its proofs made with joserfc."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.conftest import ISSUER, NOON

_serial = count(1)

MAKERS: dict[str, Callable[[], Any]] = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "PS256": lambda: RSAKey.generate_key(2048),
    "RS256": lambda: RSAKey.generate_key(2048),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


class ProofKey:
    """A key that makes proofs; `proof(...)` is a sound one but for what is changed."""

    def __init__(self, alg: str = "ES256") -> None:
        self.alg = alg
        self.key: Any = MAKERS[alg]()

    @property
    def thumbprint(self) -> str:
        return str(self.key.thumbprint())

    def proof(
        self,
        path: str = "/token",
        method: str = "POST",
        *,
        now: datetime = NOON,
        token: str | None = None,
        header: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> str:
        claims = {
            "jti": f"proof-{next(_serial)}",
            "htm": method,
            "htu": ISSUER + path,
            "iat": int(now.timestamp()),
        }
        if token is not None:
            claims["ath"] = ath(token)
        sent = {k: v for k, v in (claims | changed).items() if v is not None}
        head = {"alg": self.alg, "typ": "dpop+jwt", "jwk": self.key.as_dict(private=False)}
        return signed(head | dict(header or {}), sent, self.key)

    def headers(self, token: str, path: str = "/userinfo", method: str = "GET") -> dict[str, str]:
        """What a request to a resource carries."""
        return {
            "Authorization": f"DPoP {token}",
            "DPoP": self.proof(path, method, token=token),
        }


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: Any) -> str:
    """A compact JWS whose header may hold anything."""
    text = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{_b64(JWSRegistry.algorithms[header['alg']].sign(text.encode(), key))}"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def ath(token: str) -> str:
    return _b64(hashlib.sha256(token.encode()).digest())
