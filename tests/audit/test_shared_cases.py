"""Cases that other implementations of the same formats made."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from broker.audit import merkle, note

FILE = Path(__file__).parents[3] / "shared" / "audit" / "audit_log_cases.json"
CASES: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CASES, reason="the developers' folder is not beside the repository"),
]

Refused = (merkle.ProofRejected, note.NoteRejected)


def ids(cases: list[dict[str, Any]]) -> list[str]:
    return [case["id"] for case in cases]


def proved(case: dict[str, Any]) -> None:
    """Raises where the tlog-proof does not hold."""
    top, _, signed = case["proof"].partition("\n\n")
    version, index, *path = top.split("\n")
    assert version == "c2sp.org/tlog-proof@v1"
    head = note.open_checkpoint(signed, note.parse_verifier_key(case["vkey"]))
    leaf = merkle.leaf_hash(base64.b64decode(case["entry_b64"]))
    place = int(index.removeprefix("index "))
    merkle.verify_inclusion(leaf, place, head.size, [note.decode(h) for h in path], head.root)


def consistent(case: dict[str, Any]) -> None:
    """Raises where the proof does not lead from the one head to the other."""
    key = note.parse_verifier_key(case["vkey"])
    old, new = (note.open_checkpoint(case[name], key) for name in ("old", "new"))
    path = [note.decode(h) for h in case["proof"]]
    merkle.verify_consistency(old.size, new.size, path, old.root, new.root)


def whole(case: dict[str, Any]) -> None:
    """Raises where the published files are not one log."""
    files = {name: base64.b64decode(content) for name, content in case["files"].items()}
    head = note.open_checkpoint(files["checkpoint"].decode(), note.parse_verifier_key(case["vkey"]))
    bundles = b"".join(files[n] for n in sorted(files) if n.startswith("tile/entries/"))
    tree, leaves = merkle.Frontier(), []
    while bundles:
        (length,) = struct.unpack(">H", bundles[:2])
        leaves.append(merkle.leaf_hash(bundles[2 : 2 + length]))
        tree.append(leaves[-1])
        bundles = bundles[2 + length :]
    tiles = b"".join(files[n] for n in sorted(files) if n.startswith("tile/0/"))
    if (tree.size, tree.root(), tiles) != (head.size, head.root, b"".join(leaves)):
        raise merkle.ProofRejected("not the signed log")


@pytest.mark.parametrize("case", CASES.get("proofs", []), ids=ids(CASES.get("proofs", [])))
def test_proofs(case: dict[str, Any]) -> None:
    if case["expected"] == "accept":
        proved(case)
        return
    with pytest.raises(Refused):
        proved(case)


@pytest.mark.parametrize(
    "case", CASES.get("consistency", []), ids=ids(CASES.get("consistency", []))
)
def test_consistency(case: dict[str, Any]) -> None:
    if case["expected"] == "accept":
        consistent(case)
        return
    with pytest.raises(Refused):
        consistent(case)


@pytest.mark.parametrize("case", CASES.get("logs", []), ids=ids(CASES.get("logs", [])))
def test_whole_logs(case: dict[str, Any]) -> None:
    if case["expected"] == "accept":
        whole(case)
        return
    with pytest.raises(Refused):
        whole(case)
