"""What a service registered for people to read stands where they decide (Registration §2)."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.service import register, settle

WORDS: dict[str, Any] = {
    "policy_uri": "https://service.test/privacy?a=1&b=2",
    "tos_uri": "https://service.test/terms",
}


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_the_policy_and_the_terms_are_linked_to(
    app: Flask, client: FlaskClient, language: str
) -> None:
    service = register(app, **WORDS)
    settle(app, client)
    page = client.get(f"{service.ask(client).location}?ui_locales={language}").text
    assert 'href="https://service.test/privacy?a=1&amp;b=2"' in page
    assert 'href="https://service.test/terms"' in page


def test_where_there_are_none_there_is_no_empty_list(app: Flask, client: FlaskClient) -> None:
    service = register(app)
    settle(app, client)
    assert "consent-links" not in client.get(service.ask(client).location).text
