"""Static files: for ever where the address names the content, never longer otherwise."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.web.static_files import static_url
from tests.conftest import ISSUER
from tests.web.conftest import see


def cache_control(client: FlaskClient, path: str) -> str:
    with client.get(path, base_url=ISSUER) as answer:
        return answer.headers["Cache-Control"]


def test_what_a_page_links_may_be_kept_for_a_year(client: FlaskClient) -> None:
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', see(client, "/").text)
    kept = {cache_control(client, part) for part in parts}
    assert kept == {"public, max-age=31536000, immutable"}


def test_without_its_digest_a_file_is_asked_for_anew(client: FlaskClient) -> None:
    assert cache_control(client, "/static/miftah.css") == "no-cache"


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc"])
def test_no_file_outside_the_folder_is_served(client: FlaskClient, path: str) -> None:
    assert see(client, path).status_code in {404, 308}


def test_the_digest_is_the_content_s(app: Flask) -> None:
    with app.test_request_context("/", base_url=ISSUER):
        url = static_url("miftah.css")
    assert re.fullmatch(r"/static/miftah\.css\?v=[0-9a-f]{12}", url)


def test_a_room_s_own_files_are_served_from_the_room(app: Flask) -> None:
    with app.test_request_context("/", base_url=ISSUER):
        url = static_url("ceremony.js", room="authentication")
    with app.test_client().get(url, base_url=ISSUER) as answer:
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
