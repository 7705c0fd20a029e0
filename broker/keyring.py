"""keys/ → which key signs, which still verify, and the secrets that never leave this machine.

    keys/ES256.20261123T080000Z.pem   signs from that moment on, until a newer one takes over
    keys/RS256.20261123T080000Z.pem   (older ones stay published until their file is removed)
    keys/checkpoint.pem               Ed25519, signs the record's checkpoints
    keys/wrapping.key                 32 bytes: wraps every account's own key
    keys/pairwise.key                 32 bytes: turns accounts into pairwise subjects
    keys/browser.key                  32 bytes: form tokens and other short-lived seals

Rotation is adding a file: a key dated in the future is published before it signs, which is
what relying services that cache our JWKS need.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from broker import entropy

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

ALGORITHMS = ("ES256", "RS256")
SECRETS = ("wrapping", "pairwise", "browser")
_NAME = re.compile(r"(ES256|RS256)\.(\d{8}T\d{6}Z)\.pem")
_STAMP = "%Y%m%dT%H%M%SZ"


class KeysMissing(Exception):
    """A key file that the broker cannot work without is not there."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the moment from which it signs."""

    alg: str
    since: datetime
    key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key of this broker. Parsed once: reading an RSA key costs 32 ms."""

    signing: tuple[SigningKey, ...] = field(repr=False)
    checkpoint: ed25519.Ed25519PrivateKey = field(repr=False)
    wrapping: bytes = field(repr=False)
    pairwise: bytes = field(repr=False)
    browser: bytes = field(repr=False)

    def active(self, alg: str, now: datetime) -> SigningKey:
        """The key that signs with `alg` now: the newest that has begun. Raises KeysMissing."""
        begun = [k for k in self.signing if k.alg == alg and k.since <= now]
        if not begun:
            raise KeysMissing(f"no {alg} key signs yet")
        return max(begun, key=lambda k: k.since)


def load(folder: Path) -> Keyring:
    """The keyring in `folder`. Raises KeysMissing, naming the file and what makes it."""
    signing = tuple(_signing_keys(folder))
    for alg in ALGORITHMS:
        if not any(k.alg == alg for k in signing):
            raise KeysMissing(f"no {alg} key in {folder}: run `python -m broker.setup keys`")
    checkpoint = serialization.load_pem_private_key(_read(folder / "checkpoint.pem"), None)
    if not isinstance(checkpoint, ed25519.Ed25519PrivateKey):
        raise KeysMissing(f"{folder / 'checkpoint.pem'} is not an Ed25519 key")
    wrapping, pairwise, browser = (_secret(folder / f"{name}.key") for name in SECRETS)
    return Keyring(signing, checkpoint, wrapping, pairwise, browser)


def init(folder: Path, now: datetime) -> list[Path]:
    """The files made so that `load` works; existing ones are kept. Readable by the owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        rotate(folder, alg, now)
        for alg in ALGORITHMS
        if not any(k.alg == alg for k in _signing_keys(folder))
    ]
    if not (folder / "checkpoint.pem").exists():
        made.append(_write(folder / "checkpoint.pem", _pem(ed25519.Ed25519PrivateKey.generate())))
    secrets = (folder / f"{name}.key" for name in SECRETS)
    return made + [_write(path, entropy.system(32)) for path in secrets if not path.exists()]


def rotate(folder: Path, alg: str, since: datetime) -> Path:
    """A new signing key that takes over at `since`; published from the next start on."""
    key = generate(alg)
    stamp = since.astimezone(UTC).strftime(_STAMP)
    return _write(folder / f"{alg}.{stamp}.pem", _pem(key))


def generate(alg: str) -> PrivateKey:
    """A fresh private key for `alg` (ES256: P-256; RS256: 2048 bits, RFC 7518 §3.3)."""
    if alg == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def _signing_keys(folder: Path) -> Iterable[SigningKey]:
    for path in sorted(folder.glob("*.pem")):
        if match := _NAME.fullmatch(path.name):
            since = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            kind = ec.EllipticCurvePrivateKey if match[1] == "ES256" else rsa.RSAPrivateKey
            if not isinstance(key, kind):
                raise KeysMissing(f"{path} does not hold the key that its name promises")
            yield SigningKey(match[1], since, key)


def _secret(path: Path) -> bytes:
    secret = _read(path)
    if len(secret) != 32:  # noqa: PLR2004  AES-256 and HMAC-SHA-256
        raise KeysMissing(f"{path} must hold exactly 32 bytes")
    return secret


def _read(path: Path) -> bytes:
    if not path.exists():
        raise KeysMissing(f"{path} is missing: run `python -m broker.setup keys`")
    return path.read_bytes()


def _pem(key: PrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> Path:
    # O_EXCL: two starts at once must not each believe in a key of their own.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return path
