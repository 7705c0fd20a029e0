"""Signing keys that live in a security module and never leave it (PKCS#11, RFC 7512)."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from broker.keyring.algorithm import RSA_BITS, PublicKey

_P256 = bytes.fromhex("06082a8648ce3d030107")
"""DER of the curve's object identifier (RFC 5480 §2.1.1.1)."""


class ModuleFailed(Exception):
    """The security module is not there, has no such key, or did not sign."""


def _digest(message: bytes) -> bytes:
    return hashlib.sha256(message).digest()


def _as_it_is(message: bytes) -> bytes:
    return message


# SoftHSM has no CKM_ECDSA_SHA256: hash first. CKM_ECDSA answers r || s, as a JWS wants it.
_MECHANISMS: Mapping[str, tuple[Callable[[Any], Any], Callable[[bytes], bytes]]] = {
    "ES256": (lambda p: p.Mechanism(p.CKM_ECDSA), _digest),
    "RS256": (lambda p: p.Mechanism(p.CKM_SHA256_RSA_PKCS), _as_it_is),
    "PS256": (
        lambda p: p.RSA_PSS_Mechanism(
            p.CKM_SHA256_RSA_PKCS_PSS, p.CKM_SHA256, p.CKG_MGF1_SHA256, 32
        ),
        _as_it_is,
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class ModuleKey:
    """The name of a private key in a security module, and its public half.

    Compared by identity, as private keys in memory are: a public key cannot be hashed.
    """

    alg: str
    label: str
    public: PublicKey
    module: "SecurityModule" = field(repr=False)

    def public_key(self) -> PublicKey:
        """The half that everybody may know; the module is not asked."""
        return self.public

    def sign(self, message: bytes) -> bytes:
        """The octets of a JWS signature. Raises ModuleFailed."""
        return self.module.sign(self.alg, self.label, message)


class SecurityModule:
    """One token of a PKCS#11 library, opened by the first signature.

    So it is opened after a server has forked: PKCS#11 §5.4 gives a child process nothing of
    what its parent opened.
    """

    def __init__(self, library: Path, token: str, pin: str) -> None:
        self._library, self._token, self._pin = library, token, pin
        self._lock = Lock()  # a session does one thing at a time
        self._session: Any = None
        self._keys: dict[str, Any] = {}

    def sign(self, alg: str, label: str, message: bytes) -> bytes:
        """The octets of a JWS signature by the private key `label`. Raises ModuleFailed."""
        p = _pkcs11()
        mechanism, prepare = _MECHANISMS[alg]
        with self._lock:
            try:
                return self._signed(p, label, prepare(message), mechanism(p))
            except p.PyKCS11Error:
                # A module that was restarted has forgotten our session: one new one.
                self._session = None
            with _failures(p):
                return self._signed(p, label, prepare(message), mechanism(p))

    def make(self, alg: str, label: str) -> PublicKey:
        """The public half of a new key pair, whose private half cannot be read out.

        Raises ModuleFailed.
        """
        p = _pkcs11()
        with self._lock, _failures(p):
            return _make(p, self._opened(p), alg, label)

    def _signed(self, p: Any, label: str, prepared: bytes, mechanism: Any) -> bytes:
        session = self._opened(p)
        if label not in self._keys:
            self._keys[label] = _private_key(p, session, label)
        return bytes(session.sign(self._keys[label], prepared, mechanism))

    def _opened(self, p: Any) -> Any:
        if self._session is None:
            self._keys = {}
            self._session = _open(p, self._library, self._token, self._pin)
        return self._session


@contextmanager
def _failures(p: Any) -> Iterator[None]:
    try:
        yield
    except p.PyKCS11Error as error:
        raise ModuleFailed(str(error)) from error


@cache
def security_module(library: Path, token: str, pin: str) -> SecurityModule:
    """The token `token`; the same one however often its key files are read again."""
    return SecurityModule(library, token, pin)


def described(token: str, label: str, public: PublicKey) -> bytes:
    """What a key file of a module holds: a PKCS#11 URI (RFC 7512 §2.3), then the public key."""
    uri = f"pkcs11:token={quote(token, safe='')};object={quote(label, safe='')};type=private\n"
    return uri.encode("ascii") + public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def read_description(content: bytes) -> tuple[str, str, Any]:
    """Token, label and public key of a module's key file. Raises ValueError."""
    uri, _, pem = content.partition(b"\n")
    scheme, _, path = uri.decode("ascii").strip().partition(":")
    pairs = [attribute.partition("=") for attribute in path.split(";")]
    named = {name: unquote(value) for name, _, value in pairs}
    if scheme != "pkcs11" or not {"token", "object"} <= named.keys():
        raise ValueError("not a PKCS#11 URI with token and object")
    return named["token"], named["object"], serialization.load_pem_public_key(pem)


def _pkcs11() -> Any:
    try:
        return import_module("PyKCS11")
    except ImportError as error:
        raise ModuleFailed("PyKCS11 is not installed: pip install 'miftah[pkcs11]'") from error


def _open(p: Any, library: Path, token: str, pin: str) -> Any:
    loaded = p.PyKCS11Lib().load(str(library))
    slots = loaded.getSlotList(tokenPresent=True)
    named = [s for s in slots if loaded.getTokenInfo(s).label.strip("\0 ") == token]
    if len(named) != 1:
        raise ModuleFailed(f"{len(named)} tokens are called {token}")
    session = loaded.openSession(named[0], p.CKF_RW_SESSION)
    try:
        session.login(pin)
    except p.PyKCS11Error as error:
        if error.value != p.CKR_USER_ALREADY_LOGGED_IN:
            raise
    return session


def _private_key(p: Any, session: Any, label: str) -> Any:
    found = session.findObjects([(p.CKA_CLASS, p.CKO_PRIVATE_KEY), (p.CKA_LABEL, label)])
    if len(found) != 1:
        raise ModuleFailed(f"{len(found)} private keys are called {label}")
    return found[0]


def _make(p: Any, session: Any, alg: str, label: str) -> PublicKey:
    if alg not in _MECHANISMS:
        raise ModuleFailed(f"no {alg} keys in security modules")
    named = [(p.CKA_TOKEN, p.CK_TRUE), (p.CKA_LABEL, label), (p.CKA_ID, label.encode())]
    locked = [
        (p.CKA_PRIVATE, p.CK_TRUE),
        (p.CKA_SENSITIVE, p.CK_TRUE),
        (p.CKA_EXTRACTABLE, p.CK_FALSE),
        (p.CKA_SIGN, p.CK_TRUE),
    ]
    shape, mechanism = (
        ([(p.CKA_EC_PARAMS, _P256)], p.CKM_EC_KEY_PAIR_GEN)
        if alg == "ES256"
        else (
            [(p.CKA_MODULUS_BITS, RSA_BITS), (p.CKA_PUBLIC_EXPONENT, (1, 0, 1))],
            p.CKM_RSA_PKCS_KEY_PAIR_GEN,
        )
    )
    public, _ = session.generateKeyPair(
        [*named, *shape, (p.CKA_VERIFY, p.CK_TRUE)], [*named, *locked], p.Mechanism(mechanism)
    )
    return _ec_point(p, session, public) if alg == "ES256" else _modulus(p, session, public)


def _ec_point(p: Any, session: Any, handle: Any) -> ec.EllipticCurvePublicKey:
    (point,) = session.getAttributeValue(handle, [p.CKA_EC_POINT])
    # A DER octet string around the point; its two bytes of header say nothing more.
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes(point)[-65:])


def _modulus(p: Any, session: Any, handle: Any) -> rsa.RSAPublicKey:
    n, e = session.getAttributeValue(handle, [p.CKA_MODULUS, p.CKA_PUBLIC_EXPONENT])
    return rsa.RSAPublicNumbers(
        int.from_bytes(bytes(e), "big"), int.from_bytes(bytes(n), "big")
    ).public_key()
