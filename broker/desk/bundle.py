"""The signed bundle that an auditor takes along (docs/record-format.md). Pure."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from broker.audit import note
from broker.audit.entry import canonical

KIND = "export"
TOOL = "miftah 0.1.0"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the ZIP: the manifest has the true one, and its bytes are signed."""


@dataclass(frozen=True, slots=True)
class Proved:
    """One assertion as `store.entry` shows it, and its path to the bundle's checkpoint."""

    entry: Mapping[str, Any]
    path: Sequence[str]


COLUMNS = (
    "index",
    "time",
    "event",
    "outcome",
    "client",
    "acr",
    "identity",
    "authenticator",
    "kind",
    "evidence",
    "because",
    "policy",
    "grant",
    "token",
    "reason",
    "leaf_hash",
)


def flat(proved: Proved) -> dict[str, str | int | None]:
    """The assertion as one row; every value is text but the index."""
    entry, facts = proved.entry["entry"], proved.entry["entry"]["facts"]
    refused = entry["event"].endswith(".refused")
    told = {name: facts.get(name) for name in COLUMNS if name in facts}
    return dict.fromkeys(COLUMNS) | {
        "index": proved.entry["index"],
        "time": entry["time"],
        "event": entry["event"],
        "outcome": "refused" if refused else "issued",
        "leaf_hash": proved.entry["leaf_hash"],
        **told,
    }


def as_csv(rows: Iterable[Proved]) -> bytes:
    """The rows for a spreadsheet; no client's name is a formula there (CWE-1236)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_guarded(value) for value in flat(row).values()])
    return text.getvalue().encode()


def as_json_lines(rows: Iterable[Proved]) -> bytes:
    """The rows, a JSON object a line."""
    return b"".join(_line(flat(row)) for row in rows)


def as_parquet(rows: Iterable[Proved]) -> bytes:
    """The rows in Apache Parquet. Raises ImportError where the extra `parquet` is missing."""
    import pyarrow as pa  # noqa: PLC0415  an extra, 55 MB
    from pyarrow import parquet  # noqa: PLC0415

    types = [(name, pa.int64() if name == "index" else pa.string()) for name in COLUMNS]
    table = pa.Table.from_pylist([flat(row) for row in rows], schema=pa.schema(types))
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


FORMATS: Mapping[str, Callable[[Iterable[Proved]], bytes]] = {
    "csv": as_csv,
    "jsonl": as_json_lines,
    "parquet": as_parquet,
}
"""Format → what writes it."""


def available() -> tuple[str, ...]:
    """The formats that this installation can write."""
    return tuple(f for f in FORMATS if f != "parquet" or find_spec("pyarrow") is not None)


def pack(
    rows: Sequence[Proved], form: str, said: Mapping[str, Any], key: ed25519.Ed25519PrivateKey
) -> bytes:
    """The ZIP of the bundle; `said` are the manifest's members that the rows do not tell."""
    files = {
        f"assertions.{form}": FORMATS[form](rows),
        "entries.jsonl": b"".join(_line(_proof(row)) for row in rows),
    }
    named = [
        {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(files.items())
    ]
    indexes = [row.entry["index"] for row in rows]
    manifest = canonical(
        {
            "v": 1,
            **said,
            "rows": len(rows),
            "first": indexes[0] if indexes else None,
            "last": indexes[-1] if indexes else None,
            "files": named,
        }
    )
    signed = statement(said["origin"], manifest, key)
    return _zipped({"manifest.json": manifest, "manifest.note": signed.encode(), **files})


def statement(origin: str, manifest: bytes, key: ed25519.Ed25519PrivateKey) -> str:
    """The log's word that it made this manifest; it cannot be taken for a checkpoint."""
    text = f"miftah.{KIND}/v1\n{origin}\n{hashlib.sha256(manifest).hexdigest()}\n"
    return note.sign(text, origin, key)


def _proof(row: Proved) -> dict[str, Any]:
    return {"index": row.entry["index"], "leaf": row.entry["leaf"], "path": list(row.path)}


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _guarded(value: str | int | None) -> str | int | None:
    is_formula = isinstance(value, str) and value.startswith(_FORMULA)
    return f"'{value}" if is_formula else value


def _zipped(files: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return sink.getvalue()
