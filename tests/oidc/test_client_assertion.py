"""private_key_jwt: a client's own signed statement is its proof (RFC 7523, FAPI 2.0)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from broker import entropy
from broker.app import create_app
from broker.db import db
from broker.oidc.client_keys import KEPT, PATIENCE
from broker.settings import Settings
from broker.web.tools import Tools
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.oidc.test_races import at_once
from tests.servers import document, outbound, serving
from tests.service import Service, register
from tests.signing import ClientKey, a_key, assertion_claims, assertion_form

KEY = a_key()


@pytest.fixture
def service(app: Flask) -> Service:
    return by_key(app)


def by_key(app: Flask, key: ClientKey = KEY, **changed: Any) -> Service:
    """A service that proves itself with the key."""
    metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks": key.key_set}
    return register(app, secret=None, **(metadata | changed))


def ask(client: FlaskClient, assertion: str, **more: str) -> TestResponse:
    return client.post("/token", data=assertion_form(assertion, **more))


def said(response: TestResponse) -> str:
    assert response.status_code == 401, response.text
    assert response.get_json()["error"] == "invalid_client"
    assert response.headers["WWW-Authenticate"]
    return str(response.get_json()["error_description"])


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "RS256"])
def test_a_client_proves_itself_with_its_key(app: Flask, client: FlaskClient, alg: str) -> None:
    key = a_key(alg)
    by_key(app, key)
    assert ask(client, key.sign(assertion_claims(NOON))).status_code == 200


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "client-authentication+jwt"])
def test_an_assertion_may_name_its_type(
    client: FlaskClient, service: Service, typ: str | None
) -> None:
    assert ask(client, KEY.sign(assertion_claims(NOON), typ=typ)).status_code == 200


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "dpop+jwt", "at+jwt", "logout+jwt"])
def test_what_was_signed_for_another_purpose_is_no_assertion(
    client: FlaskClient, service: Service, typ: str
) -> None:
    assert "typ" in said(ask(client, KEY.sign(assertion_claims(NOON), typ=typ)))


def test_the_client_id_may_be_sent_beside_the_assertion(
    client: FlaskClient, service: Service
) -> None:
    assertion = KEY.sign(assertion_claims(NOON))
    assert ask(client, assertion, client_id="service").status_code == 200


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        ({"iss": None}, "iss and sub"),
        ({"iss": "other"}, "iss and sub"),
        ({"sub": "other"}, "iss and sub"),
        ({"aud": None}, "aud"),
        ({"aud": "https://elsewhere.test"}, "aud"),
        ({"aud": f"{ISSUER}/"}, "aud"),
        ({"aud": f"{ISSUER}/token"}, "aud"),
        ({"aud": f"{ISSUER}/par"}, "aud"),
        ({"aud": [ISSUER]}, "aud"),
        ({"aud": [ISSUER, f"{ISSUER}/token"]}, "aud"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 1}, "jti"),
        ({"jti": "x" * 257}, "jti"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": NOON.timestamp() - 60}, "exp"),
        ({"exp": NOON.timestamp() - 300}, "exp"),
        ({"exp": NOON.timestamp() + 361}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"iat": NOON.timestamp() + 61}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"nbf": NOON.timestamp() + 61}, "nbf"),
        ({"nbf": []}, "nbf"),
    ],
)
def test_an_assertion_that_says_otherwise_is_refused(
    client: FlaskClient, service: Service, changed: dict[str, Any], about: str
) -> None:
    assertion = KEY.sign(assertion_claims(NOON, **changed))
    assert about in said(ask(client, assertion, client_id="service"))


@pytest.mark.parametrize(
    "changed",
    [
        {"iat": NOON.timestamp() + 10},
        {"nbf": NOON.timestamp() + 10},
        {"nbf": NOON.timestamp() + 60},
        {"iat": None},
        {"exp": NOON.timestamp() + 300},
        {"exp": NOON.timestamp() - 59, "iat": NOON.timestamp() - 119},
        {"exp": NOON.timestamp() + 59.5},
    ],
)
def test_clocks_may_differ_by_a_minute(
    client: FlaskClient, service: Service, changed: dict[str, Any]
) -> None:
    assert ask(client, KEY.sign(assertion_claims(NOON, **changed))).status_code == 200


def test_an_assertion_is_good_once(client: FlaskClient, service: Service) -> None:
    assertion = KEY.sign(assertion_claims(NOON))
    assert ask(client, assertion).status_code == 200
    assert said(ask(client, assertion)) == "the assertion was used before"


def test_an_assertion_is_spent_even_if_what_it_was_sent_with_is_refused(
    client: FlaskClient, service: Service
) -> None:
    assertion = KEY.sign(assertion_claims(NOON))
    refused = ask(client, assertion, grant_type="nothing")
    assert refused.get_json()["error"] == "unsupported_grant_type"
    assert said(ask(client, assertion)) == "the assertion was used before"


def test_an_assertion_is_remembered_for_as_long_as_it_could_be_used(
    client: FlaskClient, service: Service, clock: StoppedClock
) -> None:
    assertion = KEY.sign(assertion_claims(NOON))
    assert ask(client, assertion).status_code == 200
    clock.forward(seconds=119)
    assert said(ask(client, assertion)) == "the assertion was used before"
    clock.forward(seconds=1)
    assert "exp" in said(ask(client, assertion))


def test_another_clients_identifier_of_an_assertion_is_not_mine(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEY.key_set}
    register(app, Service("other"), secret=None, **metadata)
    assert ask(client, KEY.sign(assertion_claims(NOON))).status_code == 200
    assert ask(client, KEY.sign(assertion_claims(NOON, "other"))).status_code == 200


def test_another_key_an_unknown_client_and_a_changed_claim_are_answered_alike(
    client: FlaskClient, service: Service
) -> None:
    mine = KEY.sign(assertion_claims(NOON))
    header, _, signature = mine.split(".")
    other_claims = KEY.sign(assertion_claims(NOON, jti="2")).split(".")[1]
    attempts = [
        a_key().sign(assertion_claims(NOON)),
        a_key(kid="key-2").sign(assertion_claims(NOON)),
        KEY.sign(assertion_claims(NOON, "nobody")),
        f"{header}.{other_claims}.{signature}",
    ]
    assert {said(ask(client, a)) for a in attempts} == {"client authentication failed"}
    assert ask(client, mine).status_code == 200


@pytest.mark.parametrize(
    "assertion", ["", "x", "a.b.c", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", "x" * 20_000]
)
def test_a_malformed_assertion_is_refused(
    client: FlaskClient, service: Service, assertion: str
) -> None:
    assert ask(client, assertion, client_id="service").status_code == 401
    assert ask(client, assertion).status_code == 401


def test_the_type_of_the_assertion_is_exact(client: FlaskClient, service: Service) -> None:
    assertion = KEY.sign(assertion_claims(NOON))
    wrong = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    assert said(ask(client, assertion, client_assertion_type=wrong)) == "client_assertion_type"
    assert said(ask(client, assertion, client_assertion_type="")) == "client_assertion_type"


def test_the_client_id_beside_an_assertion_must_be_the_same(
    client: FlaskClient, service: Service
) -> None:
    assertion = KEY.sign(assertion_claims(NOON))
    assert "iss and sub" in said(ask(client, assertion, client_id="other"))


def test_an_assertion_beside_a_secret_is_two_methods(client: FlaskClient, service: Service) -> None:
    assertion = KEY.sign(assertion_claims(NOON))
    both = ask(client, assertion, client_secret="x")
    assert both.get_json()["error"] == "invalid_request"
    header = client.post("/token", data=assertion_form(assertion), headers=service.basic())
    assert header.get_json()["error"] == "invalid_request"


def test_a_client_with_a_secret_may_not_use_an_assertion(app: Flask, client: FlaskClient) -> None:
    register(app, jwks=KEY.key_set)
    assert said(ask(client, KEY.sign(assertion_claims(NOON)))) == "client authentication failed"


@pytest.mark.parametrize("form", [{}, {"client_secret": ""}, {"client_secret": "x"}])
def test_a_client_with_a_key_may_not_use_less(
    client: FlaskClient, service: Service, form: dict[str, str]
) -> None:
    bare = {"grant_type": "client_credentials", "client_id": "service"}
    assert client.post("/token", data=bare | form).status_code == 401


def test_only_the_registered_algorithm_is_taken(app: Flask, client: FlaskClient) -> None:
    rsa = a_key("PS256")
    by_key(app, rsa, token_endpoint_auth_signing_alg="PS256")
    assert ask(client, rsa.sign(assertion_claims(NOON))).status_code == 200
    weaker = replace(rsa, alg="RS256")
    assert said(ask(client, weaker.sign(assertion_claims(NOON, jti="2"))))


def test_fapi_2_0_section_5_4_1_takes_no_rs256(app: Flask, client: FlaskClient) -> None:
    rsa = a_key("RS256")
    by_key(app, rsa, profile="fapi2", dpop_bound_access_tokens=True)
    assert said(ask(client, rsa.sign(assertion_claims(NOON)))) == "client authentication failed"


# Keys that are fetched


class Publisher:
    """A service's server that publishes its keys and counts who asks."""

    def __init__(self, *keys: ClientKey) -> None:
        self.keys, self.asked, self.status = list(keys), 0, 200
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked += 1
        self.meanwhile()
        body = json.dumps({"keys": [key.public for key in self.keys]}).encode()
        document(body, "application/jwk-set+json", self.status)(handler)


@pytest.fixture
def publisher(app: Flask) -> Iterator[Publisher]:
    held = app.extensions["broker"]
    app.extensions["broker"] = replace(held, outbound=outbound())
    publisher = Publisher(KEY)
    with serving(publisher) as url:
        by_key(app, jwks=None, jwks_uri=f"{url}/jwks")
        yield publisher


def attempt(client: FlaskClient, key: ClientKey = KEY) -> int:
    now = client.application.extensions["broker"].clock()
    jti = entropy.token(entropy.system)
    return ask(client, key.sign(assertion_claims(now, jti=jti))).status_code


def test_keys_are_fetched_once_and_remembered_for_ten_minutes(
    client: FlaskClient, publisher: Publisher, clock: StoppedClock
) -> None:
    assert [attempt(client) for _ in range(3)] == [200] * 3
    assert publisher.asked == 1
    clock.now += KEPT
    assert attempt(client) == 200
    assert publisher.asked == 2


def test_a_withdrawn_key_ends_with_the_memory_of_it(
    client: FlaskClient, publisher: Publisher, clock: StoppedClock
) -> None:
    assert attempt(client) == 200
    publisher.keys = [a_key(kid="key-2")]
    clock.now += KEPT
    assert attempt(client) == 401


def test_a_new_key_is_looked_for_at_once_and_a_wrong_one_only_every_half_minute(
    client: FlaskClient, publisher: Publisher, clock: StoppedClock
) -> None:
    assert attempt(client) == 200
    newer = a_key(kid="key-2")
    publisher.keys.append(newer)
    clock.now += PATIENCE
    assert attempt(client, newer) == 200
    assert publisher.asked == 2
    assert [attempt(client, a_key(kid="key-3")) for _ in range(5)] == [401] * 5
    assert publisher.asked == 2
    clock.now += PATIENCE
    assert attempt(client, a_key(kid="key-3")) == 401
    assert publisher.asked == 3


def test_a_key_set_that_cannot_be_had_is_not_asked_for_at_every_request(
    client: FlaskClient, publisher: Publisher, clock: StoppedClock
) -> None:
    publisher.status = 500
    assert [attempt(client) for _ in range(3)] == [401] * 3
    assert publisher.asked == 1
    publisher.status = 200
    clock.now += PATIENCE
    assert attempt(client) == 200


def test_a_failing_key_set_is_the_clients_failure_and_says_so(
    client: FlaskClient, publisher: Publisher
) -> None:
    publisher.status = 404
    assert said(ask(client, KEY.sign(assertion_claims(NOON)))) == "jwks_uri: upstream_unusable"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [%s]}' % b",".join([b"{}"] * 65), b"\xff"],
)
def test_what_is_no_key_set_is_not_used(app: Flask, client: FlaskClient, body: bytes) -> None:
    app.extensions["broker"] = replace(app.extensions["broker"], outbound=outbound())
    with serving(document(body)) as url:
        by_key(app, jwks=None, jwks_uri=f"{url}/jwks")
        assert attempt(client) == 401


def test_odd_keys_beside_the_right_one_do_no_harm(app: Flask, client: FlaskClient) -> None:
    odd: list[Any] = [1, None, {}, {"kty": "EC"}, {"kty": "oct", "k": "AA"}, KEY.public]
    by_key(app, jwks={"keys": odd})
    assert attempt(client) == 200


def test_many_requests_at_once_fetch_the_keys_once(roomy: Flask) -> None:
    publisher = Publisher(KEY)
    with serving(publisher) as url:
        by_key(roomy, jwks=None, jwks_uri=f"{url}/jwks")
        forms = iter([KEY.sign(assertion_claims(NOON, jti=str(n))) for n in range(8)])
        statuses = at_once(roomy, lambda c: ask(c, next(forms)))
    assert statuses == [200] * 8
    assert publisher.asked == 1


# On a real database


@pytest.fixture
def roomy(tools: Tools, database_url: str) -> Iterator[Flask]:
    """The application on either kind of database, on disk."""
    settings = Settings(issuer=ISSUER, database_url=database_url)
    held = replace(tools, settings=settings, random=entropy.system, outbound=outbound())
    app = create_app(held)
    app.testing = True
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_no_transaction_is_open_while_keys_are_fetched(roomy: Flask) -> None:
    publisher, meanwhile = Publisher(KEY), []
    other = register(roomy, Service("other"))
    form = {"grant_type": "client_credentials"}

    def somebody_else_writes() -> None:
        answer = roomy.test_client().post("/token", data=form, headers=other.basic())
        meanwhile.append(answer.status_code)

    publisher.meanwhile = somebody_else_writes
    with serving(publisher) as url:
        by_key(roomy, jwks=None, jwks_uri=f"{url}/jwks")
        assert attempt(roomy.test_client()) == 200
    assert meanwhile == [200]


def test_one_assertion_is_taken_from_one_of_fifty(roomy: Flask) -> None:
    by_key(roomy)
    assertion = KEY.sign(assertion_claims(NOON))
    statuses = at_once(roomy, lambda c: ask(c, assertion), times=50)
    assert sorted(statuses) == [200] + [401] * 49


def test_a_registration_changed_since_the_proof_is_no_longer_proved(roomy: Flask) -> None:
    publisher = Publisher(KEY)

    def the_operator_changes_it() -> None:
        from broker.db import transaction
        from broker.oidc.models import ClientRow

        with roomy.app_context(), transaction() as tx:
            row = tx.get(ClientRow, "service")
            assert row is not None
            row.metadata_text = row.metadata_text.replace("Test service", "Other")

    publisher.meanwhile = the_operator_changes_it
    with serving(publisher) as url:
        by_key(roomy, jwks=None, jwks_uri=f"{url}/jwks")
        assert attempt(roomy.test_client()) == 401
        assert attempt(roomy.test_client()) == 200


# Whatever is sent

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
_CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.just("service") | _JSON,
        "sub": st.just("service") | _JSON,
        "aud": st.just(ISSUER) | _JSON,
        "jti": _JSON,
        "exp": st.just(NOON.timestamp() + 30) | _JSON,
        "iat": _JSON,
        "nbf": _JSON,
    },
)
_KEYLESS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_KEYLESS
@given(claims=_CLAIMS)
def test_no_claims_whatever_are_answered_with_5xx(
    client: FlaskClient, service: Service, claims: dict[str, Any]
) -> None:
    assert ask(client, KEY.sign(claims)).status_code in {200, 400, 401}


@_KEYLESS
@given(place=st.integers(0, 400), put=st.characters(codec="utf-8"))
def test_no_changed_character_is_answered_with_5xx_or_accepted(
    client: FlaskClient, service: Service, place: int, put: str
) -> None:
    assertion = KEY.sign(assertion_claims(NOON))
    place %= len(assertion)
    if assertion[place] != put:
        changed = assertion[:place] + put + assertion[place + 1 :]
        assert ask(client, changed).status_code == 401
