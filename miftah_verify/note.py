"""Signed notes, checkpoints and cosignatures: C2SP signed-note, tlog-checkpoint, -cosignature."""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from miftah_verify.refused import Refused

ED25519, COSIGNATURE = 0x01, 0x04
_LIMIT = 1024 * 1024
_MOST_SIGNATURES = 128
_NAME = re.compile(r"[^\s+]+")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1
_BAD = re.compile(r"[\x00-\x09\x0b-\x1f]")
_RAW_KEY = 32
_SIGNATURE = 64


@dataclass(frozen=True)
class Key:
    """Whose signature is believed: a name, how it signs (0x01 or 0x04), 32 bytes of Ed25519."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that say which key made a signature; no proof of anything."""
        told = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(told).digest()[:4]

    def __str__(self) -> str:
        """`name+id+key`."""
        return f"{self.name}+{self.id.hex()}+{encode(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True)
class Signature:
    """One line under a note: a name, a key id, and what that key is said to have made."""

    name: str
    id: bytes
    raw: bytes


@dataclass(frozen=True)
class Note:
    """A text ending in a newline, and the lines under it; nothing of it is proved yet."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class Checkpoint:
    """A signed head: which log, how many entries, which root, and who else has seen it.

    `seen` maps each witness whose cosignature holds to its time, in seconds since 1970.
    """

    origin: str
    size: int
    root: bytes
    seen: dict[Key, int]


def parse_key(line: str) -> Key:
    """The key that `name+id+base64` says, a log's or a witness's. Raises Refused."""
    name, _, rest = line.strip().partition("+")
    claimed, _, encoded = rest.partition("+")
    raw = decode(encoded)
    if not _NAME.fullmatch(name) or len(raw) != 1 + _RAW_KEY:
        raise Refused("not a verifier key: name+id+key")
    if raw[0] not in {ED25519, COSIGNATURE}:
        raise Refused("a key of another kind than Ed25519")
    key = Key(name, raw[0], raw[1:])
    if key.id.hex() != claimed:
        raise Refused("the key's id does not belong to it")
    return key


def parse_note(unverified: str | bytes) -> Note:
    """The parts of a note. Raises Refused."""
    content = _text(unverified)
    body, blank, tail = content.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise Refused("a note without signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise Refused("a note with too many signatures")
    return Note(body + "\n", tuple(_signature(line) for line in lines))


def holds(note: Note, key: Key) -> int | None:
    """When this key signed, None where it did not; 0 for a key that states no time.

    Raises Refused where a signature under its name and id is false: a note that carries one
    is not to be believed at all.
    """
    found = None
    for each in note.signatures:
        if (each.name, each.id) == (key.name, key.id):
            found = _verified(note.text, each.raw, key)
    return found


def open_checkpoint(
    unverified: str | bytes,
    log: Key,
    witnesses: Collection[Key] = (),
    origin: str | None = None,
) -> Checkpoint:
    """The checkpoint that the log signed, with those witnesses that saw it. Raises Refused.

    `origin` is for logs whose first line is not their key's name.
    """
    note = parse_note(unverified)
    if holds(note, log) is None:
        raise Refused("the log's key did not sign this")
    seen = {key: at for key in witnesses if (at := holds(note, key)) is not None}
    first, size, root = parse_head(note.text)
    if first != (origin or log.name):
        raise Refused("the checkpoint of another log")
    return Checkpoint(first, size, root, seen)


def parse_head(text: str) -> tuple[str, int, bytes]:
    """Origin, size and root out of a checkpoint's text, unproved. Raises Refused."""
    lines = text.split("\n")
    if len(lines) < 4 or not all(lines[:-1]) or lines[-1]:  # noqa: PLR2004  three lines and the end
        raise Refused("not a checkpoint: origin, size, root")
    root = decode(lines[2])
    size = decimal(lines[1])
    if len(root) != _RAW_KEY:
        raise Refused("the root is no hash")
    return lines[0], size, root


def cosigned_message(text: str, at: int) -> bytes:
    """What a witness signs."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def signature_line(key: Key, raw: bytes) -> str:
    """The line under a note, with its newline."""
    return f"— {key.name} {encode(key.id + raw)}\n"


def decimal(text: str) -> int:
    """A whole number in its one spelling, below 2**63. Raises Refused."""
    if not _DECIMAL.fullmatch(text) or int(text) > _LARGEST:
        raise Refused("not a whole number")
    return int(text)


def encode(raw: bytes) -> str:
    """Base64 with padding."""
    return base64.b64encode(raw).decode()


def decode(text: str) -> bytes:
    """Base64 in its one spelling. Raises Refused."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("not base64") from None
    if encode(raw) != text:
        raise Refused("not the one spelling of its base64")
    return raw


def _text(unverified: str | bytes) -> str:
    if len(unverified) > _LIMIT:
        raise Refused("a note too long")
    try:
        whole = unverified.encode() if isinstance(unverified, str) else unverified
        content = whole.decode()
    except UnicodeError:
        raise Refused("not UTF-8") from None
    if _BAD.search(content):
        raise Refused("a note with control characters")
    return content


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    raw = decode(encoded)
    if dash != "—" or not _NAME.fullmatch(name) or len(raw) <= 4:  # noqa: PLR2004  the key id
        raise Refused("not a signature line")
    return Signature(name, raw[:4], raw[4:])


def _verified(text: str, raw: bytes, key: Key) -> int:
    at, message = 0, text.encode()
    if key.kind == COSIGNATURE:
        at, raw = int.from_bytes(raw[:8], "big"), raw[8:]
        message = cosigned_message(text, at)
    if len(raw) != _SIGNATURE or at > _LARGEST:
        raise Refused(f"the signature of {key.name} has not its form")
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(raw, message)
    except (InvalidSignature, ValueError):
        raise Refused(f"the signature of {key.name} is false") from None
    return at
