"""The folder of key files: read it, fill it, add the key that takes over, put one away."""

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519

from broker import entropy
from broker.keyring import module
from broker.keyring.algorithm import ALGORITHMS, REQUIRED, PrivateKey, generate
from broker.keyring.key import Keyring, KeysMissing, SigningKey, superseded_at
from broker.keyring.sealing import (
    SealBroken,
    Unlock,
    private_pem,
    read_private_pem,
    sealed,
    unsealed,
)

SECRETS = ("wrapping", "pairwise", "browser")
_NAME = re.compile(rf"({'|'.join(ALGORITHMS)})\.(\d{{8}}T\d{{6}}Z)\.(pem|pkcs11)")
_STAMP = "%Y%m%dT%H%M%SZ"
_MAKES = "run `python -m broker.setup keys`"
_CLEAR = Unlock()


def load(folder: Path, unlock: Unlock = _CLEAR) -> Keyring:
    """The keyring in `folder`, retired keys too. Raises KeysMissing, naming the file."""
    signing = tuple(_signing_keys(folder, unlock))
    for alg in REQUIRED:
        if not any(k.alg == alg for k in signing):
            raise KeysMissing(f"no {alg} key in {folder}: {_MAKES}")
    checkpoint = _private(folder / "checkpoint.pem", unlock)
    if not isinstance(checkpoint, ed25519.Ed25519PrivateKey):
        raise KeysMissing(f"{folder / 'checkpoint.pem'} is not an Ed25519 key")
    wrapping, pairwise, browser = (_secret(folder / f"{name}.key", unlock) for name in SECRETS)
    return Keyring(signing, checkpoint, wrapping, pairwise, browser)


def init(folder: Path, now: datetime, unlock: Unlock = _CLEAR) -> list[Path]:
    """The files made so that `load` works; existing ones are kept. Readable by the owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    present = {match[1] for match in _names(folder)}
    made = [rotate(folder, alg, now, unlock) for alg in ALGORITHMS if alg not in present]
    if not (folder / "checkpoint.pem").exists():
        pem = private_pem(ed25519.Ed25519PrivateKey.generate(), unlock.passphrase)
        made.append(write_new(folder / "checkpoint.pem", pem))
    for path in (folder / f"{name}.key" for name in SECRETS):
        if not path.exists():
            content = sealed(entropy.system(32), path.name, unlock.passphrase)
            made.append(write_new(path, content))
    return made


def rotate(folder: Path, alg: str, since: datetime, unlock: Unlock = _CLEAR) -> Path:
    """A new signing key that takes over at `since`; published within seconds."""
    pem = private_pem(generate(alg), unlock.passphrase)
    return write_new(folder / f"{_stem(alg, since)}.pem", pem)


def make_in_module(folder: Path, alg: str, since: datetime, unlock: Unlock, token: str) -> Path:
    """As `rotate`, but the private key is made in a security module's token and stays there.

    Raises ModuleFailed, KeysMissing where no module is configured.
    """
    label = _stem(alg, since)
    public = _module(unlock, token).make(alg, label)
    return write_new(folder / f"{label}.pkcs11", module.described(token, label, public))


def retire(folder: Path, name: str, now: datetime, unlock: Unlock = _CLEAR) -> Path:
    """The key file `name` under a name that nobody reads: its key is out at once.

    Raises KeysMissing where there is no such file, or where no other key signs in its place.
    """
    match = _NAME.fullmatch(name)
    if match is None or not (folder / name).exists():
        raise KeysMissing(f"{name} is no signing key of {folder}")
    every = tuple(_signing_keys(folder, unlock))
    mine = next(k for k in every if (k.alg, k.since) == (match[1], _since(match[2])))
    superseded = superseded_at(mine, every)
    if mine.since <= now and (superseded is None or superseded > now):
        raise KeysMissing(f"{name} signs: rotate first, or tokens cannot be made")
    return (folder / name).rename(folder / f"{name}.retired")


def _stem(alg: str, since: datetime) -> str:
    return f"{alg}.{since.astimezone(UTC).strftime(_STAMP)}"


def _since(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def _names(folder: Path) -> list[re.Match[str]]:
    names = (_NAME.fullmatch(path.name) for path in sorted(folder.glob("*.*.*")))
    return [match for match in names if match]


def _signing_keys(folder: Path, unlock: Unlock) -> Iterable[SigningKey]:
    for match in _names(folder):
        path = folder / match[0]
        read = _from_module if match[3] == "pkcs11" else _private
        key = read(path, unlock)
        public = key.public_key()
        if not ALGORITHMS[match[1]].fits(public):
            raise KeysMissing(f"{path} does not hold the key that its name promises")
        yield SigningKey(match[1], _since(match[2]), key)


def _private(path: Path, unlock: Unlock) -> PrivateKey:
    try:
        key = read_private_pem(_read(path), unlock.passphrase)
    except SealBroken as error:
        raise KeysMissing(f"{path}: {error}") from error
    if not isinstance(key, PrivateKey):
        raise KeysMissing(f"{path} does not hold the key that its name promises")
    return key


def _from_module(path: Path, unlock: Unlock) -> module.ModuleKey:
    try:
        token, label, public = module.read_description(_read(path))
    except ValueError as error:
        raise KeysMissing(f"{path}: {error}") from error
    return module.ModuleKey(path.name.split(".")[0], label, public, _module(unlock, token))


def _module(unlock: Unlock, token: str) -> module.SecurityModule:
    if unlock.library is None:
        raise KeysMissing("keys in a security module, and BROKER_KEYS__PKCS11_MODULE is not set")
    return module.security_module(unlock.library, token, unlock.pin)


def _secret(path: Path, unlock: Unlock) -> bytes:
    try:
        secret = unsealed(_read(path), path.name, unlock.passphrase)
    except SealBroken as error:
        raise KeysMissing(f"{path}: {error}") from error
    if len(secret) != 32:  # noqa: PLR2004  AES-256 and HMAC-SHA-256
        raise KeysMissing(f"{path} must hold exactly 32 bytes")
    return secret


def _read(path: Path) -> bytes:
    if not path.exists():
        raise KeysMissing(f"{path} is missing: {_MAKES}")
    return path.read_bytes()


def write_new(path: Path, content: bytes) -> Path:
    """The file, made for its owner's eyes. Raises FileExistsError: nothing is overwritten."""
    # O_EXCL: two starts at once must not each believe in a key of their own.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return path
