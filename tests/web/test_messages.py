"""Every code that our code raises has words for people."""

import ast

import pytest
from flask import Flask

from broker.errors import OAuthCode
from broker.web.messages import MESSAGES, message
from tests.conftest import ISSUER
from tests.web.catalogues import DOORS, sources

RAISED = {
    "BrokerError", "Conflict", "Malformed", "NotAllowed", "NotFound", "TooLarge", "TooMany",
    "UpstreamUnavailable",
    "NotAcceptable", "PreconditionFailed", "PreconditionRequired", "RecordUnavailable",
    "Unprocessable", "UnsupportedMediaType",
}  # fmt: skip


def codes_raised() -> dict[str, str]:
    return {
        str(call.args[0].value): path.name
        for path in sources(".py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in RAISED
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_every_code_raised_by_name_has_a_message() -> None:
    own = {code for verifier in DOORS for code in verifier.refusals}
    assert {c: place for c, place in codes_raised().items() if c not in {*MESSAGES, *own}} == {}


def test_every_oauth_code_has_a_message() -> None:
    assert set(OAuthCode) <= set(MESSAGES)


def test_no_verifier_gives_other_words_to_a_code_of_the_house() -> None:
    for verifier in DOORS:
        assert set(verifier.refusals) & set(MESSAGES) == set()


@pytest.mark.parametrize("code", [code for v in DOORS for code in v.refusals])
def test_the_codes_of_a_verifier_come_with_their_words(app: Flask, code: str) -> None:
    with app.test_request_context("/?ui_locales=en", base_url=ISSUER):
        assert message(code) in [v.refusals.get(code) for v in DOORS]


def test_an_unknown_code_still_says_something(app: Flask) -> None:
    with app.test_request_context("/?ui_locales=en", base_url=ISSUER):
        assert message("never_heard_of").what == "We could not understand this request."


def test_a_message_without_advice_does_not_show_the_catalogue_s_head(app: Flask) -> None:
    with app.test_request_context("/?ui_locales=fr", base_url=ISSUER):
        assert message("method_not_allowed").advice == ""
