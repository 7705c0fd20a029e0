"""Any words at the doors whose own tests have none of it: Hypothesis, never a server error."""

from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.db import db
from broker.oidc.exchange import ACCESS_TOKEN, GRANT_TYPE
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.fuzz.town import Town, found
from tests.oidc.test_client_certificate import behind

ANY = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LATIN = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x00"), max_size=60)
SEGMENT = st.sampled_from(["", "e30", "bnVsbA", "W10", "eyJhbGciOiJFUzI1NiJ9", "AA", "A" * 86, "é"])
JWTS = st.lists(SEGMENT, min_size=1, max_size=6).map(".".join)


@pytest.fixture
def town(tools: Tools) -> Iterator[Town]:
    app: Flask = behind(tools)
    app.testing = False
    yield found(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@ANY
@given(scheme=st.sampled_from(["Bearer", "DPoP", "bearer", ""]), token=JWTS | LATIN, proof=JWTS)
def test_no_access_token_whatever_is_answered_with_5xx(
    town: Town, scheme: str, token: str, proof: str
) -> None:
    said = {"HTTP_AUTHORIZATION": f"{scheme} {token}", "HTTP_DPOP": proof}
    for path in ("/userinfo", "/api/v1/entries"):
        assert town.client.get(path, environ_overrides=said).status_code in {400, 401}


@ANY
@given(token=JWTS | st.text(max_size=60), hint=st.text(max_size=20))
def test_no_revocation_whatever_is_answered_with_5xx(town: Town, token: str, hint: str) -> None:
    form = {"token": token, "token_type_hint": hint}
    answer = town.client.post("/revoke", data=form, headers=town.secret.basic())
    assert answer.status_code in {200, 400}


@ANY
@given(
    form=st.dictionaries(
        st.sampled_from(
            (
                *("subject_token", "subject_token_type", "actor_token", "actor_token_type"),
                *("requested_token_type", "resource", "audience", "scope"),
            )
        ),
        JWTS | st.text(max_size=40) | st.sampled_from([ACCESS_TOKEN, ISSUER, "service", "openid"]),
    )
)
def test_no_exchange_whatever_is_answered_with_5xx(town: Town, form: dict[str, str]) -> None:
    sent = {"grant_type": GRANT_TYPE, "subject_token_type": ACCESS_TOKEN} | form
    answer = town.client.post("/token", data=sent, headers=town.secret.basic())
    assert answer.status_code == 400
