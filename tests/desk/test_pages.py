import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from broker.audit.checkpoint import log_key
from broker.audit.entry import read_leaf
from broker.audit.log import record
from broker.audit.models import AuditEntry
from broker.db import reading, transaction
from broker.desk import auditor
from broker.desk.scope import ALL
from miftah_verify.note import parse_key
from miftah_verify.policy import simple
from miftah_verify.proof import verify_proof
from tests.conftest import NOON, StoppedClock
from tests.desk.conftest import issue, refuse
from tests.people import forms
from tests.recording import sequenced
from tests.visits import Visit, come, sign_in


def seat(
    app: Flask, browser: str, scope: frozenset[str] = frozenset(ALL), clients: Any = None
) -> Visit:
    """A browser in which an auditor is signed in."""
    visit = sign_in(come(app, browser * 43))
    house = app.extensions["broker"]
    with app.app_context(), transaction() as tx:
        auditor.appoint(tx, visit.account, scope, clients, NOON, house.random)
    return visit


@pytest.fixture
def amina(app: Flask) -> Visit:
    return seat(app, "a")


@pytest.fixture
def brahim(app: Flask) -> Visit:
    return seat(app, "b")


def reads(app: Flask) -> list[dict[str, Any]]:
    sequenced(app)
    with app.app_context(), reading() as tx:
        query = select(AuditEntry.leaf).where(AuditEntry.event == "auditor.read")
        return [read_leaf(leaf)["facts"] for leaf in tx.scalars(query.order_by(AuditEntry.idx))]


def story(app: Flask) -> int:
    """The index of an assertion with all that led to it."""
    checks = [
        {"method": "data", "property": "check_digits", "outcome": "passed"},
        {"method": "vcrypt", "property": "issuer_signature", "outcome": "skipped"},
    ]
    about: dict[str, Any] = {"account": "person"}
    with app.app_context(), transaction() as tx:
        shown = {"kind": "mrz_photo", "evidence": "evidence-1", "checks": checks, "level": "P0"}
        record(tx, "evidence.accepted", about | shown, NOON)
        agreed = {"client": "client-0", "scope": ["openid", "profile"]}
        record(tx, "consent.given", about | agreed, NOON)
        record(tx, "code.issued", about | {"client": "client-0", "grant": "grant-1"}, NOON)
    because = "mrz_photo: no profile met"
    rule: dict[str, Any] = {"identity": "P0", "policy": "v1", "because": because}
    return issue(app, "person", scope=["openid", "profile"], token="ab" * 32, **rule)


DOORS = [
    "/desk",
    "/desk/assertions/0",
    "/desk/cases",
    "/desk/exports",
    "/desk/pictures",
    "/desk/searches",
    "/desk/unmaskings",
]


@pytest.mark.parametrize("path", DOORS)
def test_whoever_is_not_signed_in_is_sent_to_sign_in(app: Flask, path: str) -> None:
    answer = come(app).get(path)
    assert (answer.status_code, answer.location) == (303, "/sign-in/desk")


@pytest.mark.parametrize("path", DOORS)
def test_a_person_who_was_not_appointed_is_told_whom_to_ask(app: Flask, path: str) -> None:
    visit = sign_in(come(app))
    answer = visit.get(path)
    assert answer.status_code == 403
    assert visit.account in answer.text


def test_a_weak_sign_in_is_not_enough(app: Flask, amina: Visit) -> None:
    with app.app_context(), transaction() as tx:
        tx.execute(text("UPDATE session SET authenticator = 'totp'"))
    answer = amina.get("/desk")
    assert answer.status_code == 403
    assert "/sign-in/desk?again=1" in answer.text


def test_a_post_without_a_form_token_is_refused(amina: Visit) -> None:
    answer = amina.client.post("/desk/cases", data={"entry": "0"}, base_url="https://broker.test")
    assert answer.status_code == 403


def test_a_search_finds_and_is_recorded(app: Flask, amina: Visit) -> None:
    place = issue(app)
    refuse(app)
    answer = amina.post("/desk", client="client-0", outcome="issued")
    assert re.findall(r"/desk/assertions/(\d+)", answer.text) == [str(place)]
    (read,) = reads(app)
    assert read["filter"] == {"client": "client-0", "outcome": "issued"}
    assert read["desk"] is True


def test_both_days_of_a_search_are_included(app: Flask, amina: Visit) -> None:
    places = [issue(app, f"p{day}", NOON + timedelta(days=day)) for day in range(3)]
    answer = amina.post("/desk", **{"from": "2026-11-23", "to": "2026-11-24"})
    found = re.findall(r"/desk/assertions/(\d+)", answer.text)
    assert found == [str(place) for place in places[:2]]


@pytest.mark.parametrize("field", [{"from": "yesterday"}, {"to": "9999-12-31"}, {"cursor": "x"}])
def test_a_search_that_makes_no_sense_is_shown_again(amina: Visit, field: dict[str, str]) -> None:
    answer = amina.post("/desk", **field)
    assert answer.status_code == 400
    assert "error-summary" in answer.text


def test_pages_of_a_search_lead_on(app: Flask, amina: Visit) -> None:
    for n in range(30):
        issue(app, f"p{n}")
    first = amina.post("/desk", client="client-0")
    (onward,) = [form for form in forms(first.text) if "cursor" in form.fields]
    second = amina.post("/desk", **onward.fields)
    seen = [len(re.findall(r"/desk/assertions/", page.text)) for page in (first, second)]
    assert seen == [25, 5]


def test_an_assertion_is_told_from_evidence_to_token(app: Flask, amina: Visit) -> None:
    answer = amina.get(f"/desk/assertions/{story(app)}?ui_locales=en")
    told = [
        "What the person showed passed its checks.",
        "check_digits",
        "not made",
        "mrz_photo: no profile met",
        "The person agreed to what is shared.",
        "An authorization code was sent.",
        "ab" * 32,
    ]
    places = [answer.text.index(each) for each in told]
    assert places == sorted(places)


def test_the_page_hands_the_browser_a_proof_that_holds(app: Flask, amina: Visit) -> None:
    from base64 import b64decode

    from broker.audit import merkle
    from broker.audit.checkpoint import log_key
    from broker.audit.note import open_checkpoint

    page = amina.get(f"/desk/assertions/{story(app)}").text
    found = re.search(r'data-proof="([^"]+)"', page)
    assert found
    from html import unescape

    proof = json.loads(unescape(found[1]))
    with app.app_context():
        key = log_key()
    head = open_checkpoint(proof["checkpoint"], key)
    assert b64decode(proof["key"]) == key.public
    path = [b64decode(step) for step in proof["path"]]
    leaf = merkle.leaf_hash(b64decode(proof["leaf"]))
    merkle.verify_inclusion(leaf, proof["index"], head.size, path, head.root)


def test_entry_and_proof_are_files_for_the_auditors_own_program(app: Flask, amina: Visit) -> None:
    place = story(app)
    said = [amina.get(f"/desk/entries/{place}/{kind}") for kind in ("leaf", "tlog-proof")]
    assert [answer.status_code for answer in said] == [200, 200]
    assert f'"{place}.tlog-proof"' in said[1].headers["Content-Disposition"]
    with app.app_context():
        policy = simple(parse_key(str(log_key())))
    assert verify_proof(said[1].data, said[0].data, policy).index == place


def test_steps_on_the_page_end_at_the_signed_root(app: Flask) -> None:
    from broker.audit import merkle
    from broker.audit.note import encode
    from broker.desk.story import steps

    for size in range(1, 40):
        leaves = [merkle.leaf_hash(bytes([n])) for n in range(size)]
        nodes = merkle.nodes_over(leaves)
        for index in range(size):
            path = [encode(h) for h in merkle.inclusion_proof(nodes, index, size)]
            leaf = encode(leaves[index])
            made = steps({"index": index, "size": size, "leaf_hash": leaf, "path": path})
            assert (made[-1][1] if made else leaf) == encode(merkle.root(nodes, size))


def test_an_altered_entry_is_shown_to_nobody(app: Flask, amina: Visit) -> None:
    place = story(app)
    with app.app_context(), transaction() as tx:
        tx.execute(text("UPDATE audit_entry SET level = 'P3' WHERE idx = :i"), {"i": place})
    assert amina.get(f"/desk/assertions/{place}").status_code == 500


def test_a_limited_auditor_sees_no_other_services_pages(app: Flask) -> None:
    narrow = seat(app, "n", clients=frozenset({"client-1"}))
    place = story(app)
    assert narrow.get(f"/desk/assertions/{place}").status_code == 404
    assert narrow.get(f"/desk/entries/{place}").status_code == 404
    assert "/desk/assertions/" not in narrow.post("/desk").text


def test_a_case_goes_from_hand_to_hand(app: Flask, amina: Visit, brahim: Visit) -> None:
    place = story(app)
    case = amina.post("/desk/cases", entry=str(place), title="Why P0?").location
    assert amina.post(f"{case}/comments", text="Odd level.").status_code == 303
    assert brahim.post(f"{case}/state", state="assigned", version="1").status_code == 303
    assert "Odd level." in brahim.get(case).text
    assert amina.post(f"{case}/state", state="closed", version="1").status_code == 412
    assert amina.post(f"{case}/state", state="closed", version="2").status_code == 303
    assert amina.post(f"{case}/state", state="flagged", version="3").status_code == 409
    assert "Why P0?" in amina.get("/desk/cases").text


def test_two_auditors_unmask_a_person_and_both_leave_a_trace(
    app: Flask, amina: Visit, brahim: Visit, clock: StoppedClock
) -> None:
    stranger = sign_in(come(app, "s" * 43))
    place = issue(app, stranger.account)
    wish = {"entry": str(place), "reason": "A complaint was made.", "minutes": "30"}
    assert amina.post("/desk/unmaskings", **wish).status_code == 303
    with app.app_context(), reading() as tx:
        name = tx.scalar(text("SELECT id FROM desk_unmasking"))
    decision, person = f"/desk/unmaskings/{name}/decision", f"/desk/unmaskings/{name}/person"
    assert amina.post(decision, decision="approve").status_code == 403
    assert amina.post(person).status_code == 409
    assert brahim.post(decision, decision="approve").status_code == 303
    assert brahim.post(person).status_code == 403
    assert amina.post(person).status_code == 200
    clock.forward(minutes=30)
    assert amina.post(person).status_code == 409
    sequenced(app)
    with app.app_context(), reading() as tx:
        query = select(AuditEntry.event).where(AuditEntry.event.like("unmask.%"))
        events = tx.scalars(query.order_by(AuditEntry.idx)).all()
    assert events == ["unmask.requested", "unmask.approved", "unmask.read"]


@pytest.mark.parametrize(
    ("path", "need"),
    [("/desk/cases", "audit:case.write"), ("/desk/unmaskings", "audit:unmask")],
)
def test_without_the_scope_a_page_is_refused(app: Flask, path: str, need: str) -> None:
    visit = seat(app, "x", frozenset(ALL) - {need})
    wish = {"entry": "0", "title": "Why?", "reason": "A complaint.", "minutes": "30"}
    assert visit.post(path, **wish).status_code == 403


def test_small_numbers_are_in_no_picture(app: Flask, amina: Visit, clock: StoppedClock) -> None:
    for n in range(6):
        issue(app, f"p{n}", acr="basic")
        refuse(app, reason="access_denied")
    for n in range(4):
        issue(app, f"q{n}", acr="verified-phr")
    clock.forward(days=8)
    sign_in(amina, amina.account, clock())
    page = amina.get("/desk/pictures?ui_locales=en").text
    assert "2026-11 verified-phr" not in page
    assert "withheld" in page


def test_what_cannot_be_recorded_is_not_shown(app: Flask, amina: Visit) -> None:
    place = story(app)
    with app.app_context(), transaction() as tx:
        tx.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON audit_staged"
                " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        )
    answer = amina.get(f"/desk/assertions/{place}")
    assert answer.status_code == 503
    assert "client-0" not in answer.text


def test_an_erased_auditor_reads_no_more(app: Flask, amina: Visit) -> None:
    with app.app_context(), transaction() as tx:
        auditor.forget(tx, amina.account)
    assert amina.get("/desk").status_code == 403


@pytest.mark.parametrize("command", ["appoint", "dismiss"])
def test_an_identifier_that_begins_with_a_hyphen_is_no_option(app: Flask, command: str) -> None:
    told = app.test_cli_runner().invoke(args=["desk", command, "-HoNo4X7"])
    assert "has this" in told.output


def test_an_operator_appoints_and_dismisses(app: Flask) -> None:
    visit, run = sign_in(come(app)), app.test_cli_runner().invoke
    made = run(args=["desk", "appoint", visit.account, "--scope", "audit:read"])
    assert made.exit_code == 0, made.output
    name = made.output.strip()
    assert visit.get("/desk").status_code == 200
    assert name in run(args=["desk", "list"]).output
    assert run(args=["desk", "appoint", visit.account]).exit_code == 2
    assert run(args=["desk", "appoint", "nobody"]).exit_code == 2
    assert run(args=["desk", "appoint", visit.account, "--scope", "all"]).exit_code == 2
    assert run(args=["desk", "dismiss", name]).exit_code == 0
    assert run(args=["desk", "dismiss", name]).exit_code == 2
    assert visit.get("/desk").status_code == 403
