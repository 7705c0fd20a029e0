import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from flask import Flask

import broker.audit
from broker.audit import verify
from broker.audit.checkpoint import log_key
from broker.audit.note import decode, encode, verifier_key
from tests.audit.conftest import Getter, body, fill

Case = dict[str, Any]


@pytest.fixture
def case(app: Flask, get: Getter) -> Case:
    fill(app, 300)
    with app.app_context():
        line = str(log_key())
    return {"proof": body(get("/entries/1/proof")), "entry": body(get("/entries/1")), "key": line}


def run(folder: Path, case: Case) -> int:
    files = []
    for name in ("entry", "proof"):
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps(case[name]))
    return verify.main([*map(str, files), case["key"]])


def test_an_honest_entry_holds(
    tmp_path: Path, case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, case) == 0
    assert "Entry 1 stands in broker.test under 300 entries." in capsys.readouterr().out


def _leaf(case: Case) -> bytes:
    return decode(str(case["entry"]["leaf"]))


def _changed_byte(case: Case) -> None:
    changed = _leaf(case).replace(b'"P0"', b'"P3"')
    case["entry"]["leaf"] = encode(changed)
    case["entry"]["entry"] = json.loads(changed)


def _only_shown(case: Case) -> None:
    case["entry"]["entry"]["facts"]["acr"] = "P3"


def _another_index(case: Case) -> None:
    case["entry"]["index"] = case["proof"]["index"] = 18


def _index_of_the_proof(case: Case) -> None:
    case["proof"]["index"] = 18


def _another_size(case: Case) -> None:
    case["proof"]["size"] = 299


def _another_size_signed_for(case: Case) -> None:
    case["proof"]["size"] = 299
    case["proof"]["checkpoint"] = case["proof"]["checkpoint"].replace("\n300\n", "\n299\n")


def _another_key(case: Case) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    case["key"] = str(verifier_key("broker.test", key))


def _another_name(case: Case) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    case["key"] = str(verifier_key("other.test", key))


def _no_path(case: Case) -> None:
    case["proof"]["path"] = []


def _short_path(case: Case) -> None:
    case["proof"]["path"].pop()


def _path_of_numbers(case: Case) -> None:
    case["proof"]["path"] = [1]


def _truth_as_index(case: Case) -> None:
    case["entry"]["index"] = case["proof"]["index"] = True


def _no_object(case: Case) -> None:
    case["proof"] = [case["proof"]]


def _no_leaf(case: Case) -> None:
    del case["entry"]["leaf"]


def _unsigned(case: Case) -> None:
    case["proof"]["checkpoint"] = case["proof"]["checkpoint"].split("—")[0]


@pytest.mark.parametrize(
    "change",
    [
        _changed_byte,
        _only_shown,
        _another_index,
        _index_of_the_proof,
        _another_size,
        _another_size_signed_for,
        _another_key,
        _another_name,
        _no_path,
        _short_path,
        _path_of_numbers,
        _truth_as_index,
        _no_object,
        _no_leaf,
        _unsigned,
    ],
)
def test_whatever_does_not_hold_is_refused(
    tmp_path: Path, case: Case, change: Callable[[Case], None]
) -> None:
    change(case)
    assert run(tmp_path, case) == 1


def test_every_byte_of_the_entry_counts(tmp_path: Path, case: Case) -> None:
    leaf = _leaf(case)
    for at in range(0, len(leaf), 7):
        case["entry"]["leaf"] = encode(leaf[:at] + bytes([leaf[at] ^ 1]) + leaf[at + 1 :])
        assert run(tmp_path, case) == 1


@pytest.mark.parametrize("arguments", [[], ["a"], ["a", "b", "c"], ["a", "b", "c", "d"]])
def test_without_files_and_a_key_nothing_can_be_checked(arguments: list[str]) -> None:
    assert verify.main(arguments) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_json_cannot_be_checked(
    tmp_path: Path, case: Case, content: bytes
) -> None:
    run(tmp_path, case)
    (tmp_path / "proof.json").write_bytes(content)
    files = [str(tmp_path / f"{name}.json") for name in ("entry", "proof")]
    assert verify.main([*files, case["key"]]) == 2


def test_a_file_of_more_than_a_megabyte_is_not_read(tmp_path: Path, case: Case) -> None:
    assert run(tmp_path, case) == 0
    with (tmp_path / "proof.json").open("a") as file:
        file.write(" " * 2**20)
    files = [str(tmp_path / f"{name}.json") for name in ("entry", "proof")]
    assert verify.main([*files, case["key"]]) == 2


def test_the_verifier_needs_three_files_and_cryptography_only(tmp_path: Path, case: Case) -> None:
    run(tmp_path, case)
    home, alone = Path(broker.audit.__file__).parent, tmp_path / "alone" / "broker" / "audit"
    alone.mkdir(parents=True)
    for name in ("merkle.py", "note.py", "verify.py"):
        (alone / name).write_text((home / name).read_text())
    command = [sys.executable, "-m", "broker.audit.verify", "../entry.json", "../proof.json"]
    blocked = "import sys; sys.modules.update(flask=None, sqlalchemy=None, werkzeug=None)\n"
    (tmp_path / "alone" / "sitecustomize.py").write_text(blocked)
    done = subprocess.run(
        [*command, case["key"]],
        cwd=tmp_path / "alone",
        env={"PYTHONPATH": str(tmp_path / "alone")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
