import base64
import hashlib
import json
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from broker.audit import merkle, note
from broker.audit.checkpoint import log_key
from broker.audit.entry import read_leaf
from broker.audit.log import record
from broker.audit.models import AuditEntry
from broker.db import reading, transaction
from miftah_verify.note import parse_key
from miftah_verify.policy import simple
from miftah_verify.proof import verify_proof
from miftah_verify.refused import Refused
from tests.conftest import NOON, StoppedClock
from tests.desk.conftest import Getter, body, fill
from tests.recording import sequenced

PATHS = (
    "/entries",
    "/entries/0",
    "/entries/0/proof",
    "/entries/0/leaf",
    "/entries/0/tlog-proof",
    "/checkpoint",
    "/consistency?from=1&to=2",
    "/tile/0/000.p/2",
)


def reads(app: Flask) -> list[dict]:
    sequenced(app)
    with app.app_context(), reading() as tx:
        query = select(AuditEntry.leaf).where(AuditEntry.event == "auditor.read")
        return [read_leaf(leaf)["facts"] for leaf in tx.scalars(query.order_by(AuditEntry.idx))]


def indexes(found: dict) -> list[int]:
    return [entry["index"] for entry in found["entries"]]


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def test_entries_come_in_the_order_of_their_index(app: Flask, get: Getter) -> None:
    fill(app, 3)
    found = body(get("/entries"))
    assert indexes(found) == [0, 1, 2]
    assert found["next"] is None


def test_an_entry_is_shown_read_and_as_its_exact_bytes(app: Flask, get: Getter) -> None:
    fill(app, 1)
    found = body(get("/entries/0"))
    leaf = b64(found["leaf"])
    assert found["entry"] == json.loads(leaf)
    assert found["entry"]["facts"]["client"] == "client-0"
    assert b64(found["leaf_hash"]) == hashlib.sha256(b"\x00" + leaf).digest()
    assert found == body(get("/entries"))["entries"][0]


def test_pages_lead_on_until_the_end(app: Flask, get: Getter) -> None:
    fill(app, 5)
    first = body(get("/entries?limit=2&event=code.issued"))
    second = body(get(f"/entries?limit=2&event=code.issued&after={first['next']}"))
    third = body(get(f"/entries?limit=2&event=code.issued&after={second['next']}"))
    assert [indexes(page) for page in (first, second, third)] == [[0, 1], [2, 3], [4]]
    assert third["next"] is None


def test_the_last_full_page_says_that_it_is_the_last(app: Flask, get: Getter) -> None:
    fill(app, 2)
    assert body(get("/entries?limit=2&event=code.issued"))["next"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("event=code.issued", [0, 1, 2, 3]),
        ("event=consent.given", [4]),
        ("client=client-0", [0, 3]),
        ("client=nobody", []),
        ("client=%25", []),
        ("client=client_0", []),
        ("client=code.issued", []),
        ("from=2026-11-23T12:00:00Z&to=2026-11-23T12:01:00Z", [0, 1, 2, 3]),
        ("from=2026-11-23T12:00:00.001Z&client=client-9", [4]),
        ("from=2026-11-23T13:01:00%2B01:00", [4]),
        ("to=2026-11-23t12:00:00z", []),
        ("after=2", [3, 4]),
        ("after=9007199254740991", []),
        ("limit=1", [0]),
        ("event=code.issued&client=client-0&after=0", [3]),
    ],
)
def test_filters_hold_together_and_time_is_half_open(
    app: Flask, get: Getter, query: str, expected: list[int]
) -> None:
    fill(app, 4)
    with app.app_context(), transaction() as tx:
        record(tx, "consent.given", {"client": "client-9"}, NOON + timedelta(minutes=1))
    assert indexes(body(get(f"/entries?{query}"))) == expected


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "access_token=good",
        "event=",
        "event=code.issue",
        "event=code.issued&event=code.issued",
        "client=a%00b",
        "client=" + "x" * 256,
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=1.0",
        "limit=%D9%A1",
        "limit=" + "9" * 5000,
        "after=-1",
        "after=01",
        "after=1e3",
        "after=99999999999999999999",
        "from=2026-11-23",
        "from=2026-11-23T12:00:00",
        "from=2026-11-23T12:00:60Z",
        "from=2026-02-30T12:00:00Z",
        "from=2026-11-23T12:00:00%2B25:00",
        "from=0001-01-01T00:00:00%2B01:00",
        "to=9999-12-31T23:59:59-01:00",
        "from=now",
        "from=2026-11-23T12:00:00Z&to=2026-11-23T12:00:00Z",
        "from=2026-11-24T12:00:00Z&to=2026-11-23T12:00:00Z",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(app: Flask, get: Getter, query: str) -> None:
    fill(app, 1)
    response = get(f"/entries?{query}")
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert body(response)["type"] == "https://broker.test/problems/malformed"
    assert reads(app) == []


@pytest.mark.parametrize("path", [p for p in PATHS if "?" not in p])
def test_unknown_parameters_are_refused_everywhere(app: Flask, get: Getter, path: str) -> None:
    fill(app, 2)
    assert get("/checkpoint").status_code == 200
    assert get(f"{path}?colour=red").status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/entries/7",
        "/entries/00",
        "/entries/-1",
        "/entries/1.0",
        "/entries/%D9%A0",
        "/entries/" + "9" * 5000,
        "/entries/9007199254740993",
        "/entries/7/proof",
        "/entries/0/",
        "/tile/0/000",
        "/tile/0/000.p/3",
        "/tile/0/000.p/0",
        "/tile/0/000.p/256",
        "/tile/00/000.p/1",
        "/tile/64/000",
        "/tile/63/x999/x999/x999/x999/x999/999",
        "/tile/1/000.p/1",
        "/tile/0/x000/000.p/1",
        "/tile/entries/000",
        "/tile/entries/../0/000.p/1",
        "/nothing",
    ],
)
def test_what_is_not_there_is_not_found(app: Flask, get: Getter, path: str) -> None:
    fill(app, 2)
    get("/checkpoint")
    response = get(path)
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_there_is_no_answer(app: Flask, path: str) -> None:
    fill(app, 2)
    response = app.test_client().get(f"/api/v1{path}")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="miftah"'
    assert body(response)["type"] == "https://broker.test/problems/invalid_token"
    assert reads(app) == []


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_token_is_refused(app: Flask, get: Getter, path: str) -> None:
    fill(app, 2)
    response = get(path, bearer="stolen")
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", PATHS)
def test_a_token_without_the_scope_is_refused(app: Flask, get: Getter, path: str) -> None:
    fill(app, 2)
    response = get(path, bearer="other")
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]
    assert reads(app) == []


@pytest.mark.parametrize(
    "header", ["Basic good", "Bearer", "Bearer ", "Bearer good good", "good", "Bearer göod"]
)
def test_the_token_comes_in_one_form_only(app: Flask, get: Getter, header: str) -> None:
    fill(app, 2)
    assert get("/entries", headers={"Authorization": header}).status_code == 401


def test_the_scheme_may_be_written_in_any_case(app: Flask, get: Getter) -> None:
    fill(app, 2)
    assert get("/entries", headers={"Authorization": "bearer good"}).status_code == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_record_can_only_be_read(app: Flask, path: str, method: str) -> None:
    response = app.test_client().open(f"/api/v1{path}", method=method)
    assert (response.status_code, response.mimetype) == (405, "application/problem+json")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_as_get_without_the_body(app: Flask, get: Getter, path: str) -> None:
    fill(app, 2)
    get("/checkpoint")
    response = app.test_client().head(f"/api/v1{path}", headers={"Authorization": "Bearer good"})
    assert (response.status_code, response.data) == (200, b"")
    assert "ETag" in response.headers


def test_every_read_is_itself_recorded(app: Flask, get: Getter) -> None:
    fill(app, 2)
    get("/checkpoint")
    get("/entries?client=client-0&limit=5&from=2026-11-23T13:00:00%2B01:00")
    get("/entries/1")
    get("/entries/1/proof")
    get("/consistency?from=1&to=2")
    get("/tile/0/000.p/2")
    caller = {"client": "auditor", "auditor": "client:auditor"}
    chosen = {"client": "client-0", "from": "2026-11-23T12:00:00.000Z", "limit": 5}
    found = reads(app)
    assert all(re.fullmatch("[0-9a-f]{64}", read.pop("answer")) for read in found)
    assert found == [
        {**caller, "what": "checkpoint"},
        {**caller, "what": "entries", "filter": chosen, "count": 1},
        {**caller, "what": "entry", "index": 1},
        {**caller, "what": "proof", "index": 1},
        {**caller, "what": "consistency", "from": 1, "to": 2},
        {**caller, "what": "tile", "tile": "0/000.p/2"},
    ]


def test_a_read_that_cannot_be_recorded_is_not_answered(app: Flask, get: Getter) -> None:
    fill(app, 2)
    with app.app_context(), transaction() as tx:
        tx.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON audit_staged"
                " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        )
    response = get("/entries")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert body(response)["type"] == "https://broker.test/problems/record_unavailable"
    assert b"client-0" not in response.data


@pytest.mark.parametrize("path", ["/entries/1", "/entries/1/proof", "/tile/0/000.p/2"])
def test_who_has_it_already_gets_304(app: Flask, get: Getter, path: str) -> None:
    fill(app, 2)
    get("/checkpoint")
    tag = get(path).headers["ETag"]
    assert not tag.startswith("W/")
    again = get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert len(reads(app)) == 4


def test_a_proof_stays_the_same_for_a_minute(app: Flask, get: Getter, clock: StoppedClock) -> None:
    fill(app, 2)
    first = get("/entries/1/proof")
    clock.forward(seconds=59)
    assert body(get("/entries/1/proof")) == body(first)
    clock.forward(seconds=1)
    assert body(get("/entries/1/proof"))["size"] > body(first)["size"]


@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_a_proof_leads_from_the_entry_to_the_signed_root(
    app: Flask, get: Getter, index: int
) -> None:
    fill(app, 300)
    entry, proof = body(get(f"/entries/{index}")), body(get(f"/entries/{index}/proof"))
    with app.app_context():
        head = note.open_checkpoint(proof["checkpoint"], log_key())
    leaf = merkle.leaf_hash(b64(entry["leaf"]))
    assert (proof["index"], proof["size"], proof["leaf_hash"]) == (
        index,
        head.size,
        entry["leaf_hash"],
    )
    path = [b64(step) for step in proof["path"]]
    merkle.verify_inclusion(leaf, index, head.size, path, head.root)


def test_the_auditors_own_program_takes_the_files_as_they_come(app: Flask, get: Getter) -> None:
    fill(app, 20)
    with app.app_context():
        policy = simple(parse_key(str(log_key())))
    proved = verify_proof(get("/entries/7/tlog-proof").data, get("/entries/7/leaf").data, policy)
    assert proved.index == 7
    with pytest.raises(Refused):
        verify_proof(get("/entries/7/tlog-proof").data, get("/entries/8/leaf").data, policy)


def test_one_checkpoint_follows_from_another(app: Flask, get: Getter, clock: StoppedClock) -> None:
    fill(app, 3)
    old = get("/checkpoint")
    assert old.content_type == "text/plain; charset=utf-8"
    fill(app, 300)
    clock.forward(minutes=1)
    new = get("/checkpoint")
    with app.app_context():
        before, after = (note.open_checkpoint(r.text, log_key()) for r in (old, new))
    found = body(get(f"/consistency?from={before.size}&to={after.size}"))
    assert (found["from"], found["to"]) == (before.size, after.size)
    merkle.verify_consistency(
        before.size, after.size, [b64(h) for h in found["path"]], before.root, after.root
    )


@pytest.mark.parametrize(
    "query",
    ["", "from=1", "to=1", "from=0&to=1", "from=3&to=2", "from=1&to=99", "from=a&to=b"],
)
def test_sizes_that_cannot_be_are_refused(app: Flask, get: Getter, query: str) -> None:
    fill(app, 5)
    get("/checkpoint")
    assert get(f"/consistency?{query}").status_code == 400


def test_no_proof_between_sizes_that_nobody_signed_yet(app: Flask, get: Getter) -> None:
    fill(app, 5)
    assert get("/consistency?from=1&to=2").status_code == 400


def test_tiles_rebuild_the_signed_root(app: Flask, get: Getter, clock: StoppedClock) -> None:
    fill(app, 300)
    clock.forward(minutes=1)
    with app.app_context():
        head = note.open_checkpoint(get("/checkpoint").text, log_key())
    assert head.size == 300
    hashes = get("/tile/0/000").data + get("/tile/0/001.p/44").data
    leaves = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    assert merkle.root(merkle.nodes_over(leaves), 300) == head.root
    assert get("/tile/1/000.p/1").data == merkle.complete(leaves[:256])
    bundle = get("/tile/entries/000").data + get("/tile/entries/001.p/44").data
    for leaf in leaves:
        length = int.from_bytes(bundle[:2], "big")
        assert merkle.leaf_hash(bundle[2 : 2 + length]) == leaf
        bundle = bundle[2 + length :]
    assert bundle == b""


def test_a_full_tile_has_one_name_only(app: Flask, get: Getter) -> None:
    fill(app, 300)
    get("/checkpoint")
    for path in ("/tile/0/000.p/256", "/tile/0/000.p/300", "/tile/0/000.p/999"):
        assert get(path).status_code == 404


@pytest.mark.parametrize("path", ["/tile/0/000.p/3", "/tile/entries/000.p/3"])
def test_a_tile_with_a_hole_is_never_shown(app: Flask, get: Getter, path: str) -> None:
    fill(app, 3)
    get("/checkpoint")
    with app.app_context(), transaction() as tx:
        tx.execute(text("DELETE FROM audit_entry WHERE idx = 1"))
        record(tx, "session.ended", {}, NOON)
    response = get(path)
    assert body(response)["type"] == "https://broker.test/problems/record_altered"


def test_what_no_longer_changes_may_be_kept_but_by_the_caller_only(app: Flask, get: Getter) -> None:
    fill(app, 2)
    get("/checkpoint")
    for path in ("/entries/0", "/tile/0/000.p/2", "/consistency?from=1&to=2"):
        assert get(path).headers["Cache-Control"] == "private, max-age=31536000, immutable"
    for path in ("/checkpoint", "/entries/0/proof", "/entries"):
        assert get(path).headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["/entries", "/entries/1", "/entries/1/proof"])
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_entry SET client = 'client-9' WHERE idx = 1",
        "UPDATE audit_entry SET outcome = 'refused' WHERE idx = 1",
        "UPDATE audit_entry SET level = 'P3' WHERE idx = 1",
        "UPDATE audit_entry SET event = 'code.refused' WHERE idx = 1",
        "UPDATE audit_entry SET time = '2026-11-22T12:00:00.000Z' WHERE idx = 1",
        "UPDATE audit_entry SET leaf = replace(leaf, 'P0', 'P3') WHERE idx = 1",
        "UPDATE audit_entry SET leaf = x'00' WHERE idx = 1",
        "UPDATE audit_entry SET leaf_hash = zeroblob(32) WHERE idx = 1",
    ],
)
def test_an_altered_entry_is_never_shown(
    app: Flask, get: Getter, path: str, tampering: str
) -> None:
    fill(app, 3)
    with app.app_context(), transaction() as tx:
        tx.execute(text(tampering))
    response = get(path)
    assert response.status_code == 500
    assert body(response)["type"] == "https://broker.test/problems/record_altered"


def test_no_proof_is_made_that_would_not_hold(app: Flask, get: Getter) -> None:
    fill(app, 3)
    assert get("/entries/1/proof").status_code == 200
    with app.app_context(), transaction() as tx:
        tx.execute(text("UPDATE audit_entry SET leaf_hash = zeroblob(32) WHERE idx = 0"))
    response = get("/entries/1/proof")
    assert body(response)["type"] == "https://broker.test/problems/record_altered"


_words = st.text(max_size=12) | st.sampled_from(
    ["event", "client", "from", "to", "after", "limit", "code.issued", "0", "200", "1" * 20]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(_words, _words), max_size=4), _words)
def test_no_question_breaks_the_api(get: Getter, asked: list[tuple[str, str]], word: str) -> None:
    query = "&".join(f"{quote(n)}={quote(v)}" for n, v in asked)
    for path in ("/entries", f"/entries/{quote(word, safe='')}", f"/tile/{quote(word)}"):
        assert get(f"{path}?{query}").status_code in {200, 308, 400, 404}
