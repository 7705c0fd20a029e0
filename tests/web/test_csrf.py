"""A form is believed only where our page gave it to this browser."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import ISSUER
from tests.web.conftest import see


def token_of(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="(\w+)"', see(client, "/form").text)
    assert found
    return found[1]


def send(client: FlaskClient, **fields: str) -> tuple[int, str]:
    said = client.post("/sent", data=fields, base_url=ISSUER, headers={"Accept-Language": "en"})
    return said.status_code, said.text


def test_a_form_of_our_own_page_is_believed(client: FlaskClient) -> None:
    assert send(client, csrf_token=token_of(client), said="hello") == (200, "hello")


def test_a_token_lasts_as_long_as_the_browser_keeps_its_cookie(client: FlaskClient) -> None:
    assert token_of(client) == token_of(client)


@pytest.mark.parametrize("token", ["", "0" * 64, "é", "\ud7ff", "a" * 100_000])
def test_a_wrong_token_is_refused(client: FlaskClient, token: str) -> None:
    see(client, "/form")
    status, page = send(client, csrf_token=token, said="hello")
    assert status == 403
    assert "This page is too old to be sent." in page


def test_a_form_without_a_token_is_refused(client: FlaskClient) -> None:
    token_of(client)
    assert send(client, said="hello")[0] == 403


def test_the_token_of_another_browser_is_refused(app: Flask, client: FlaskClient) -> None:
    theirs = token_of(app.test_client())
    assert theirs != token_of(client)
    assert send(client, csrf_token=theirs)[0] == 403


def test_a_browser_without_cookies_is_refused_and_told_why(app: Flask) -> None:
    client = app.test_client(use_cookies=False)
    status, page = send(client, csrf_token=token_of(client))
    assert status == 403
    assert "Your browser must accept cookies." in page


def test_a_token_in_the_address_is_worth_nothing(client: FlaskClient) -> None:
    token = token_of(client)
    said = client.post(f"/sent?csrf_token={token}", base_url=ISSUER)
    assert said.status_code == 403


def test_the_token_does_not_give_the_cookie_away(client: FlaskClient) -> None:
    token = token_of(client)
    cookie = client.get_cookie("__Host-miftah_browser", domain="broker.test")
    assert cookie
    assert cookie.value not in token


def test_a_door_for_machines_expects_no_token(client: FlaskClient) -> None:
    assert client.post("/api/test/not_found", base_url=ISSUER).status_code == 404


def test_a_form_sent_to_no_address_is_not_found_rather_than_refused(client: FlaskClient) -> None:
    assert client.post("/nowhere", base_url=ISSUER).status_code == 404


def test_a_form_sent_where_only_reading_is_possible_says_so(client: FlaskClient) -> None:
    said = client.post("/policy", base_url=ISSUER)
    assert said.status_code == 405
    assert "GET" in said.headers["Allow"]
