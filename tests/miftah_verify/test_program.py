"""The program itself, as somebody without the broker runs it."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import miftah_verify
from miftah_verify.__main__ import main
from tests.miftah_verify.made import (
    KEY,
    checkpoint,
    cosigned,
    entries,
    leaves,
    proof_file,
    published,
    step,
    witness_key,
)

Out = pytest.CaptureFixture[str]


def write(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_a_proof_holds_for_its_entry_and_no_other(tmp_path: Path, capsys: Out) -> None:
    proof = write(tmp_path, "p", proof_file(5, 11))
    assert main(["proof", proof, write(tmp_path, "e", entries(11)[5]), "--key", str(KEY)]) == 0
    assert "HOLDS: entry 5 stands in log.test/2026 of 11" in capsys.readouterr().out
    assert main(["proof", proof, write(tmp_path, "f", b"other"), "--key", str(KEY)]) == 1
    assert "first bad index: 5" in capsys.readouterr().out


def test_a_proof_holds_only_when_enough_have_seen_it(tmp_path: Path) -> None:
    seen = cosigned(checkpoint(leaves(11)), 1)
    proof = write(tmp_path, "p", proof_file(5, 11, seen))
    entry = write(tmp_path, "e", entries(11)[5])
    one, two = (str(witness_key(n)[1]) for n in (1, 2))
    asked = ["proof", proof, entry, "--key", str(KEY), "--witness", one]
    assert main(asked) == 0
    assert main([*asked, "--witness", two]) == 1
    assert main([*asked, "--witness", two, "--quorum", "1"]) == 0
    assert main([*asked, "--witness", two, "--quorum", "3"]) == 2
    policy = f"log {KEY}\nwitness a {one}\nwitness b {two}\nquorum b\n"
    assert main(["proof", proof, entry, "--policy", write(tmp_path, "policy", policy)]) == 1


@pytest.mark.parametrize("form", ["lines", "json"])
def test_a_step_holds(tmp_path: Path, form: str) -> None:
    old, new = (write(tmp_path, str(n), checkpoint(leaves(n))) for n in (5, 11))
    steps = step(5, 11)
    text = "\n".join(steps) if form == "lines" else json.dumps({"path": steps})
    path = write(tmp_path, "path", text)
    assert main(["step", old, new, path, "--key", str(KEY)]) == 0
    assert main(["step", new, old, path, "--key", str(KEY)]) == 1


def test_a_whole_log_holds_as_a_folder_and_as_an_archive(tmp_path: Path, capsys: Out) -> None:
    files = published(entries(300))
    for name, content in files.items():
        write(tmp_path / "log", name, content)
    archive = tmp_path / "log.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    for place in (tmp_path / "log", archive):
        assert main(["log", str(place), "--key", str(KEY)]) == 0
    shutil.copytree(tmp_path / "log", tmp_path / "kept")
    write(tmp_path / "log", "tile/entries/001.p/44", b"\x00\x01x")
    assert main(["log", str(tmp_path / "log"), "--key", str(KEY)]) == 1
    assert "first bad index: 256" in capsys.readouterr().out


def test_a_range_is_said_as_one_and_a_copy_narrows_it(tmp_path: Path, capsys: Out) -> None:
    held = entries(300)
    signed = checkpoint(leaves(300))
    for name, content in published(held).items():
        write(tmp_path / "kept", name, content)
    held[17] = b"forged"
    for name, content in published(held, signed).items():
        write(tmp_path / "log", name, content)
    asked = ["log", str(tmp_path / "log"), "--key", str(KEY)]
    assert main(asked) == 1
    assert "first bad index: between 0 and 299" in capsys.readouterr().out
    assert main([*asked, "--earlier", str(tmp_path / "kept")]) == 1
    assert "first bad index: 17\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["proof"],
        ["proof", "/nowhere", "/nowhere", "--key", str(KEY)],
        ["proof", "/nowhere", "/nowhere"],
        ["proof", "/nowhere", "/nowhere", "--key", "no key"],
        ["log", "/nowhere", "--key", str(KEY)],
        ["log", "/nowhere", "--policy", "/nowhere"],
        ["guess"],
    ],
)
def test_without_files_and_a_key_nothing_is_checked(words: list[str]) -> None:
    assert main(words) == 2


def test_a_file_that_is_no_archive_does_not_hold(tmp_path: Path) -> None:
    assert main(["bundle", write(tmp_path, "x.zip", b"x"), "--key", str(KEY)]) == 1


def test_it_runs_alone_with_cryptography_only(tmp_path: Path) -> None:
    source = Path(str(miftah_verify.__file__)).parent
    shutil.copytree(source, tmp_path / "miftah_verify", ignore=shutil.ignore_patterns("__pyc*"))
    proof = write(tmp_path, "p", proof_file(5, 11))
    entry = write(tmp_path, "e", entries(11)[5])
    watch = (
        "import sys\n"
        "from miftah_verify.__main__ import main\n"
        "import miftah_verify.serve, miftah_verify.case\n"
        "status = main(sys.argv[1:])\n"
        "foreign = {n.split('.')[0] for n in sys.modules} - set(sys.stdlib_module_names)\n"
        "known = {'miftah_verify', 'cryptography', '_cffi_backend', 'cffi', '__main__'}\n"
        "known |= {'sitecustomize', 'usercustomize'}  # the system's own, where it has them\n"
        "foreign = {n for n in foreign - known if not n.startswith('_')}\n"
        "assert not foreign, foreign\n"
        "sys.exit(status)\n"
    )
    script = write(tmp_path, "watch.py", watch)
    done = subprocess.run(
        [sys.executable, script, "proof", proof, entry, "--key", str(KEY)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_help_tells_what_there_is(capsys: Out) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("proof", "step", "bundle", "log", "exit status", "--key"))


def test_one_command_has_both_programs() -> None:
    from miftah_verify.miftah import main as miftah

    assert miftah(["verify", "--help"]) == 0
    assert miftah(["witness", "--help"]) == 0
    assert miftah([]) == 2
    assert miftah(["else"]) == 2
