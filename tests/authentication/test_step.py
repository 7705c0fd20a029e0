from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from broker.authentication.step import SignInStep
from broker.db import reading
from broker.errors import OAuthCode
from broker.feature import Asked, SignedIn
from tests.conftest import NOON

EARLIER, LATER = NOON - timedelta(hours=1), NOON + timedelta(minutes=3)


def _asked(signed_in_at: Any, prompt: str = "", max_age: int | None = None) -> Asked:
    person = SignedIn("s1", "a1", "passkey_synced", signed_in_at) if signed_in_at else None
    return Asked(
        client_id="c",
        client_name={},
        purpose={},
        redirect_origin="https://rp.test",
        scope=frozenset({"openid"}),
        prompt=frozenset(prompt.split()),
        acr_values=(),
        max_age=None if max_age is None else timedelta(seconds=max_age),
        began=NOON,
        interaction="i1",
        signed_in=person,
    )


@pytest.mark.parametrize(
    ("asked", "owed"),
    [
        (_asked(None), True),
        (_asked(None, "none"), True),
        (_asked(EARLIER), False),
        (_asked(EARLIER, "consent"), False),
        (_asked(EARLIER, "login"), True),
        (_asked(EARLIER, "select_account"), True),
        (_asked(EARLIER, "login consent"), True),
        (_asked(NOON, "login"), False),
        (_asked(LATER, "login"), False),
        (_asked(LATER, "select_account"), False),
        (_asked(EARLIER, max_age=3600), False),
        (_asked(EARLIER, max_age=3599), True),
        (_asked(EARLIER, max_age=0), True),
        (_asked(LATER, max_age=0), False),
        (_asked(NOON, max_age=0), False),
    ],
)
def test_a_sign_in_is_owed(app: Flask, asked: Asked, owed: bool) -> None:
    with app.app_context(), reading() as tx:
        assert SignInStep().owed(tx, asked, NOON + timedelta(minutes=40)) is owed


def test_the_step_names_its_page_and_what_a_silent_client_hears() -> None:
    step = SignInStep()
    assert (step.name, step.page, step.refusal) == (
        "authentication",
        "/sign-in/",
        OAuthCode.LOGIN_REQUIRED,
    )
