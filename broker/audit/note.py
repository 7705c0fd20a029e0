"""Signed notes, checkpoints, cosignatures (C2SP signed-note, tlog-…), Ed25519 only. Pure."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

_ED25519 = b"\x01"
COSIGNATURE = b"\x04"
"""The type of a witness's key (C2SP tlog-cosignature)."""

_DASH = "— "
_NOTE_LIMIT = 64 * 1024
_ID_SIZE = 4
_TIME_SIZE = 8
_STATEMENT = "miftah."
_KEY_SIZE = 32
_ROOT_SIZE = 32
_NAME = re.compile(r"[^\s+\ud800-\udfff]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
"""What no note may hold: control characters, and surrogates, which are not UTF-8."""


class NoteRejected(Exception):
    """No signature of the known key holds, or the text is not what it should be."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """What an auditor needs to hold of a log: its name and its public key (32 bytes).

    Of a witness likewise; its `kind` is COSIGNATURE.
    """

    name: str
    public: bytes
    kind: bytes = _ED25519

    @property
    def id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || newline || type || public key)."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:_ID_SIZE]

    def __str__(self) -> str:
        """`name+id+key`, the one line that is handed to auditors."""
        return f"{self.name}+{self.id.hex()}+{encode(self.kind + self.public)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of the tree: whose, how many entries, which root."""

    origin: str
    size: int
    root: bytes = field(repr=False)

    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"


def verifier_key(name: str, key: ed25519.Ed25519PrivateKey) -> VerifierKey:
    """What verifies the notes that `key` signs as `name`. Raises ValueError on no fit name."""
    if not fit_origin(name):
        raise ValueError("a key's name holds neither spaces nor a plus sign")
    return VerifierKey(name, key.public_key().public_bytes_raw())


def parse_verifier_key(line: str) -> VerifierKey:
    """The key that `name+id+key` says. Raises NoteRejected."""
    name, _, rest = line.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    public = decode(encoded)
    kind = public[:1]
    if not _NAME.fullmatch(name) or len(public) != 1 + _KEY_SIZE:
        raise NoteRejected("not the verifier key of an Ed25519 log")
    if kind not in {_ED25519, COSIGNATURE}:
        raise NoteRejected("not the verifier key of an Ed25519 log")
    key = VerifierKey(name, public[1:], kind)
    if key.id.hex() != key_id:
        raise NoteRejected("the verifier key's id is not its own")
    return key


def sign(text: str, name: str, key: ed25519.Ed25519PrivateKey) -> str:
    """The note: `text`, which ends in a newline, and its signature."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("a note's text is lines")
    key_id = verifier_key(name, key).id
    return f"{text}\n{_DASH}{name} {encode(key_id + key.sign(text.encode()))}\n"


def open_note(unverified_note: str, key: VerifierKey) -> str:
    """The note's text, which `key` signed. Raises NoteRejected.

    Signatures of other keys are passed over, even under the same name.
    """
    text, signatures = _split(unverified_note)
    ours = [s[_ID_SIZE:] for name, s in signatures if (name, s[:_ID_SIZE]) == (key.name, key.id)]
    if not ours:
        raise NoteRejected("not signed by the known key")
    public = ed25519.Ed25519PublicKey.from_public_bytes(key.public)
    try:
        for signature in ours:
            public.verify(signature, text.encode())
    except InvalidSignature as error:
        raise NoteRejected("the signature does not hold") from error
    return text


@lru_cache(16)  # the mark is read with every batch, and seldom another one
def open_checkpoint(unverified_note: str, key: VerifierKey) -> Checkpoint:
    """The checkpoint that the log `key` signed, under its own name. Raises NoteRejected."""
    lines = open_note(unverified_note, key).split("\n")
    if len(lines) < 4 or not all(lines[:-1]):  # noqa: PLR2004  three lines and what follows them
        raise NoteRejected("not a checkpoint")
    origin, size, root = lines[0], lines[1], decode(lines[2])
    if origin != key.name or not _SIZE.fullmatch(size) or len(root) != _ROOT_SIZE:
        raise NoteRejected("not a checkpoint of this log")
    return Checkpoint(origin, int(size), root)


def cosigned_at(unverified_note: str, witness: VerifierKey) -> int:
    """When the witness cosigned this note, in seconds since 1970. Raises NoteRejected."""
    text, signatures = _split(unverified_note)
    mine = (witness.name, witness.id)
    ours = [s[_ID_SIZE:] for name, s in signatures if (name, s[:_ID_SIZE]) == mine]
    if not ours or len(ours[0]) <= _TIME_SIZE:
        raise NoteRejected("not cosigned by the known witness")
    at = int.from_bytes(ours[0][:_TIME_SIZE], "big")
    public = ed25519.Ed25519PublicKey.from_public_bytes(witness.public)
    try:
        public.verify(ours[0][_TIME_SIZE:], f"cosignature/v1\ntime {at}\n{text}".encode())
    except InvalidSignature as error:
        raise NoteRejected("the cosignature does not hold") from error
    return at


def signature_lines(unverified_note: str) -> list[str]:
    """The lines below a note's text, each with its newline. Raises NoteRejected."""
    _split(unverified_note)
    return unverified_note.rpartition("\n\n")[2].splitlines(keepends=True)


def statement(kind: str, origin: str, said: tuple[str, ...], key: ed25519.Ed25519PrivateKey) -> str:
    """A signed note that is no checkpoint: what the log says beside its heads.

    Its first line tells it from a checkpoint, whose first line is an origin (see `fit_origin`).
    """
    return sign("\n".join((f"{_STATEMENT}{kind}/v1", origin, *said, "")), origin, key)


def fit_origin(origin: str) -> bool:
    """Whether a log may have this name: no spaces, no plus sign, not the start of a statement."""
    fit = _NAME.fullmatch(origin) and not _CONTROL.search(origin)
    return bool(fit) and not origin.startswith(_STATEMENT)


def encode(raw: bytes) -> str:
    """Base64 as in RFC 4648 §4, with padding."""
    return base64.b64encode(raw).decode("ascii")


def decode(text: str) -> bytes:
    """What `encode` was given; other spellings of it are refused. Raises NoteRejected."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteRejected("not base64") from error
    if encode(raw) != text:
        raise NoteRejected("not canonical base64")
    return raw


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text with its newline, and (name, key id and signature) of every line after it."""
    if len(note) > _NOTE_LIMIT or _CONTROL.search(note) or not note.endswith("\n"):
        raise NoteRejected("not a note")
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail:
        raise NoteRejected("a note without signatures")
    return text + "\n", [_signature(line) for line in tail.removesuffix("\n").split("\n")]


def _signature(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    signature = decode(encoded)
    if not (line.startswith(_DASH) and space and _NAME.fullmatch(name)):
        raise NoteRejected("not a signature line")
    if len(signature) <= _ID_SIZE:
        raise NoteRejected("a signature too short")
    return name, signature
