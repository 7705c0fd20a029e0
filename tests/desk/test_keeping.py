"""Searches kept and entries taken along, on the desk's pages."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from broker.db import reading
from broker.desk import exports, question
from broker.desk.models import Export
from broker.desk.scope import EXPORT, READ
from broker.desk.worker import pack_next
from broker.errors import Malformed
from broker.web.locale import catalogue
from tests.conftest import NOON, StoppedClock
from tests.desk.conftest import issue, refuse
from tests.desk.test_pages import reads, seat
from tests.people import forms
from tests.visits import Visit, sign_in

DAY = {"from": "2026-11-23", "to": "2026-11-24"}


@pytest.fixture
def amina(app: Flask) -> Visit:
    return seat(app, "a")


def form(visit: Visit, page: str, action: str) -> dict[str, str]:
    """What the form of this address holds, without its token."""
    (found,) = [each for each in forms(page) if each.action == action]
    return {name: value for name, value in found.fields.items() if name != "csrf_token"}


def test_what_was_searched_is_kept_and_searched_again(app: Flask, amina: Visit) -> None:
    place = issue(app)
    issue(app, "later", NOON + timedelta(days=3))
    found = amina.post("/desk", client="client-0", **DAY).text
    asked = form(amina, found, "/desk/searches")
    assert {"client": "client-0", **DAY}.items() <= asked.items()
    answer = amina.post("/desk/searches", **asked | {"name": "Chaque <lundi>"})
    assert (answer.status_code, answer.location) == (303, "/desk/searches")
    page = amina.get("/desk/searches?ui_locales=en").text
    assert "Chaque &lt;lundi&gt;" in page
    assert "Up to and including \u20682026-11-24\u2069" in page
    again = next(f.action for f in forms(page) if re.fullmatch(r"/desk/searches/[^/]+", f.action))
    anew = amina.post(again).text
    assert re.findall(r"/desk/assertions/(\d+)", anew) == [str(place)]
    assert 'value="2026-11-24"' in anew


def test_a_search_again_is_on_record_as_any_other(app: Flask, amina: Visit) -> None:
    amina.post("/desk/searches", name="Refus", outcome="refused")
    page = amina.get("/desk/searches").text
    (path,) = {f.action for f in forms(page) if re.fullmatch(r"/desk/searches/[^/]+", f.action)}
    amina.post(path)
    last = reads(app)[-1]
    assert (last["what"], last["filter"]) == ("assertions", {"outcome": "refused"})
    assert last["search"] == path.rsplit("/", 1)[-1]


def test_pages_of_a_search_again_go_on(app: Flask, amina: Visit) -> None:
    for n in range(26):
        issue(app, f"p{n}")
    amina.post("/desk/searches", name="Tout", **DAY)
    page = amina.get("/desk/searches").text
    (path,) = {f.action for f in forms(page) if re.fullmatch(r"/desk/searches/[^/]+", f.action)}
    first = amina.post(path).text
    onward = next(f.fields for f in forms(first) if "cursor" in f.fields)
    onward.pop("csrf_token")
    second = amina.post("/desk", **onward).text
    seen = [re.findall(r"/desk/assertions/(\d+)", text) for text in (first, second)]
    assert [len(each) for each in seen] == [25, 1]
    assert not set(seen[0]) & set(seen[1])


def test_a_search_that_is_dropped_is_gone(app: Flask, amina: Visit) -> None:
    amina.post("/desk/searches", name="Refus", outcome="refused")
    (drop,) = {f.action for f in forms(amina.get("/desk/searches").text) if "/drop" in f.action}
    assert amina.post(drop).status_code == 303
    assert "Refus" not in amina.get("/desk/searches").text


def test_searches_of_others_are_neither_seen_nor_found(app: Flask, amina: Visit) -> None:
    amina.post("/desk/searches", name="Refus", outcome="refused")
    (drop,) = {f.action for f in forms(amina.get("/desk/searches").text) if "/drop" in f.action}
    brahim = seat(app, "b")
    assert "Refus" not in brahim.get("/desk/searches").text
    assert brahim.post(drop).status_code == 404
    assert brahim.post(drop.removesuffix("/drop")).status_code == 404


def test_a_search_that_names_a_person_is_neither_kept_nor_taken_along(
    app: Flask, amina: Visit
) -> None:
    issue(app)
    page = amina.post("/desk?ui_locales=en", subject="sub-of-person").text
    assert "neither kept nor taken along" in page
    assert {f.action for f in forms(page)} == {"/desk"}
    for path, more in (("/desk/searches", {"name": "x"}), ("/desk/exports", {"format": "csv"})):
        assert amina.post(path, subject="sub-of-person", **more).status_code == 400


@pytest.mark.parametrize("said", [{"name": ""}, {"name": "x", "from": "yesterday"}])
def test_what_is_no_search_is_not_kept(amina: Visit, said: dict[str, str]) -> None:
    assert amina.post("/desk/searches", **said).status_code == 400


def test_what_was_found_is_taken_along_as_soon_as_it_is_packed(app: Flask, amina: Visit) -> None:
    place = issue(app)
    refuse(app)
    found = amina.post("/desk", outcome="issued").text
    asked = form(amina, found, "/desk/exports")
    answer = amina.post("/desk/exports", **asked | {"format": "csv"})
    assert (answer.status_code, answer.location) == (303, "/desk/exports")
    waiting = amina.get("/desk/exports?ui_locales=en").text
    assert "being packed" in waiting
    assert "/bundle" not in waiting
    with app.app_context():
        assert pack_next()
    ready = amina.get("/desk/exports?ui_locales=en").text
    assert "Outcome \u2068told\u2069" in ready
    (path,) = re.findall(r'href="(/desk/exports/[^"]+/bundle)"', ready)
    got = amina.get(path)
    assert got.headers["Content-Disposition"].startswith('attachment; filename="miftah-')
    with zipfile.ZipFile(io.BytesIO(got.data)) as archive:
        assert archive.read("assertions.csv").decode().count(f"\n{place},") == 1
    assert [read["what"] for read in reads(app)][-1] == "bundle"


def test_an_export_that_is_not_packed_yet_is_not_fetched(app: Flask, amina: Visit) -> None:
    issue(app)
    amina.post("/desk/exports", format="csv")
    with app.app_context(), reading() as tx:
        name = tx.scalars(select(Export.id)).one()
    assert amina.get(f"/desk/exports/{name}/bundle").status_code == 409


def test_an_export_too_large_says_so(
    app: Flask, amina: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue(app)
    monkeypatch.setattr(exports, "MOST", 0)
    amina.post("/desk/exports", format="jsonl")
    with app.app_context():
        assert pack_next()
    page = amina.get("/desk/exports?ui_locales=en").text
    assert "not packed" in page
    assert "ask for fewer" in page
    assert "/bundle" not in page


def test_exports_of_others_and_of_yesterday_are_not_there(
    app: Flask, amina: Visit, clock: StoppedClock
) -> None:
    issue(app)
    amina.post("/desk/exports", format="csv")
    with app.app_context():
        assert pack_next()
    (path,) = re.findall(r'href="(/desk/exports/[^"]+/bundle)"', amina.get("/desk/exports").text)
    assert seat(app, "b", frozenset({READ, EXPORT})).get(path).status_code == 404
    assert amina.get(path).status_code == 200
    clock.forward(days=1)
    amina = sign_in(amina, amina.account, clock())
    assert amina.get(path).status_code == 404
    assert path not in amina.get("/desk/exports").text


def test_whoever_may_not_take_along_is_not_offered_it(app: Flask) -> None:
    issue(app)
    reader = seat(app, "r", frozenset({READ}))
    page = reader.post("/desk", client="client-0").text
    assert {f.action for f in forms(page)} == {"/desk", "/desk/searches"}
    assert reader.post("/desk/exports", format="csv").status_code == 403
    assert reader.get("/desk/exports").status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        DAY,
        {"from": "2026-11-23T10:00:00Z"},
        {"to": "0001-01-01T00:00:00Z"},
        {"kind": "mrz_photo"},
        {},
    ],
)
def test_the_form_asks_what_was_kept(query: dict[str, str]) -> None:
    kept = question.moments(query)
    assert question.moments(question.fields(kept)) == kept


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(Malformed):
        question.moments({"to": "9999-12-31"})


def test_a_question_without_parts_asks_for_everything(app: Flask) -> None:
    with app.test_request_context("/?ui_locales=en"):
        assert question.told({}) == "everything"
        assert question.told({"kind": "aura", "grant": "g"}) == (
            "Evidence \u2068aura\u2069 · grant \u2068g\u2069"
        )


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_every_word_of_the_tables_is_translated(language: str) -> None:
    for word in (*question.WORDS.values(), *exports.WORDS.values()):
        assert catalogue(language).gettext(word)
        assert word == "Service" or catalogue(language).gettext(word) != word
