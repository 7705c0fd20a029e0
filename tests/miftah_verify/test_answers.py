"""The two answers of the API about one entry, as the broker really gives them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from broker.audit import checkpoint, store
from broker.audit.note import decode, encode, open_checkpoint
from broker.db import transaction
from miftah_verify.answers import verify_answers
from miftah_verify.note import parse_key
from miftah_verify.policy import simple
from miftah_verify.refused import Refused
from tests.audit.conftest import fill
from tests.conftest import NOON

Case = dict[str, Any]


@pytest.fixture
def case(app: Flask) -> Case:
    fill(app, 300)
    with app.app_context(), transaction() as tx:
        signed = checkpoint.latest(tx, NOON)
        found, key = store.entry(tx, 1), checkpoint.log_key()
        head = open_checkpoint(signed, key)
        path = store.inclusion_proof(tx, decode(found["leaf_hash"]), 1, head)
    proof = {"index": 1, "size": 300, "path": [encode(h) for h in path], "checkpoint": signed}
    return {"entry": found, "proof": proof, "key": str(key)}


def judge(case: Case) -> int:
    """The index at which the entry stands. Raises Refused."""
    entry, proof = (json.dumps(case[name]).encode() for name in ("entry", "proof"))
    return verify_answers(entry, proof, simple(parse_key(case["key"]))).index


def test_an_honest_entry_holds(case: Case) -> None:
    assert judge(case) == 1


def _leaf(case: Case, leaf: bytes) -> None:
    case["entry"]["leaf"] = encode(leaf)


def _changed(case: Case) -> None:
    leaf = decode(case["entry"]["leaf"]).replace(b'"P0"', b'"P3"')
    case["entry"] |= {"leaf": encode(leaf), "entry": json.loads(leaf)}


CHANGES: dict[str, Callable[[Case], object]] = {
    "a byte": _changed,
    "only what is shown": lambda c: c["entry"]["entry"]["facts"].update(acr="P3"),
    "the index": lambda c: (c["entry"].update(index=18), c["proof"].update(index=18)),
    "the proof's index": lambda c: c["proof"].update(index=18),
    "the size": lambda c: c["proof"].update(size=299),
    "no path": lambda c: c["proof"].update(path=[]),
    "a short path": lambda c: c["proof"]["path"].pop(),
    "a path of numbers": lambda c: c["proof"].update(path=[1]),
    "a truth as index": lambda c: (c["entry"].update(index=True), c["proof"].update(index=True)),
    "no object": lambda c: c.update(proof=[c["proof"]]),
    "no leaf": lambda c: c["entry"].pop("leaf"),
    "a leaf that is no JSON": lambda c: _leaf(c, b"x"),
    "no signature": lambda c: c["proof"].update(checkpoint=c["proof"]["checkpoint"][:60]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_does_not_hold_is_refused(case: Case, change: Callable[[Case], object]) -> None:
    change(case)
    with pytest.raises(Refused):
        judge(case)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b" " * 1_100_000])
def test_what_is_no_json_is_refused(case: Case, content: bytes) -> None:
    proof = json.dumps(case["proof"]).encode()
    with pytest.raises(Refused):
        verify_answers(content, proof, simple(parse_key(case["key"])))
