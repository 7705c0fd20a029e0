"""Logs made for the tests: by the broker's own reading of the formats, judged by the verifier's."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.audit import merkle, note
from miftah_verify.note import COSIGNATURE, Key, cosigned_message, parse_key, signature_line

LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
NAME = "log.test/2026"
KEY = parse_key(str(note.verifier_key(NAME, LOG_KEY)))
AT = 1_790_000_000

Files = dict[str, bytes]


def entries(count: int) -> list[bytes]:
    return [f'{{"n":{n}}}'.encode() for n in range(count)]


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(entry) for entry in entries(count)]


def checkpoint(hashes: Sequence[bytes], key: Ed25519PrivateKey = LOG_KEY, name: str = NAME) -> str:
    root = merkle.root(merkle.nodes_over(hashes), len(hashes))
    return note.sign(note.Checkpoint(name, len(hashes), root).text(), name, key)


def proof_file(index: int, count: int, signed: str | None = None) -> str:
    hashes = leaves(count)
    path = merkle.inclusion_proof(merkle.nodes_over(hashes), index, count)
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *map(note.encode, path)]
    return "\n".join(lines) + "\n\n" + (signed or checkpoint(hashes))


def step(old: int, new: int) -> list[str]:
    nodes = merkle.nodes_over(leaves(new))
    return [note.encode(each) for each in merkle.consistency_proof(nodes, old, new)]


def witness_key(number: int) -> tuple[Ed25519PrivateKey, Key]:
    private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
    public = private.public_key().public_bytes_raw()
    return private, Key(f"w{number}.test", COSIGNATURE, public)


def cosigned(signed: str, number: int, at: int = AT) -> str:
    private, key = witness_key(number)
    text = signed.rpartition("\n\n")[0] + "\n"
    raw = private.sign(cosigned_message(text, at))
    return signed + signature_line(key, at.to_bytes(8, "big") + raw)


def published(held: Sequence[bytes], signed: str | None = None) -> Files:
    """The files of a log of these entries, laid out by hand."""
    row = [merkle.leaf_hash(entry) for entry in held]
    files = {"checkpoint": (signed or checkpoint(row)).encode()}
    bundles = [len(entry).to_bytes(2, "big") + entry for entry in held]
    files |= _level("entries", bundles)
    level = 0
    while row:
        files |= _level(str(level), row)
        level += 1
        row = [merkle.complete(row[n : n + 256]) for n in range(0, len(row) - 255, 256)]
    return files


def _level(name: str, parts: Sequence[bytes]) -> Files:
    files = {}
    for at in range(0, len(parts), 256):
        piece = parts[at : at + 256]
        part = "" if len(piece) == 256 else f".p/{len(piece)}"
        files[f"tile/{name}/{at // 256:03d}{part}"] = b"".join(piece)
    return files
