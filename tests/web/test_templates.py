"""Rules that every page of every room keeps."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.web.catalogues import sources

PAGES = sources(".html")
WHOLE = [path for path in PAGES if "{% extends" in path.read_text("utf-8")]

named = pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}")


@named
def test_no_page_has_a_style_or_a_script_within(path: Path) -> None:
    text = path.read_text("utf-8")
    inline = r"<style\b|\bstyle\s*=|<script(?![^>]*\bsrc=)|\son\w+\s*=|javascript:"
    assert re.findall(inline, text, re.IGNORECASE) == []


@named
def test_nothing_on_a_page_comes_from_elsewhere(path: Path) -> None:
    text = re.sub(r'xmlns="[^"]*"', "", path.read_text("utf-8"))
    assert re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", text) == []


@named
def test_every_form_that_changes_something_carries_its_token(path: Path) -> None:
    text = path.read_text("utf-8")
    for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL | re.IGNORECASE):
        if 'method="post"' in form and 'action="{{ reply.' not in form:  # that one leaves us
            assert "csrf_field()" in form


@named
def test_a_page_translates_whole_sentences_and_never_pieces_put_together(path: Path) -> None:
    tree = Environment(autoescape=True).parse(path.read_text("utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in {"_", "gettext", "ngettext"}:
            assert not isinstance(call.args[0], nodes.Concat | nodes.Add | nodes.Mod)


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_page_has_a_title_and_one_heading(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "{% block title %}" in text
    assert text.count("<h1") + text.count("step_heading(") >= 1
    assert text.count("{% block content %}") == 1


def test_the_frame_names_its_language_and_its_direction() -> None:
    frame = next(path for path in PAGES if path.name == "base.html").read_text("utf-8")
    assert '<html lang="{{ language }}" dir="{{ direction }}">' in frame
