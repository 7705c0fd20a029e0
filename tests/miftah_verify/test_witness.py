import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from miftah_verify.note import open_checkpoint
from miftah_verify.serve import main, open_witness, server
from miftah_verify.witness import Answer, Witness
from tests.miftah_verify.made import (
    AT,
    KEY,
    LOG_KEY,
    NAME,
    OTHER_KEY,
    checkpoint,
    leaves,
    step,
    witness_key,
)

PRIVATE, PUBLIC = witness_key(1)


def request(old: int, path: list[str], signed: str) -> bytes:
    return ("\n".join([f"old {old}", *path]) + "\n\n" + signed).encode()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(PUBLIC.name, PRIVATE, {NAME: [KEY]}, tmp_path / "seen.sqlite3")


@pytest.fixture
def ask(witness: Witness) -> Callable[..., Answer]:
    def ask(old: int, size: int, **other: object) -> Answer:
        path = other.get("path", step(old, size) if old <= size else [])
        signed = other.get("signed", checkpoint(leaves(size)))
        return witness.add_checkpoint(request(old, path, signed), AT)  # type: ignore[arg-type]

    return ask


Ask = Callable[..., Answer]


def test_a_log_that_only_grows_is_cosigned_every_time(ask: Ask) -> None:
    last = 0
    for size in (5, 5, 9, 300):
        answer = ask(last, size)
        assert answer.status == 200
        signed = checkpoint(leaves(size)) + answer.body
        assert open_checkpoint(signed, KEY, [PUBLIC]).seen == {PUBLIC: AT}
        last = size


def test_a_wrong_old_size_is_told_the_right_one(ask: Ask) -> None:
    ask(0, 5)
    assert ask(3, 9) == Answer(409, "5\n", "text/x.tlog.size")
    assert ask(0, 9).status == 409


def test_a_second_root_for_one_size_is_not_cosigned(ask: Ask) -> None:
    ask(0, 5)
    forked = checkpoint([*leaves(4), b"f" * 32])
    assert ask(5, 5, signed=forked, path=[]).status == 409


def test_a_history_that_was_changed_is_not_cosigned(ask: Ask) -> None:
    ask(0, 5)
    forked = checkpoint([b"f" * 32, *leaves(9)[1:]])
    assert ask(5, 9, signed=forked).status == 422
    assert ask(5, 9, path=[]).status == 422
    assert ask(5, 9).status == 200


def test_a_log_that_went_back_is_not_cosigned(ask: Ask) -> None:
    ask(0, 9)
    assert ask(9, 5).status == 400
    assert ask(5, 5).status == 409


def test_a_stranger_is_not_cosigned(ask: Ask) -> None:
    assert ask(0, 5, signed=checkpoint(leaves(5), name="other.test")).status == 404
    assert ask(0, 5, signed=checkpoint(leaves(5), OTHER_KEY)).status == 403


def test_the_first_time_needs_no_proof_and_takes_none(ask: Ask) -> None:
    assert ask(0, 5, path=step(2, 5)).status == 422


def test_what_it_saw_outlives_it(tmp_path: Path, ask: Ask) -> None:
    ask(0, 5)
    again = Witness(PUBLIC.name, PRIVATE, {NAME: [KEY]}, tmp_path / "seen.sqlite3")
    assert again.seen(NAME) == checkpoint(leaves(5))
    forked = request(0, [], checkpoint([b"f" * 32]))
    assert again.add_checkpoint(forked, AT).status == 409


def test_of_many_who_ask_at_once_one_history_is_cosigned(witness: Witness) -> None:
    def ask(n: int) -> int:
        signed = checkpoint([bytes([n]) * 32])
        return witness.add_checkpoint(request(0, [], signed), AT).status

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert sorted(found) == [200] + [409] * 7


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_no_request_raises(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any.sqlite3"
    witness = Witness(PUBLIC.name, PRIVATE, {NAME: [KEY]}, folder)
    assert witness.add_checkpoint(body, AT).status == 400
    whole = request(0, [], checkpoint(leaves(5)))
    assert witness.add_checkpoint(whole[: len(body)] + body, AT).status in {400, 403, 404}


def test_a_witness_is_made_once_and_answers_by_http(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "w"
    assert main(["init", str(folder), "w.test"]) == 0
    line = capsys.readouterr().out.strip()
    assert main(["init", str(folder), "w.test"]) == 2
    witness = open_witness(folder, [str(KEY)])
    assert str(witness.key) == line
    running = server(witness, ("127.0.0.1", 0))
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        base = f"http://127.0.0.1:{running.server_port}"
        body = request(0, [], checkpoint(leaves(5)))
        told = requests.post(f"{base}/add-checkpoint", data=body, timeout=5)
        assert told.status_code == 200
        assert open_checkpoint(checkpoint(leaves(5)) + told.text, KEY, [witness.key]).seen
        told = requests.post(f"{base}/add-checkpoint", data=body, timeout=5)
        assert (told.status_code, told.text) == (409, "5\n")
        assert told.headers["Content-Type"] == "text/x.tlog.size"
        assert requests.post(f"{base}/other", data=b"", timeout=5).status_code == 404
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.mark.parametrize("words", [[], ["init"], ["init", "/", "a name"], ["run", "/nowhere"]])
def test_a_witness_that_cannot_start_says_so(words: list[str]) -> None:
    assert main(words) == 2
    assert LOG_KEY
