"""A security key made of software, with a switch for every wrong thing a key or browser may do."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80

_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
"""One for all tests: making it takes a tenth of a second."""


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Credential:
    credential_id: bytes
    private: PrivateKey
    user_handle: bytes
    sign_count: int = 0


@dataclass
class SoftAuthenticator:
    """A browser with a key in it. `wrong` replaces parts of what an honest one would send.

    In `wrong`: type, challenge, origin, crossOrigin… (members of the client data), rp_id, flags,
    aaguid, credential_id, public_key, sign_count, extensions, fmt, att_stmt (or a
    function of what is signed), user_handle,
    transports, cred_props, signature, client_data (raw octets), attestation_object (a function
    of the honest octets), trailing (octets behind the authenticator data).
    """

    origin: str
    rp_id: str
    algorithm: int = -7
    synced: bool = False
    counts: bool = True
    credentials: list[Credential] = field(default_factory=list)
    wrong: dict[str, Any] = field(default_factory=dict)

    def with_wrong(self, **wrong: Any) -> "SoftAuthenticator":
        """The same key (its credentials are shared), lying from now on."""
        return SoftAuthenticator(
            self.origin,
            self.rp_id,
            self.algorithm,
            self.synced,
            self.counts,
            self.credentials,
            wrong,
        )

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What navigator.credentials.create(…).toJSON() gives."""
        excluded = {item["id"] for item in options["excludeCredentials"]}
        if excluded & {b64(c.credential_id) for c in self.credentials}:
            raise ValueError("InvalidStateError")
        made = Credential(
            credential_id=hashlib.sha256(
                options["challenge"].encode() + bytes([len(self.credentials)])
            ).digest(),
            private=_generate(self.algorithm),
            user_handle=unb64(options["user"]["id"]),
        )
        credential_id = self.wrong.get("credential_id", made.credential_id)
        cose = self.wrong.get("public_key", cbor2.dumps(cose_key(made.private)))
        attested = (
            self.wrong.get("aaguid", bytes(16))
            + len(credential_id).to_bytes(2, "big")
            + credential_id
            + cose
        )
        authenticator_data = self._authenticator_data(AT, made, attested)
        statement = {
            "fmt": self.wrong.get("fmt", "none"),
            "attStmt": self.wrong.get("att_stmt", {}),
            "authData": authenticator_data,
        }
        client_data = self._client_data("webauthn.create", options["challenge"])
        if self.wrong.get("fmt") == "packed" and "att_stmt" not in self.wrong:
            signed = authenticator_data + hashlib.sha256(client_data).digest()
            statement["attStmt"] = {"alg": self.algorithm, "sig": sign(made.private, signed)}
        if callable(self.wrong.get("att_stmt")):
            signed = authenticator_data + hashlib.sha256(client_data).digest()
            statement["attStmt"] = self.wrong["att_stmt"](signed)
        encode: Callable[[bytes], bytes] = self.wrong.get("attestation_object", lambda b: b)
        self.credentials.append(made)
        return {
            "id": b64(self.wrong.get("message_id", credential_id)),
            "rawId": b64(self.wrong.get("message_id", credential_id)),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": self.wrong.get("cred_props", {"rk": True})},
            "response": {
                "clientDataJSON": b64(client_data),
                "attestationObject": b64(encode(cbor2.dumps(statement))),
                "transports": self.wrong.get("transports", ["internal", "hybrid"]),
            },
        }

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What navigator.credentials.get(…).toJSON() gives, for the newest fitting credential."""
        allowed = {item["id"] for item in options["allowCredentials"]}
        fitting = [c for c in self.credentials if not allowed or b64(c.credential_id) in allowed]
        if not fitting:
            raise ValueError("NotAllowedError")
        used = fitting[-1]
        if self.counts:
            used.sign_count += 1
        authenticator_data = self._authenticator_data(0, used, b"")
        client_data = self._client_data("webauthn.get", options["challenge"])
        signed = authenticator_data + hashlib.sha256(client_data).digest()
        response: dict[str, Any] = {
            "clientDataJSON": b64(client_data),
            "authenticatorData": b64(authenticator_data),
            "signature": b64(self.wrong.get("signature", sign(used.private, signed))),
        }
        handle = self.wrong.get("user_handle", used.user_handle)
        if handle is not None:
            response["userHandle"] = b64(handle)
        credential_id = self.wrong.get("credential_id", used.credential_id)
        return {
            "id": b64(credential_id),
            "rawId": b64(credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }

    def _client_data(self, kind: str, challenge: str) -> bytes:
        if "client_data" in self.wrong:
            raw = self.wrong["client_data"]
            return bytes(raw(kind, challenge)) if callable(raw) else bytes(raw)
        said: dict[str, Any] = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
        }
        members = ("type", "challenge", "origin", "crossOrigin", "topOrigin", "tokenBinding")
        said.update({m: self.wrong[m] for m in members if m in self.wrong})
        return json.dumps(said, separators=(",", ":")).encode()

    def _authenticator_data(self, flags: int, used: Credential, attested: bytes) -> bytes:
        flags |= UP | UV | (BE | BS if self.synced else 0)
        flags = self.wrong.get("flags", lambda f: f)(flags)
        extensions = b""
        if "extensions" in self.wrong:
            flags |= ED
            extensions = cbor2.dumps(self.wrong["extensions"])
        rp_id: str = self.wrong.get("rp_id", self.rp_id)
        count: int = self.wrong.get("sign_count", used.sign_count)
        return (
            hashlib.sha256(rp_id.encode()).digest()
            + bytes([flags])
            + count.to_bytes(4, "big")
            + attested
            + extensions
            + bytes(self.wrong.get("trailing", b""))
        )


def cose_key(private: PrivateKey) -> dict[int, Any]:
    """The public key as RFC 9053 and RFC 8230 have it."""
    public = private.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return {1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()}
    numbers: Any = public.public_numbers()
    if isinstance(public, rsa.RSAPublicKey):
        n = numbers.n.to_bytes((public.key_size + 7) // 8, "big")
        return {1: 3, 3: -257, -1: n, -2: numbers.e.to_bytes(3, "big")}
    size = (public.curve.key_size + 7) // 8
    x, y = numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")
    return {1: 2, 3: -7, -1: {256: 1, 384: 2, 521: 3}[public.curve.key_size], -2: x, -3: y}


def sign(private: PrivateKey, octets: bytes) -> bytes:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(octets)
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    return private.sign(octets, ec.ECDSA(hashes.SHA256()))


def _generate(algorithm: int) -> PrivateKey:
    if algorithm == -8:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == -257:
        return _RSA
    return ec.generate_private_key(ec.SECP256R1())
