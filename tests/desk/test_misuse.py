"""Whatever somebody may try at the auditors' door, one test each."""

import base64
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from broker.audit.entry import read_leaf
from broker.audit.models import AuditEntry
from broker.db import reading, transaction
from broker.desk.models import Case, Export
from broker.desk.worker import pack_next
from tests.conftest import NOON, StoppedClock
from tests.desk.conftest import Desk, body, code, issue, refuse
from tests.recording import sequenced


def facts_of(app: Flask, event: str) -> list[dict[str, Any]]:
    sequenced(app)
    with app.app_context(), reading() as tx:
        query = select(AuditEntry.leaf).where(AuditEntry.event == event)
        return [read_leaf(leaf)["facts"] for leaf in tx.scalars(query.order_by(AuditEntry.idx))]


@pytest.fixture
def two(app: Flask) -> tuple[int, int]:
    """An assertion to client-0, and one to client-1."""
    return issue(app), issue(app, "other", client="client-1", grant="grant-2", evidence="ev-2")


# The auditor of client-0 asks for what is client-1's.


def test_another_clients_assertion_is_not_there(desk: Desk, two: tuple[int, int]) -> None:
    own, foreign = two
    assert desk.get(f"/assertions/{own}", "limited").status_code == 200
    assert desk.get(f"/assertions/{foreign}", "limited").status_code == 404
    assert desk.get(f"/entries/{foreign}", "limited").status_code == 404
    found = body(desk.get("/assertions", "limited"))["assertions"]
    assert [each["index"] for each in found] == [own]
    assert body(desk.get("/assertions?client=client-1", "limited"))["assertions"] == []


def test_another_clients_proof_is_not_there(desk: Desk, two: tuple[int, int]) -> None:
    assert desk.get(f"/entries/{two[0]}/proof", "limited").status_code == 200
    assert desk.get(f"/entries/{two[1]}/proof", "limited").status_code == 404


def test_another_clients_entries_are_not_in_an_export(
    app: Flask, desk: Desk, two: tuple[int, int]
) -> None:
    made = body(desk.post("/exports", {"format": "jsonl"}, "limited"))
    with app.app_context():
        assert pack_next()
    content = desk.get(f"/exports/{made['id']}/bundle", "limited").data
    assert unzipped(content)["entries.jsonl"].count(b"\n") == 1


def test_a_tile_of_everybodys_entries_is_not_for_a_limited_auditor(
    desk: Desk, two: tuple[int, int]
) -> None:
    desk.get("/checkpoint")
    assert desk.get("/tile/0/000.p/2", "limited").status_code == 200
    assert code(desk.get("/tile/entries/000.p/2", "limited")) == "out_of_sight"
    assert code(desk.get("/tile/entries/000.p/2", "prover")) == "out_of_sight"
    assert desk.get("/tile/entries/000.p/2").status_code == 200


def test_another_clients_case_is_not_there(desk: Desk, two: tuple[int, int]) -> None:
    mine = {"entry": two[1], "title": "Why this level?"}
    case = body(desk.post("/cases", mine))["id"]
    assert desk.get(f"/cases/{case}", "limited").status_code == 404
    assert desk.post(f"/cases/{case}/comments", {"text": "x"}, "limited").status_code == 404
    assert body(desk.get("/cases", "limited"))["cases"] == []
    assert desk.post("/cases", mine, "limited").status_code == 404


def test_another_clients_numbers_are_not_counted(
    app: Flask, desk: Desk, clock: StoppedClock
) -> None:
    for n in range(6):
        issue(app, f"p{n}")
        issue(app, f"q{n}", client="client-1")
    clock.forward(days=30)
    ask = "/statistics?month=2026-11&by=client"
    assert body(desk.get(ask))["total"] == 12
    seen = body(desk.get(ask, "limited"))
    assert (seen["total"], seen["cells"]) == (6, [{"value": "client-0", "count": 6}])


def test_another_clients_person_is_not_unmasked(
    app: Flask, desk: Desk, people: None, two: tuple[int, int]
) -> None:
    wish = {"entry": two[1], "reason": "A complaint was made.", "minutes": 30}
    assert desk.post("/unmaskings", wish, "narrow").status_code == 404
    row = body(desk.post("/unmaskings", wish, "amina"))["id"]
    assert desk.get(f"/unmaskings/{row}", "narrow").status_code == 404
    assert body(desk.get("/unmaskings", "narrow"))["unmaskings"] == []
    agreed = desk.post(f"/unmaskings/{row}/decision", {"decision": "approve"}, "narrow")
    assert agreed.status_code == 404


# Cursors


def onward(desk: Desk, query: str = "", by: str = "good") -> str:
    return str(body(desk.get(f"/assertions?limit=1{query}", by))["next"])


@pytest.fixture
def many(app: Flask) -> list[int]:
    return [issue(app, f"p{n}") for n in range(4)]


def test_cursors_lead_through_the_whole_list(desk: Desk, many: list[int]) -> None:
    found, query = [], "/assertions?limit=3"
    page = body(desk.get(query))
    found += page["assertions"]
    page = body(desk.get(f"{query}&cursor={page['next']}"))
    found += page["assertions"]
    assert [each["index"] for each in found] == many
    assert page["next"] is None


def test_a_cursor_of_another_auditor_is_refused(desk: Desk, many: list[int]) -> None:
    cursor = onward(desk)
    assert desk.get(f"/assertions?limit=1&cursor={cursor}", "second").status_code == 400


def test_a_cursor_with_another_filter_is_refused(desk: Desk, many: list[int]) -> None:
    cursor = onward(desk, "&client=client-0")
    assert desk.get(f"/assertions?client=client-0&cursor={cursor}").status_code == 200
    assert desk.get(f"/assertions?client=client-1&cursor={cursor}").status_code == 400
    assert desk.get(f"/assertions?cursor={cursor}").status_code == 400


def test_an_expired_cursor_is_refused(desk: Desk, many: list[int], clock: StoppedClock) -> None:
    cursor = onward(desk)
    clock.forward(minutes=59)
    assert desk.get(f"/assertions?cursor={cursor}").status_code == 200
    clock.forward(minutes=1)
    assert desk.get(f"/assertions?cursor={cursor}").status_code == 400


@pytest.mark.parametrize("place", range(0, 40, 3))
def test_a_forged_cursor_is_refused(desk: Desk, many: list[int], place: int) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(onward(desk) + "=="))
    sealed[place] ^= 1
    forged = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    assert desk.get(f"/assertions?cursor={forged}").status_code == 400


# Strange questions


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z",
        "from=2026-11-23T00:00:00Z&to=2026-11-23T00:00:00Z",
        "from=2026-12-31T23:59:60Z",
        "from=10000-01-01T00:00:00Z",
        "min_index=5&max_index=4",
        "outcome=done",
        "limit=201",
        "limit=0",
        "cursor=x",
        "client=a&client=b",
        "client=",
        "client=%00",
        "offset=1",
        "access_token=good",
    ],
)
def test_a_question_that_makes_no_sense_is_refused(desk: Desk, query: str) -> None:
    assert code(desk.get(f"/assertions?{query}")) == "malformed"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("from=1970-01-01T00:00:00Z", 4),
        ("to=1970-01-01T00:00:00Z", 0),
        ("from=9999-12-31T23:59:59Z", 0),
        ("to=9999-12-31T23:59:59Z", 4),
        ("client=%25", 0),
        ("client=client_0", 0),
        ("client=client-0%27%20OR%201=1--", 0),
        ("subject=%25", 0),
        ("kind=mrz%25", 0),
    ],
)
def test_far_times_and_wildcards_are_taken_at_their_word(
    desk: Desk, many: list[int], query: str, count: int
) -> None:
    assert len(body(desk.get(f"/assertions?{query}"))["assertions"]) == count


def test_ten_thousand_filters_are_refused(desk: Desk) -> None:
    query = "&".join(f"client={n}" for n in range(10_000))
    assert desk.get(f"/assertions?{query}").status_code in {400, 413, 414}


# Exports


def unzipped(content: bytes) -> dict[str, bytes]:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@sum", "\tx", "\rx"])
def test_a_clients_name_is_no_formula_in_a_spreadsheet(app: Flask, desk: Desk, name: str) -> None:
    issue(app, client=name)
    made = body(desk.post("/exports", {"format": "csv"}))
    with app.app_context():
        pack_next()
    sheet = unzipped(desk.get(f"/exports/{made['id']}/bundle").data)["assertions.csv"].decode()
    row = sheet.split("\r\n", 1)[1]
    assert not re.search(r'(^|,)"?[=+\-@\t\r]', row)
    assert "'" + name in row


def test_an_export_during_an_erasure_names_nobody(app: Flask, desk: Desk, people: None) -> None:
    from broker.audit.log import erase

    issue(app, "a" * 43)
    made = body(desk.post("/exports", {"format": "csv"}))
    with app.app_context(), transaction() as tx:
        erase(tx, "a" * 43)
    with app.app_context():
        pack_next()
    content = desk.get(f"/exports/{made['id']}/bundle").data
    files = unzipped(content)
    assert files["entries.jsonl"].count(b"\n") == 1
    assert not any(b"a" * 43 in each or b"sub-of" in each for each in files.values())


def test_another_auditors_export_is_not_there(app: Flask, desk: Desk) -> None:
    made = body(desk.post("/exports", {"format": "csv"}, "limited"))["id"]
    with app.app_context():
        pack_next()
    for path in (f"/exports/{made}", f"/exports/{made}/bundle"):
        assert desk.get(path, "limited").status_code == 200
        assert desk.get(path, "second").status_code == 404
        assert desk.get(path, "good").status_code == 200  # audit:admin looks after the others
    assert body(desk.get("/exports", "second"))["exports"] == []


# Unmasking


@pytest.fixture
def asked(app: Flask, desk: Desk, people: None) -> str:
    """A request of Amina's about a person who exists."""
    entry = issue(app, "n" * 43)
    wish = {"entry": entry, "reason": "A complaint was made.", "minutes": 30}
    made = desk.post("/unmaskings", wish, "amina")
    assert made.status_code == 201, made.text
    return str(body(made)["id"])


def decide(desk: Desk, row: str, by: str, decision: str = "approve") -> Any:
    return desk.post(f"/unmaskings/{row}/decision", {"decision": decision}, by)


def test_nobody_approves_their_own_request(desk: Desk, asked: str) -> None:
    assert code(decide(desk, asked, "amina")) == "own_request"
    assert code(desk.get(f"/unmaskings/{asked}/person", "amina")) == "unmasking_over"


def test_a_request_is_approved_within_a_day_or_not_at_all(
    desk: Desk, asked: str, clock: StoppedClock
) -> None:
    clock.forward(hours=24)
    assert code(decide(desk, asked, "brahim")) == "unmasking_over"
    assert body(desk.get(f"/unmaskings/{asked}", "amina"))["state"] == "over"


def test_after_approval_who_asked_is_told_for_a_time(
    app: Flask, desk: Desk, asked: str, clock: StoppedClock
) -> None:
    assert body(decide(desk, asked, "brahim"))["state"] == "approved"
    told = desk.get(f"/unmaskings/{asked}/person", "amina")
    assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
    assert code(desk.get(f"/unmaskings/{asked}/person", "brahim")) == "not_your_request"
    clock.forward(minutes=30)
    assert code(desk.get(f"/unmaskings/{asked}/person", "amina")) == "unmasking_over"
    assert len(facts_of(app, "unmask.read")) == 1


def test_a_declined_request_stays_declined(desk: Desk, asked: str) -> None:
    assert body(decide(desk, asked, "brahim", "decline"))["state"] == "declined"
    assert code(decide(desk, asked, "brahim")) == "unmasking_over"
    assert code(desk.get(f"/unmaskings/{asked}/person", "amina")) == "unmasking_over"


def test_a_program_unmasks_nobody(desk: Desk, asked: str) -> None:
    wish = {"entry": 0, "reason": "A complaint was made.", "minutes": 30}
    assert code(desk.post("/unmaskings", wish, "program")) == "people_only"
    assert code(decide(desk, asked, "program")) == "people_only"


def test_an_erased_person_is_unmasked_for_nobody(app: Flask, desk: Desk, asked: str) -> None:
    from broker.audit.log import erase

    decide(desk, asked, "brahim")
    with app.app_context(), transaction() as tx:
        erase(tx, "n" * 43)
    assert code(desk.get(f"/unmaskings/{asked}/person", "amina")) == "nobody_known"


def test_unmasking_leaves_a_trace_at_every_step(app: Flask, desk: Desk, asked: str) -> None:
    decide(desk, asked, "brahim")
    desk.get(f"/unmaskings/{asked}/person", "amina")
    steps = [facts_of(app, f"unmask.{name}")[0] for name in ("requested", "approved", "read")]
    assert len({step["auditor"] for step in steps[:2]}) == 2
    assert steps[0]["auditor"] == steps[2]["auditor"]
    assert all(step["account"] for step in steps)  # linked, so that the person can be told
    assert "complaint" not in str(steps)


@pytest.mark.parametrize(
    "changed", [{"reason": "short"}, {"minutes": 4}, {"minutes": 1441}, {"entry": -1}, {"x": 1}]
)
def test_a_request_without_reason_or_time_box_is_refused(
    desk: Desk, people: None, changed: dict[str, Any]
) -> None:
    wish = {"entry": 0, "reason": "A complaint was made.", "minutes": 30} | changed
    assert code(desk.post("/unmaskings", wish, "amina")) == "malformed"


# Who may come in


SCOPES = [
    ("GET", "/entries", "prover"),
    ("GET", "/assertions", "prover"),
    ("GET", "/statistics?month=2026-10&by=level", "prover"),
    ("GET", "/checkpoint", "reader"),
    ("GET", "/consistency?from=1&to=1", "reader"),
    ("GET", "/tile/0/000.p/1", "reader"),
    ("GET", "/entries/0/proof", "reader"),
    ("GET", "/exports", "reader"),
    ("POST", "/exports", "reader"),
    ("POST", "/cases", "reader"),
    ("PATCH", "/cases/x", "reader"),
    ("POST", "/cases/x/comments", "reader"),
    ("GET", "/unmaskings", "good"),
    ("POST", "/unmaskings", "good"),
    ("POST", "/unmaskings/x/decision", "good"),
    ("GET", "/unmaskings/x/person", "good"),
    ("POST", "/searches", "prover"),
]


@pytest.mark.parametrize(("method", "path", "by"), SCOPES)
def test_without_the_scope_there_is_no_answer(
    app: Flask, desk: Desk, method: str, path: str, by: str
) -> None:
    issue(app)
    refused = desk.ask(method, path, by, {} if method != "GET" else None)
    assert (refused.status_code, code(refused)) == (403, "insufficient_scope")


def test_a_person_needs_a_strong_sign_in(desk: Desk, people: None) -> None:
    assert desk.get("/entries", "amina").status_code == 200
    refused = desk.get("/entries", "weak")
    assert (refused.status_code, code(refused)) == (401, "insufficient_user_authentication")


def test_a_person_who_was_not_appointed_reads_nothing(desk: Desk, people: None) -> None:
    assert code(desk.get("/entries", "stranger")) == "not_an_auditor"


# Conventions


def test_a_stale_state_is_not_overwritten(app: Flask, desk: Desk) -> None:
    case = body(desk.post("/cases", {"entry": issue(app), "title": "Why?"}))["id"]
    seen = desk.get(f"/cases/{case}").headers["ETag"]
    flagged = {"state": "flagged"}
    assert code(desk.patch(f"/cases/{case}", flagged)) == "precondition_required"
    changed = desk.patch(f"/cases/{case}", flagged, If_Match=seen)
    assert changed.status_code == 200
    stale = desk.patch(f"/cases/{case}", {"state": "closed"}, If_Match=seen)
    assert (stale.status_code, code(stale)) == (412, "precondition_failed")
    fresh = changed.headers["ETag"]
    assert desk.patch(f"/cases/{case}", {"state": "closed"}, If_Match=fresh).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [{"state": "open"}, {"state": "assigned"}, {"state": "closed", "assignee": "client:x"}],
)
def test_a_case_does_not_pass_into_any_state_from_any(
    app: Flask, desk: Desk, wanted: dict[str, str]
) -> None:
    made = desk.post("/cases", {"entry": issue(app), "title": "Why?"})
    seen = made.headers["ETag"]
    refused = desk.patch(f"/cases/{body(made)['id']}", wanted, If_Match=seen)
    assert (refused.status_code, code(refused)) == (409, "case_state")


def test_a_repeated_request_is_answered_again_and_done_once(app: Flask, desk: Desk) -> None:
    wish = {"entry": issue(app), "title": "Why?"}
    first = desk.post("/cases", wish, Idempotency_Key="k1")
    again = desk.post("/cases", wish, Idempotency_Key="k1")
    assert (first.status_code, first.data) == (again.status_code, again.data)
    assert len(body(desk.get("/cases"))["cases"]) == 1
    assert desk.post("/cases", wish, "second", Idempotency_Key="k1").status_code == 201


def test_a_key_that_came_with_another_request_is_refused(app: Flask, desk: Desk) -> None:
    wish = {"entry": issue(app), "title": "Why?"}
    desk.post("/cases", wish, Idempotency_Key="k1")
    other = desk.post("/cases", wish | {"title": "Who?"}, Idempotency_Key="k1")
    assert (other.status_code, code(other)) == (422, "idempotency_key_reused")


def test_a_key_is_forgotten_after_a_day(app: Flask, desk: Desk, clock: StoppedClock) -> None:
    wish = {"entry": issue(app), "title": "Why?"}
    desk.post("/cases", wish, Idempotency_Key="k1")
    clock.forward(days=1)
    desk.post("/cases", wish, Idempotency_Key="k1")
    assert len(body(desk.get("/cases"))["cases"]) == 2


def test_other_media_types_are_not_spoken(desk: Desk) -> None:
    refused = desk.get("/entries", Accept="application/xml")
    assert (refused.status_code, code(refused)) == (406, "not_acceptable")
    assert desk.get("/entries", Accept="application/*;q=0.5").status_code == 200


def test_a_body_of_another_kind_is_refused(app: Flask) -> None:
    client = app.test_client()
    sent = client.post("/api/v1/cases", data="x", headers={"Authorization": "Bearer good"})
    assert (sent.status_code, code(sent)) == (415, "unsupported_media_type")


def test_a_long_body_is_refused(desk: Desk) -> None:
    long = desk.post("/cases", {"entry": 0, "title": "x" * 70_000})
    assert (long.status_code, code(long)) == (413, "too_many_bytes")


def test_what_cannot_be_recorded_is_not_done(app: Flask, desk: Desk) -> None:
    entry = issue(app)
    with app.app_context(), transaction() as tx:
        tx.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON audit_staged"
                " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        )
    for refused in (
        desk.get("/assertions"),
        desk.get("/checkpoint"),
        desk.post("/cases", {"entry": entry, "title": "Why?"}),
        desk.post("/exports", {"format": "csv"}),
    ):
        assert (refused.status_code, code(refused)) == (503, "record_unavailable")
        assert refused.headers["Retry-After"] == "5"
    with app.app_context(), reading() as tx:
        assert tx.scalar(select(func.count()).select_from(Case)) == 0
        assert tx.scalar(select(func.count()).select_from(Export)) == 0


def test_who_asks_too_often_waits(desk: Desk, clock: StoppedClock) -> None:
    from broker.desk.pace import QUOTA

    first = desk.get("/searches")
    assert first.headers["RateLimit-Policy"] == f'"auditor";q={QUOTA};w=60'
    assert first.headers["RateLimit"] == f'"auditor";r={QUOTA - 1};t=60'
    windows = desk.app.extensions["desk_pace"]
    for _ in range(QUOTA - 1):
        windows.count("client:auditor", clock())
    refused = desk.get("/searches")
    assert (refused.status_code, code(refused)) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "60"
    assert desk.get("/searches", "second").status_code == 200
    clock.forward(minutes=1)
    assert desk.get("/searches").status_code == 200


# What the record keeps of a question


def test_who_was_looked_up_is_linked_and_not_told(app: Flask, desk: Desk) -> None:
    issue(app, "n" * 43)
    subject = "sub-of-" + "n" * 43
    assert len(body(desk.get(f"/assertions?subject={subject}"))["assertions"]) == 1
    (read,) = facts_of(app, "auditor.read")
    assert subject not in str(read)
    assert re.fullmatch("[A-Za-z0-9_-]{43}", read["account"])


def test_a_late_entry_is_found_at_its_own_time(app: Flask, desk: Desk) -> None:
    early = issue(app, at=NOON)
    issue(app, at=NOON + timedelta(hours=2))
    late = issue(app, at=NOON + timedelta(minutes=5))
    issue(app, at=NOON + timedelta(hours=3))
    found = body(desk.get("/assertions?from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z"))
    assert [each["index"] for each in found["assertions"]] == [early, late]


def test_refusals_are_found_by_their_reason(app: Flask, desk: Desk) -> None:
    issue(app)
    place = refuse(app)
    found = body(desk.get("/assertions?reason=access_denied&outcome=refused"))["assertions"]
    assert [each["index"] for each in found] == [place]
