"""Export bundles as the auditors' desk makes them, judged by the verifier."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.audit import merkle, note
from broker.desk.bundle import Proved, pack, statement
from miftah_verify.__main__ import main
from tests.miftah_verify.made import KEY, LOG_KEY, NAME, OTHER_KEY, checkpoint, entries, leaves

SIZE, CHOSEN = 300, (3, 17, 255, 256, 299)
Files = dict[str, bytes]


def bundle(form: str = "jsonl", chosen: tuple[int, ...] = CHOSEN) -> Files:
    nodes = merkle.nodes_over(leaves(SIZE))
    rows = []
    for index in chosen:
        path = [note.encode(h) for h in merkle.inclusion_proof(nodes, index, SIZE)]
        leaf = entries(SIZE)[index]
        facts = {"client": "=cmd()", "acr": "P0"}
        shown = {"event": "token.issued", "facts": facts, "time": "2026-11-23T12:00:00.000Z"}
        hashed = note.encode(merkle.leaf_hash(leaf))
        entry = {"index": index, "leaf": note.encode(leaf), "leaf_hash": hashed, "entry": shown}
        rows.append(Proved(entry, path))
    said = {
        "origin": NAME,
        "created": "2026-11-23T12:00:00.000Z",
        "caller": "auditor",
        "query": {"client": "a"},
        "tool": "test",
        "checkpoint": checkpoint(leaves(SIZE)),
    }
    with zipfile.ZipFile(io.BytesIO(pack(rows, form, said, LOG_KEY))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def judge(folder: Path, files: Files, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    status = main(["bundle", str(path), "--key", str(KEY)])
    return status, capsys.readouterr().out


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_honest_bundle_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert judge(tmp_path, bundle(form), capsys) == (0, f"HOLDS: 5 entries of {NAME} of 300\n")


def test_an_empty_bundle_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(tmp_path, bundle(chosen=()), capsys)[0] == 0


def test_a_folder_is_a_bundle_too(tmp_path: Path) -> None:
    for name, content in bundle().items():
        (tmp_path / name).write_bytes(content)
    assert main(["bundle", str(tmp_path), "--key", str(KEY)]) == 0
    (tmp_path / "more").write_bytes(b"")
    assert main(["bundle", str(tmp_path), "--key", str(KEY)]) == 1


def _signed_anew(files: Files, key: object = LOG_KEY, **changed: object) -> None:
    """As whoever has the log's key would do it."""
    import hashlib

    manifest = json.loads(files["manifest.json"]) | changed
    for file in manifest["files"]:
        content = files[file["name"]]
        file |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    files["manifest.json"] = json.dumps(manifest).encode()
    files["manifest.note"] = statement(NAME, files["manifest.json"], key).encode()  # type: ignore[arg-type]


def _edit(files: Files, name: str, old: bytes, new: bytes) -> None:
    assert old in files[name]
    files[name] = files[name].replace(old, new, 1)


def _leaf(files: Files) -> None:
    old = note.encode(entries(SIZE)[255]).encode()
    _edit(files, "entries.jsonl", old, note.encode(b"forged").encode())


def _swap(files: Files) -> None:
    lines = files["entries.jsonl"].splitlines(keepends=True)
    files["entries.jsonl"] = b"".join([lines[1], lines[0], *lines[2:]])


def _drop(files: Files) -> None:
    lines = files["entries.jsonl"].splitlines(keepends=True)
    files["entries.jsonl"] = b"".join(lines[:-1])


# what was done, after which everything was signed anew → what is said
BY_THE_OPERATOR: dict[str, tuple[Callable[[Files], object], str]] = {
    "an entry changed": (_leaf, "first bad index: 255\n"),
    "an index changed": (
        lambda f: _edit(f, "entries.jsonl", b'"index":17', b'"index":18'),
        "first bad index: 18\n",
    ),
    "two entries swapped": (_swap, "first bad index: 3\n"),
    "the last entry left out": (_drop, "other entries"),
    "no JSON": (lambda f: _edit(f, "entries.jsonl", b"{", b"["), "no JSON"),
    "a name twice": (lambda f: _edit(f, "entries.jsonl", b"{", b'{"index":1,'), "no JSON"),
    "no last newline": (lambda f: f.update({"entries.jsonl": f["entries.jsonl"][:-1]}), "newline"),
    "a truth as index": (
        lambda f: _edit(f, "entries.jsonl", b'"index":3', b'"index":true'),
        "index is missing",
    ),
}


@pytest.mark.parametrize(("change", "said"), BY_THE_OPERATOR.values(), ids=BY_THE_OPERATOR)
def test_what_the_operator_changed_and_signed_is_found(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Files], object],
    said: str,
) -> None:
    files = bundle()
    change(files)
    _signed_anew(files)
    status, told = judge(tmp_path, files, capsys)
    assert (status, said in told) == (1, True), told


OTHERS: dict[str, Callable[[Files], object]] = {
    "an entry changed": _leaf,
    "a friendlier form changed": lambda f: _edit(f, "assertions.jsonl", b"P0", b"P3"),
    "the manifest changed": lambda f: _edit(f, "manifest.json", b"auditor", b"another"),
    "the note changed": lambda f: _edit(f, "manifest.note", b"export", b"import"),
    "another key": lambda f: _signed_anew(f, OTHER_KEY),
    "a file more": lambda f: f.update({"more.csv": b""}),
    "a file less": lambda f: f.pop("assertions.jsonl"),
    "no entries": lambda f: f.pop("entries.jsonl"),
    "no note": lambda f: f.pop("manifest.note"),
    "no manifest": lambda f: f.pop("manifest.json"),
    "another number of rows": lambda f: _signed_anew(f, rows=4),
    "another first entry": lambda f: _signed_anew(f, first=4),
    "another version": lambda f: _signed_anew(f, v=2),
    "another log": lambda f: _signed_anew(f, origin="other.test"),
    "no checkpoint": lambda f: _signed_anew(f, checkpoint=""),
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=OTHERS)
def test_whatever_does_not_agree_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Files], object]
) -> None:
    files = bundle()
    change(files)
    assert judge(tmp_path, files, capsys)[0] == 1


def test_one_name_twice_in_the_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in bundle().items():
            archive.writestr(name, content)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("entries.jsonl", b"")
    assert main(["bundle", str(path), "--key", str(KEY)]) == 1


def test_a_damaged_archive_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(tmp_path, bundle(), capsys)
    path = tmp_path / "export.zip"
    raw = bytearray(path.read_bytes())
    raw[60] ^= 0xFF
    path.write_bytes(bytes(raw))
    assert main(["bundle", str(path), "--key", str(KEY)]) == 1


def test_the_statement_cannot_be_taken_for_a_checkpoint() -> None:
    from miftah_verify.note import open_checkpoint
    from miftah_verify.refused import Refused

    signed = statement(NAME, b"{}", LOG_KEY)
    with pytest.raises(Refused):
        open_checkpoint(signed, KEY)
    with pytest.raises(note.NoteRejected):
        note.open_checkpoint(signed, note.verifier_key(NAME, LOG_KEY))
