"""Key files under a passphrase, and without one (PKCS #8, RFC 5958; scrypt, RFC 7914)."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from broker import entropy
from broker.keyring.algorithm import PrivateKey
from broker.settings import KeysSettings

SHORTEST = 20
"""Bytes of a passphrase: whoever copied the folder may try as many as they like."""

_MARK = b"miftah sealed key 1\n"
_SALT, _NONCE = 16, 12


class SealBroken(Exception):
    """The passphrase is wrong, missing or too short, or the file was changed."""


@dataclass(frozen=True, slots=True)
class Unlock:
    """What opens the key files: a passphrase, and a security module with its PIN."""

    passphrase: bytes | None = field(default=None, repr=False)
    library: Path | None = None
    pin: str = field(default="", repr=False)


def unlock(settings: KeysSettings) -> Unlock:
    """What the operator's files say. Raises SealBroken on a short passphrase, OSError on none."""
    named, passphrase = settings.passphrase_file, None
    if named is not None:
        passphrase = named.read_bytes().strip()
        if len(passphrase) < SHORTEST:
            raise SealBroken(f"{named}: fewer than {SHORTEST} bytes")
    pin = settings.pkcs11_pin_file.read_text("utf-8").strip() if settings.pkcs11_pin_file else ""
    return Unlock(passphrase, settings.pkcs11_module, pin)


def private_pem(key: PrivateKey, passphrase: bytes | None) -> bytes:
    """The key as PKCS #8 PEM, encrypted where there is a passphrase."""
    locked = (
        serialization.NoEncryption()
        if passphrase is None
        else serialization.BestAvailableEncryption(passphrase)
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


def read_private_pem(pem: bytes, passphrase: bytes | None) -> object:
    """The private key in `pem`, encrypted or in clear. Raises SealBroken."""
    try:
        # cryptography refuses a passphrase for a file in clear.
        return serialization.load_pem_private_key(pem, passphrase if _encrypted(pem) else None)
    except (ValueError, TypeError) as error:
        raise SealBroken("not a private key that this passphrase opens") from error


def sealed(secret: bytes, name: str, passphrase: bytes | None) -> bytes:
    """What the file `name` holds of a secret: itself, or AES-256-GCM under the passphrase."""
    if passphrase is None:
        return secret
    salt, nonce = entropy.system(_SALT), entropy.system(_NONCE)
    box = AESGCM(_key(passphrase, salt))
    return _MARK + salt + nonce + box.encrypt(nonce, secret, name.encode())


def unsealed(content: bytes, name: str, passphrase: bytes | None) -> bytes:
    """The secret in the content of file `name`. Raises SealBroken."""
    if not content.startswith(_MARK):
        return content
    if passphrase is None:
        raise SealBroken("sealed, and there is no passphrase")
    rest = content.removeprefix(_MARK)
    salt, nonce, text = rest[:_SALT], rest[_SALT : _SALT + _NONCE], rest[_SALT + _NONCE :]
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, text, name.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the passphrase does not open it, or it was changed") from error


def _encrypted(pem: bytes) -> bool:
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << 15, r=8, p=1).derive(passphrase)
