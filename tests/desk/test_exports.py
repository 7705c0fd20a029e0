"""What an auditor takes along, checked by the program that shares no line with the broker."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from broker.audit.checkpoint import log_key
from broker.audit.entry import read_leaf
from broker.audit.models import AuditEntry
from broker.db import reading, transaction
from broker.desk import exports
from broker.desk.worker import pack_next
from miftah_verify.bundle import Export, verify_bundle
from miftah_verify.note import parse_key
from miftah_verify.policy import simple
from miftah_verify.refused import Refused
from tests.conftest import NOON, StoppedClock
from tests.desk.conftest import Desk, body, code, issue, refuse
from tests.recording import sequenced


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def made(app: Flask, desk: Desk, by: str = "good", **wish: Any) -> dict[str, bytes]:
    """The files of a bundle, packed and fetched."""
    told = desk.post("/exports", {"format": "csv"} | wish, by)
    assert told.status_code == 202, told.text
    with app.app_context():
        assert pack_next()
    got = desk.get(f"/exports/{body(told)['id']}/bundle", by)
    assert got.status_code == 200, got.text
    assert got.headers["Content-Disposition"].startswith('attachment; filename="miftah-')
    return unzipped(got.data)


def verified(app: Flask, files: dict[str, bytes]) -> Export:
    with app.app_context():
        policy = simple(parse_key(str(log_key())))

    def pieces(name: str) -> Iterator[bytes]:
        yield files[name]

    return verify_bundle(pieces, list(files), policy)


@pytest.fixture
def filled(app: Flask) -> list[int]:
    found = [issue(app, f"p{n}", acr="basic") for n in range(20)]
    refuse(app)
    return found


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_bundle_holds_before_the_auditors_own_program(
    app: Flask, desk: Desk, filled: list[int], form: str
) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    files = made(app, desk, format=form, query={"outcome": "issued"})
    told = verified(app, files)
    assert told.rows == len(filled)
    assert (told.manifest["first"], told.manifest["last"]) == (filled[0], filled[-1])
    assert told.manifest["query"] == {"outcome": "issued"}
    assert told.manifest["caller"] == "client:auditor"


@pytest.mark.parametrize("name", ["assertions.csv", "entries.jsonl", "manifest.json"])
def test_a_changed_bundle_is_refused(app: Flask, desk: Desk, filled: list[int], name: str) -> None:
    files = made(app, desk)
    verified(app, files)
    files[name] = files[name].replace(b"basic", b"other").replace(b'"rows":21', b'"rows":20')
    files[name] = files[name].replace(b"ey", b"eZ")
    with pytest.raises(Refused):
        verified(app, files)


def test_rows_are_the_entries_again(app: Flask, desk: Desk, filled: list[int]) -> None:
    files = made(app, desk)
    rows = list(csv.DictReader(io.StringIO(files["assertions.csv"].decode(), newline="")))
    leaves = [json.loads(line) for line in files["entries.jsonl"].splitlines()]
    assert [int(row["index"]) for row in rows] == [leaf["index"] for leaf in leaves]
    assert {row["outcome"] for row in rows} == {"issued", "refused"}
    assert rows[0]["acr"] == "basic"
    assert rows[-1]["reason"] == "access_denied"


def test_parquet_says_the_same(app: Flask, desk: Desk, filled: list[int]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    files = made(app, desk, format="parquet")
    table = parquet.read_table(io.BytesIO(files["assertions.parquet"])).to_pylist()
    assert [row["index"] for row in table[:20]] == filled
    assert table[0]["kind"] == "mrz_photo"


def test_an_export_of_nothing_holds_too(app: Flask, desk: Desk) -> None:
    told = verified(app, made(app, desk, query={"client": "nobody"}))
    assert (told.rows, told.manifest["first"], told.manifest["last"]) == (0, None, None)


def test_a_bundle_that_would_be_too_large_is_refused_and_says_so(
    app: Flask, desk: Desk, filled: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST", 10)
    name = body(desk.post("/exports", {"format": "csv"}))["id"]
    with app.app_context():
        pack_next()
    told = body(desk.get(f"/exports/{name}"))
    assert (told["state"], told["fault"]) == ("refused", "too_many_entries")
    assert code(desk.get(f"/exports/{name}/bundle")) == "export_not_ready"


def test_a_worker_that_dies_leaves_the_export_to_another(
    app: Flask, desk: Desk, filled: list[int], clock: StoppedClock
) -> None:
    desk.post("/exports", {"format": "csv"})
    with app.app_context(), transaction() as tx:
        assert exports.take(tx, clock()) is not None
    with app.app_context():
        assert not pack_next()
    clock.forward(minutes=10)
    with app.app_context():
        assert pack_next()
        assert not pack_next()


def test_an_export_is_gone_after_a_day(
    app: Flask, desk: Desk, filled: list[int], clock: StoppedClock
) -> None:
    name = body(desk.post("/exports", {"format": "csv"}))["id"]
    clock.forward(days=1)
    assert desk.get(f"/exports/{name}").status_code == 404
    assert body(desk.get("/exports"))["exports"] == []


def test_no_more_than_five_wait(app: Flask, desk: Desk) -> None:
    for _ in range(5):
        assert desk.post("/exports", {"format": "csv"}).status_code == 202
    assert code(desk.post("/exports", {"format": "csv"})) == "too_many_kept"
    assert desk.post("/exports", {"format": "csv"}, "second").status_code == 202


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"format": "xlsx"},
        {"format": "csv", "query": {"colour": "red"}},
        {"format": "csv", "query": {"subject": "somebody"}},
        {"format": "csv", "query": {"limit": "1"}},
        {"format": "csv", "query": {"from": "2026-11-24T00:00:00Z", "to": "2026-11-23T00:00:00Z"}},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(desk: Desk, wish: dict[str, Any]) -> None:
    assert code(desk.post("/exports", wish)) == "malformed"


def test_asking_packing_and_fetching_are_on_record(app: Flask, desk: Desk) -> None:
    issue(app)
    made(app, desk)
    sequenced(app)
    with app.app_context(), reading() as tx:
        events = (AuditEntry.event.like("export.%")) | (AuditEntry.event == "auditor.read")
        rows = tx.scalars(select(AuditEntry.leaf).where(events).order_by(AuditEntry.idx)).all()
    said = [read_leaf(leaf) for leaf in rows]
    assert [each["event"] for each in said] == ["export.requested", "export.made", "auditor.read"]
    # What was fetched is what was packed.
    assert said[1]["facts"]["sha256"] == said[2]["facts"]["answer"]


def test_an_export_holds_what_the_search_held(app: Flask, desk: Desk) -> None:
    places = [issue(app, f"p{n}", NOON + timedelta(hours=n)) for n in range(4)]
    query = {"from": "2026-11-23T13:00:00Z", "to": "2026-11-23T15:00:00Z"}
    told = verified(app, made(app, desk, query=query))
    assert (told.manifest["first"], told.manifest["last"]) == (places[1], places[2])
