import contextlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from broker.audit.entry import FactsRefused, compose, project, read_leaf, to_text
from broker.audit.event import EVENTS
from broker.audit.log import erase, record, subject_digest
from broker.audit.models import AuditEntry, AuditStaged, AuditSubject, AuditTile
from broker.audit.worker import catch_up
from broker.db import reading, transaction
from tests.conftest import NOON
from tests.recording import recorded, sequenced

NONCE = "AAAAAAAAAAAAAAAAAAAAAQ"


def leaves(app: Flask) -> list[bytes]:
    sequenced(app)
    with app.app_context(), reading() as tx:
        return list(tx.scalars(select(AuditEntry.leaf).order_by(AuditEntry.idx)))


def test_an_entry_is_canonical_json_with_a_nonce_and_the_time_to_the_millisecond(
    app: Flask,
) -> None:
    with app.app_context(), transaction() as tx:
        moment = NOON + timedelta(microseconds=1_999)
        record(tx, "code.issued", {"client": "cnss", "acr": "P0"}, moment)
    (leaf,) = leaves(app)
    assert leaf == (
        b'{"event":"code.issued","facts":{"acr":"P0","client":"cnss"},'
        b'"nonce":"AAAAAAAAAAAAAAAAAAAAAg","time":"2026-11-23T12:00:00.001Z","v":1}'
    )


def test_entries_are_numbered_in_the_order_they_were_recorded(app: Flask) -> None:
    with app.app_context():
        for n in range(3):
            with transaction() as tx:
                record(tx, "session.ended", {"n": n}, NOON)
    assert [read_leaf(leaf)["facts"]["n"] for leaf in leaves(app)] == [0, 1, 2]


def test_no_fact_no_entry(app: Flask) -> None:
    with app.app_context():
        with contextlib.suppress(RuntimeError), transaction() as tx:
            record(tx, "code.issued", {"account": "someone"}, NOON)
            raise RuntimeError
        with reading() as tx:
            for table in (AuditStaged, AuditSubject):
                assert tx.scalar(select(func.count()).select_from(table)) == 0
    assert leaves(app) == []


def test_an_entry_names_nobody_and_the_side_table_tells_whom_it_was_about(app: Flask) -> None:
    with app.app_context():
        with transaction() as tx:
            recorded(tx, "sign_in.accepted", {"account": "person-1"}, NOON)
        with reading() as tx:
            row = tx.scalars(select(AuditSubject)).one()
            assert (row.idx, row.account_id) == (0, "person-1")
            digest = subject_digest(row.salt, "person-1")
    (leaf,) = leaves(app)
    assert b"person-1" not in leaf
    assert read_leaf(leaf)["facts"]["account"] == digest


def test_the_same_person_looks_different_in_every_entry(app: Flask) -> None:
    with app.app_context(), transaction() as tx:
        for _ in range(2):
            record(tx, "sign_in.accepted", {"account": "person-1"}, NOON)
    first, second = (read_leaf(leaf)["facts"]["account"] for leaf in leaves(app))
    assert first != second


def test_erasing_a_person_unlinks_their_entries_and_nobody_elses(app: Flask) -> None:
    with app.app_context():
        with transaction() as tx:
            for person in ("one", "two", "one"):
                recorded(tx, "sign_in.accepted", {"account": person}, NOON)
        before = leaves(app)
        with transaction() as tx:
            erase(tx, "one")
        with reading() as tx:
            left = tx.execute(select(AuditSubject.idx, AuditSubject.account_id)).all()
            assert [tuple(row) for row in left] == [(1, "two")]
    *same, erased = leaves(app)
    assert same == before
    assert (read_leaf(erased)["event"], read_leaf(erased)["facts"]) == (
        "subject.erased",
        {"entries": 2},
    )


def test_the_room_offers_the_erasure_to_the_house() -> None:
    from broker.audit import feature

    assert feature.erase is erase


@pytest.mark.parametrize("event", ["code.issue", "", "CODE.ISSUED", "code.issued "])
def test_an_event_outside_the_catalogue_is_refused(app: Flask, event: str) -> None:
    with app.app_context(), pytest.raises(FactsRefused), transaction() as tx:
        record(tx, event, {}, NOON)
    assert leaves(app) == []


HOSTILE = {
    "a float": {"score": 0.5},
    "not a number": {"score": float("nan")},
    "bytes": {"leaf": b"x"},
    "a moment": {"at": NOON},
    "a set": {"scope": {"openid"}},
    "a tuple": {"scope": ("openid",)},
    "an object of ours": {"x": object()},
    "an integer that readers round": {"n": 2**53},
    "a lone surrogate": {"text": "\ud800"},
    "a name that is no text": {1: "one"},
    "a name with a space": {"a b": 1},
    "a name with a control character": {"a\n": 1},
    "a name that is not ASCII": {"é": 1},
    "an empty name": {"": 1},
    "a name too long": {"x" * 101: 1},
    "a float deep inside": {"a": [{"b": [0.5]}]},
    "nine storeys": {"a": [[[[[[[[1]]]]]]]]},
    "more than 65535 bytes": {"text": "x" * 65_536},
    "a client that is a list": {"client": ["cnss"]},
    "a client without end": {"client": "x" * 256},
    "a level that is a number": {"acr": 1},
    "a person's name": {"given_name": "Amina"},
    "a person's name deep inside": {"read": [{"family_name": "X"}]},
    "a pairwise subject": {"sub": "x"},
    "an account id in clear": {"account_id": "x"},
    "an account that is a number": {"account": 7},
    "an account without a name": {"account": ""},
    "the account again in another fact": {"account": "x" * 43, "note": "about " + "x" * 43},
}


@pytest.mark.parametrize("facts", HOSTILE.values(), ids=HOSTILE)
def test_hostile_facts_are_refused_loudly(app: Flask, facts: dict) -> None:
    with app.app_context(), pytest.raises(FactsRefused), transaction() as tx:
        record(tx, "code.issued", facts, NOON)
    assert leaves(app) == []


def test_65535_bytes_are_still_an_entry(app: Flask) -> None:
    empty = compose("code.issued", {"t": ""}, NOON, NONCE)
    with app.app_context(), transaction() as tx:
        record(tx, "code.issued", {"t": "x" * (65_535 - len(empty))}, NOON)
    assert [len(leaf) for leaf in leaves(app)] == [65_535]


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        compose("code.issued", {}, NOON.replace(tzinfo=None), NONCE)


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    moment = NOON.astimezone(timezone(timedelta(hours=1)))
    assert compose("code.issued", {}, moment, NONCE) == compose("code.issued", {}, NOON, NONCE)


facts = st.dictionaries(
    st.from_regex(r"f_[a-z]{1,8}", fullmatch=True),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.from_regex(r"f_[a-z]{1,4}", fullmatch=True), inner, max_size=3)
        ),
        max_leaves=5,
    ),
    max_size=4,
)


@given(facts, st.sampled_from(sorted(EVENTS)), st.datetimes(timezones=st.just(NOON.tzinfo)))
def test_what_was_recorded_is_what_is_read(facts: dict, event: str, moment: datetime) -> None:
    leaf = compose(event, facts, moment, NONCE)
    entry = read_leaf(leaf)
    assert (entry["event"], entry["facts"], entry["nonce"]) == (event, facts, NONCE)
    assert project(entry).time == to_text(moment)


@given(facts)
def test_the_canonical_form_is_the_one_that_other_programs_make(facts: dict) -> None:
    shown = {"event": "code.issued", "facts": facts, "nonce": NONCE, "time": to_text(NOON), "v": 1}
    plain = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert compose("code.issued", facts, NOON, NONCE) == plain.encode()


def test_facts_may_come_as_any_mapping() -> None:
    held = MappingProxyType({"f_a": MappingProxyType({"f_b": 1})})
    assert compose("code.issued", held, NOON, NONCE) == compose(
        "code.issued", {"f_a": {"f_b": 1}}, NOON, NONCE
    )


def test_eight_storeys_are_still_an_entry() -> None:
    assert read_leaf(compose("code.issued", {"a": [[[[[[[1]]]]]]]}, NOON, NONCE))


@given(st.binary(max_size=60) | facts.map(lambda f: compose("code.issued", f, NOON, NONCE)))
def test_reading_a_leaf_never_fails_otherwise_than_by_value_error(leaf: bytes) -> None:
    changes: list[Callable[[bytes], bytes]] = [
        lambda b: b,
        lambda b: b + b" ",
        lambda b: b.replace(b":1", b":1.0"),
        lambda b: b.replace(b'"v"', b'"v" '),
        lambda b: b'{"a":' * 100_000 + b,
    ]
    for change in changes:
        try:
            entry = read_leaf(change(leaf))
        except ValueError:
            continue
        assert entry["v"] == 1


@pytest.mark.parametrize(
    "spelling",
    [
        (b'{"event"', b'{ "event"'),
        (b'"v":1}', b'"v":1}\n'),
        (b'"v":1}', b'"v":1.0}'),
        (b'"facts":{}', b'"facts":{"b":1,"a":1}'),
        (b'"facts":{}', b'"facts":{"a":1,"a":1}'),
        (b'"facts":{}', b'"facts":{"a":"\\u0041"}'),
        (b'"facts":{}', b'"facts":{"a":0.5}'),
        (b'"facts":{}', b'"facts":{"a":[1,{"b":0.5}]}'),
        (b'"facts":{}', b'"facts":{"a":1e3}'),
        (b'"facts":{}', b'"facts":{"a":-0}'),
        (b'"facts":{}', b'"facts":{"a":18446744073709551616}'),
        (b'"facts":{}', b'"facts":{"a":NaN}'),
        (b'"v":1', b'"v":true'),
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":null'),
        (b'"2026-11-23T12:00:00.000Z"', b'"2026-11-23T12:00:00Z"'),
        (b'"2026-11-23T12:00:00.000Z"', b"7"),
        (b'"v":1', b'"v":1,"w":1'),
        (b'"code.issued"', b'"code.issue"'),
        (b'"facts":{}', b'"facts":[]'),
        (b'"code.issued"', b'["code.issued"]'),
    ],
)
def test_an_entry_has_one_spelling_only(spelling: tuple[bytes, bytes]) -> None:
    leaf = compose("code.issued", {}, NOON, NONCE)
    assert leaf.count(spelling[0]) == 1
    with pytest.raises(ValueError, match="entry"):
        read_leaf(leaf.replace(*spelling))


def test_every_full_tile_is_kept_as_it_fills(app: Flask) -> None:
    with app.app_context():
        with transaction() as tx:
            for n in range(600):
                record(tx, "session.ended", {"n": n}, NOON)
        catch_up()
        with reading() as tx:
            tiles = tx.execute(select(AuditTile.level, AuditTile.number, AuditTile.hashes)).all()
    assert [(level, number, len(hashes)) for level, number, hashes in tiles] == [
        (0, 0, 8192),
        (0, 1, 8192),
    ]
