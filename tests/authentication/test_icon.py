"""A picture of a key: its model's, where the model is proved."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.authentication.maker import Maker, entry
from tests.authentication.test_metadata import PUBLISHER, put_in_force, rooted
from tests.authentication.test_standing import MAKER, _made
from tests.people import enrol, visit

__all__ = ["rooted"]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def icon(picture: bytes = PNG, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def shown(app: Flask, folder: Path, said: Any, maker: Maker = MAKER) -> tuple[Any, list[str]]:
    """Who enrolled a key of this maker, and the pictures on their account page."""
    put_in_force(app, folder, PUBLISHER.blob(entry(MAKER.root, icon=said)))
    client = app.test_client()
    enrol(client, authenticator=_made(maker))
    return client, re.findall(r'<img src="(/keys/[^"]+)"', visit(client, "/account").text)


def test_an_attested_key_is_shown_with_its_model_s_picture(rooted: Flask, tmp_path: Path) -> None:
    client, [address] = shown(rooted, tmp_path, icon())
    answer = visit(client, address)
    assert (answer.mimetype, answer.data) == ("image/png", PNG)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_model_that_is_only_claimed_shows_no_picture(rooted: Flask, tmp_path: Path) -> None:
    client, pictures = shown(rooted, tmp_path, icon(), maker=Maker())
    assert pictures == []
    key = re.findall(r"/keys/([^/]+)/name", visit(client, "/account").text)[0]
    assert visit(client, f"/keys/{key}/icon").status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        icon(b"<svg onload=alert(1)>"),
        icon(PNG, "image/svg+xml"),
        icon(PNG + bytes(200_000)),
        "data:image/png;base64,%%%",
        "https://elsewhere.test/a.png",
        7,
        None,
    ],
    ids=["not png", "svg", "large", "not base64", "elsewhere", "number", "nothing"],
)
def test_what_is_no_small_png_is_no_picture(rooted: Flask, tmp_path: Path, said: Any) -> None:
    _, pictures = shown(rooted, tmp_path, said)
    assert pictures == []


def test_nobody_sees_the_picture_of_another_person_s_key(rooted: Flask, tmp_path: Path) -> None:
    _, [address] = shown(rooted, tmp_path, icon())
    stranger = rooted.test_client()
    enrol(stranger)
    assert visit(stranger, address).status_code == 404
