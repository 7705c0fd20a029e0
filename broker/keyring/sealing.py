"""Key files under a passphrase, and without one (PKCS #8, RFC 5958; scrypt, RFC 7914)."""

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
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
    opens_with = passphrase if _encrypted(pem) else None
    try:
        # cryptography refuses a passphrase for a file in clear. Its look at an RSA key tests the
        # two factors for being prime, 40 ms a key, each time that keys are read; `_whole` does not.
        key = serialization.load_pem_private_key(
            pem, opens_with, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError) as error:
        raise SealBroken("not a private key that this passphrase opens") from error
    if isinstance(key, rsa.RSAPrivateKey) and not _whole(key.private_numbers()):
        raise SealBroken("an RSA key whose numbers do not belong together")
    return key


def _whole(key: rsa.RSAPrivateNumbers) -> bool:
    """Whether every number of the key follows from the others (RFC 8017 §3.2), as no damage leaves.

    That the factors are prime was seen to where the key was made.
    """
    n, e = key.public_numbers.n, key.public_numbers.e
    less = (key.p - 1, key.q - 1)
    return (
        min(less) > 1
        and key.p * key.q == n
        and all(e * key.d % each == 1 for each in less)
        and (key.dmp1, key.dmq1) == (key.d % less[0], key.d % less[1])
        and key.iqmp < key.p
        and key.q * key.iqmp % key.p == 1
    )


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
