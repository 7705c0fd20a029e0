"""The page that asks for the photograph, drawn by itself."""

import json
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

import broker

HOUSE = Path(broker.__file__).parent
SOURCE = HOUSE / "verifiers" / "mrz" / "templates" / "mrz" / "photograph.html"


@pytest.fixture
def page() -> Environment:
    folders = (SOURCE.parents[1], HOUSE / "web" / "templates")
    made = Environment(loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined)
    made.globals.update(
        _=str,
        form_token=lambda: "t0ken",
        static_url=lambda file, room="": f"/{room}/{file}",
        language_url=str,
        languages={"en": "English"},
        language="en",
        direction="ltr",
    )
    return made


def drawn(page: Environment, error: object = None) -> str:
    template = page.get_template("mrz/photograph.html")
    return template.render(action="/verify/mrz", attempt="h1", error=error)


def test_the_form_carries_files_the_attempt_and_the_token(page: Environment) -> None:
    html = drawn(page)
    assert '<form method="post" enctype="multipart/form-data" action="/verify/mrz"' in html
    assert '<input type="hidden" name="attempt" value="h1">' in html
    assert "t0ken" in html


def test_a_camera_and_a_file_are_two_labelled_inputs(page: Environment) -> None:
    html = drawn(page)
    inputs = {m["id"]: m[0] for m in re.finditer(r'<input id="(?P<id>\w+)"[^>]*>', html)}
    assert set(inputs) == {"camera", "photograph"}
    assert 'capture="environment"' in inputs["camera"]
    assert "capture" not in inputs["photograph"]
    assert "application/pdf" in inputs["photograph"]
    for name in inputs:
        assert f'<label for="{name}">' in html


def test_a_refusal_is_told_at_the_top(page: Environment) -> None:
    html = drawn(page, SimpleNamespace(what="It is <expired>.", advice="Use another."))
    assert "It is &lt;expired&gt;." in html
    assert html.index("Use another.") < html.index("<h1>")


def test_nothing_on_the_page_offends_a_strict_content_policy() -> None:
    source = SOURCE.read_text()
    assert not re.search(
        r"<script(?! type=\"module\" src=)|<style|\bstyle=|\bon[a-z]+=|data:", source
    )


def test_the_drawing_is_hidden_from_readers_aloud(page: Environment) -> None:
    assert re.search(r'<svg [^>]*aria-hidden="true"', drawn(page))


def test_the_script_is_told_its_words_by_the_page(page: Environment) -> None:
    found = re.search(r'data-hints="([^"]+)"', drawn(page))
    assert found
    hints = json.loads(unescape(found[1]))
    assert set(hints) == {"small", "blurred", "shining", "good"}


def test_the_script_is_a_few_kilobytes() -> None:
    assert (SOURCE.parents[2] / "static" / "photograph.js").stat().st_size < 6000


def test_a_telephone_is_told_who_asked_and_is_offered_no_other(page: Environment) -> None:
    # The macros ask whether they were called with a body, which strictness forbids.
    template = page.overlay(undefined=Undefined).get_template("mrz/photograph.html")
    html = template.render(action="/p", attempt="", error=None, for_computer="Taxes", _=_filled)
    assert "prove who they are to: Taxes." in html
    assert "code to scan" not in html


def test_a_computer_is_offered_the_telephone(page: Environment) -> None:
    template = page.get_template("mrz/photograph.html")
    html = template.render(action="/v", attempt="h1", error=None, hand_over="/v/phone")
    assert '<form method="post" action="/v/phone" class="hand-over">' in html


def _filled(text: str, **values: object) -> str:
    return text % values if values else text
