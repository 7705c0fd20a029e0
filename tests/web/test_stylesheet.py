"""The one stylesheet: no physical side, enough contrast in both schemes, small."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask

import broker

STATIC = Path(broker.__file__).parent / "web" / "static"
CSS = (STATIC / "miftah.css").read_text("utf-8")
KILOBYTE = 1024

TEXT_ON = {
    "ink": ("paper", "sheet", "info-wash", "caution-wash", "good-wash", "alarm-wash"),
    "soft": ("paper", "sheet"),
    "link": ("paper", "sheet", "good-wash", "info-wash", "caution-wash"),
    "link-hover": ("paper", "sheet", "info-wash", "caution-wash"),
    "accent": ("paper",),
    "alarm": ("paper", "sheet", "alarm-wash"),
    "caution": ("caution-wash",),
    "good": ("good-wash",),
    "on-action": ("action", "action-hover"),
    "on-masthead": ("masthead",),
}
"""Colour of text → every ground it stands on."""

EDGES_ON = {
    "edge": ("paper", "sheet"),
    "action": ("paper", "sheet"),
    "focus": ("paper", "sheet"),
    "info": ("paper", "info-wash"),
    "caution": ("paper",),
    "good": ("paper",),
}
"""Colour of a border or outline that says something → its ground (WCAG 2.2, 1.4.11)."""


def tokens(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
    return found


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def too_faint(pairs: dict[str, tuple[str, ...]], scheme: str, least: float) -> dict[str, float]:
    colours = tokens(scheme)
    ratios = {
        f"{name} on {ground}": contrast(colours[name], colours[ground])
        for name, grounds in pairs.items()
        for ground in grounds
    }
    return {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < least}


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_readable_on_every_ground_it_stands_on(scheme: str) -> None:
    assert too_faint(TEXT_ON, scheme, 4.5) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_edge_that_says_something_can_be_seen(scheme: str) -> None:
    assert too_faint(EDGES_ON, scheme, 3) == {}


def test_no_rule_knows_a_physical_side() -> None:
    rules = re.sub(r"/\*.*?\*/", "", CSS, flags=re.DOTALL)
    sides = r"\b(left|right)\b|-(top|bottom)\b|(?<![\w-])(top|bottom|width|height):"
    assert re.findall(sides, rules) == []


def test_it_weighs_at_most_10_kb_on_the_wire() -> None:
    assert len(gzip.compress(CSS.encode(), mtime=0)) <= 10 * KILOBYTE


def test_it_brings_nothing_from_elsewhere() -> None:
    assert re.findall(r"@import|https?:|data:|@font-face", CSS) == []


def test_a_picture_in_it_is_named_by_its_content_so_it_may_be_cached_for_ever() -> None:
    named = re.findall(r'url\("([\w.]+)\?v=(\w+)"\)', CSS)
    assert named
    assert CSS.count("url(") == len(named)
    for file, version in named:
        assert hashlib.sha256((STATIC / file).read_bytes()).hexdigest()[:12] == version


def test_every_colour_is_a_token_except_on_paper() -> None:
    screen = CSS.split("@media print")[0]
    rules = re.sub(r":root \{.*?\}", "", screen, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s])", rules) == []


@pytest.mark.parametrize(
    "question",
    [
        "screen and (prefers-color-scheme: dark)",
        "(forced-colors: active)",
        "(prefers-reduced-motion: reduce)",
        "print",
    ],
)
def test_it_answers_to_what_people_set_in_their_browser(question: str) -> None:
    assert f"@media {question} {{" in CSS


def test_the_first_view_weighs_at_most_30_kb_uncompressed(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/", base_url="https://broker.test", headers={"Accept-Language": "ar"})
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(parts) == 2  # the stylesheet and the icon: no script
    weight = len(page.data) + (STATIC / "zellij.svg").stat().st_size
    for part in parts:
        with client.get(part) as answer:
            weight += len(answer.data)
    assert weight <= 30 * KILOBYTE
