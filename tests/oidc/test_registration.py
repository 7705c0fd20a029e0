"""Dynamic registration and its management, by invitation (RFC 7591, RFC 7592)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from broker import entropy
from broker.app import create_app
from broker.audit.models import AuditEntry
from broker.db import db, reading, transaction
from broker.oidc import store
from broker.oidc.client_metadata import ClientMetadata
from broker.oidc.models import ClientRow, InitialAccess
from broker.oidc.registration import read, written
from broker.settings import Settings
from broker.web.tools import Tools
from tests.conftest import ISSUER, NOON, StoppedClock
from tests.oidc.test_races import at_once
from tests.recording import sequenced
from tests.servers import document, outbound, serving
from tests.service import Service, settle
from tests.signing import a_key, assertion_claims, assertion_form

CALLBACK = "https://service.test/callback"
MINIMAL = {"redirect_uris": [CALLBACK]}
KEY = a_key()


def invited(app: Flask, *options: str) -> dict[str, str]:
    """The header of somebody whom the operator invited."""
    told = app.test_cli_runner().invoke(args=["client", "invite", *options]).output
    return {"Authorization": f"Bearer {told.split()[1]}"}


@pytest.fixture
def invitation(app: Flask) -> dict[str, str]:
    return invited(app, "--uses", "1000")


def ask(
    client: FlaskClient, headers: dict[str, str], body: Any = None, **more: Any
) -> TestResponse:
    return client.post(
        "/register", json=(MINIMAL if body is None else body) | more, headers=headers
    )


def made(client: FlaskClient, headers: dict[str, str], **more: Any) -> dict[str, Any]:
    response = ask(client, headers, **more)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.get_json()
    return found


def refused(response: TestResponse) -> tuple[str, str]:
    assert response.status_code == 400, response.text
    body = response.get_json()
    return body["error"], body.get("error_description", "")


def managing(found: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {found['registration_access_token']}"}


def address(found: dict[str, Any]) -> str:
    assert found["registration_client_uri"].startswith(f"{ISSUER}/register/")
    return str(found["registration_client_uri"]).removeprefix(ISSUER)


def changed(client: FlaskClient, found: dict[str, Any], **more: Any) -> TestResponse:
    body = MINIMAL | {"client_id": found["client_id"]} | more
    return client.put(address(found), json=body, headers=managing(found))


def events(app: Flask) -> list[str]:
    sequenced(app)
    with app.app_context(), reading() as tx:
        return list(tx.scalars(select(AuditEntry.event).order_by(AuditEntry.idx)))


def metadata(app: Flask, client_id: str) -> ClientMetadata:
    with app.app_context(), reading() as tx:
        client = store.find_client(tx, client_id)
    assert client is not None
    return client.metadata


# The invitation: RFC 7591 §3


def test_nobody_registers_without_an_invitation(app: Flask, client: FlaskClient) -> None:
    bare = ask(client, {})
    assert bare.status_code == 401
    assert bare.headers["WWW-Authenticate"] == 'Bearer realm="miftah"'
    wrong = ask(client, {"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.get_json()["error"]) == (401, "invalid_token")
    assert events(app) == []


def test_an_invitation_is_good_for_as_many_services_as_it_says(
    app: Flask, client: FlaskClient
) -> None:
    headers = invited(app, "--uses", "2")
    assert [ask(client, headers).status_code for _ in range(3)] == [201, 201, 401]


def test_an_invitation_ends(app: Flask, client: FlaskClient, clock: StoppedClock) -> None:
    headers = invited(app, "--days", "1")
    clock.forward(days=1)
    assert ask(client, headers).status_code == 401


def test_a_refused_registration_uses_no_invitation_up(app: Flask, client: FlaskClient) -> None:
    headers = invited(app)
    assert ask(client, headers, redirect_uris=["http://service.test/"]).status_code == 400
    assert ask(client, headers).status_code == 201


def test_an_invitation_is_kept_as_a_digest_and_swept_once_it_ended(
    app: Flask, client: FlaskClient, clock: StoppedClock
) -> None:
    token = invited(app)["Authorization"].removeprefix("Bearer ")
    with app.app_context(), transaction() as tx:
        row = tx.scalars(select(InitialAccess)).one()
        assert row.digest == store.digest(token)
        store.sweep(tx, NOON)
        assert tx.scalars(select(InitialAccess)).all()
        clock.forward(days=7)
        store.sweep(tx, clock.now)
        assert not tx.scalars(select(InitialAccess)).all()


def test_an_invitation_is_no_dpop_token(client: FlaskClient, invitation: dict[str, str]) -> None:
    other = {"Authorization": invitation["Authorization"].replace("Bearer", "DPoP")}
    assert ask(client, other).status_code == 401


@pytest.fixture
def roomy(tools: Tools, database_url: str) -> Iterator[Flask]:
    """The application on either kind of database, on disk."""
    held = Settings(issuer=ISSUER, database_url=database_url)
    app = create_app(replace(tools, settings=held, random=entropy.system))
    app.testing = True
    with app.app_context():
        db.create_all()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_one_invitation_is_used_by_one_of_fifty(roomy: Flask) -> None:
    headers = invited(roomy)
    statuses = at_once(roomy, lambda c: ask(c, headers), times=50)
    assert sorted(statuses) == [201] + [401] * 49


def test_a_name_that_no_database_keeps_is_the_name_of_nobody(roomy: Flask) -> None:
    client = roomy.test_client()
    bearer = {"Authorization": "Bearer x"}
    assert client.get("/register/a%00b", headers=bearer).status_code == 401
    form = {"grant_type": "client_credentials", "client_id": "a\0b"}
    assert client.post("/token", data=form).status_code == 401


# The registration: RFC 7591 §2 and §3.2, OpenID Connect Registration §2


def test_the_answer_has_what_rfc_7591_section_3_2_1_and_rfc_7592_section_3_ask_for(
    client: FlaskClient, invitation: dict[str, str]
) -> None:
    response = ask(client, invitation)
    found = response.get_json()
    assert response.headers["Cache-Control"] == "no-store"
    assert response.mimetype == "application/json"
    assert len(found["client_id"]) >= 22
    assert len(found["client_secret"]) >= 43
    assert found["client_secret_expires_at"] == 0
    assert found["client_id_issued_at"] == int(NOON.timestamp())
    assert address(found) == f"/register/{found['client_id']}"
    assert len(found["registration_access_token"]) >= 43


def test_what_is_left_out_has_the_standards_default(
    client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation)
    assert found["redirect_uris"] == [CALLBACK]
    assert found["response_types"] == ["code"]
    assert found["grant_types"] == ["authorization_code"]
    assert found["application_type"] == "web"
    assert found["subject_type"] == "pairwise"
    assert found["token_endpoint_auth_method"] == "client_secret_basic"
    assert found["id_token_signed_response_alg"] == "RS256"
    assert found["scope"] == "assurance document openid profile"
    assert "sector" not in found


def test_a_service_that_refreshes_may_ask_for_offline_access(
    client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation, grant_types=["authorization_code", "refresh_token"])
    assert "offline_access" in found["scope"].split()


def test_a_registered_service_signs_a_person_in(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation, client_name="Desk")
    service = Service(found["client_id"], found["client_secret"], CALLBACK)
    settle(app, client, agreed=("openid",), service=service.client_id)
    assert service.tokens(client)["id_token"]


def test_null_is_as_if_absent_and_what_is_unknown_is_ignored(
    client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation, logo_uri=None, software_statement=None, colour="red")
    assert "colour" not in found
    assert "logo_uri" not in found


def test_texts_come_by_language(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    texts = {
        "client_name": "Desk",
        "client_name#fr": "Guichet",
        "client_name#fr-TN": "Guichet unique",
        "client_name#ar-TN": "شباك",
        "client_name#de": "Schalter",
        "purpose#fr": "Ouvrir un dossier",
    }
    found = made(client, invitation, **texts)
    assert metadata(app, found["client_id"]).client_name == {
        "en": "Desk", "fr": "Guichet", "ar": "شباك",
    }  # fmt: skip
    assert metadata(app, found["client_id"]).purpose == {"fr": "Ouvrir un dossier"}
    assert found["client_name"] == "Desk"
    assert found["client_name#ar"] == "شباك"
    assert "client_name#de" not in found


def test_a_public_client_has_no_secret(client: FlaskClient, invitation: dict[str, str]) -> None:
    found = made(client, invitation, token_endpoint_auth_method="none")
    assert "client_secret" not in found
    assert "client_secret_expires_at" not in found


def test_a_service_with_keys_proves_itself_with_them(
    client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(
        client,
        invitation,
        token_endpoint_auth_method="private_key_jwt",
        jwks=KEY.key_set,
        grant_types=["client_credentials"],
        redirect_uris=[],
    )
    assertion = KEY.sign(assertion_claims(NOON, found["client_id"]))
    # It is known; there is only nothing that it may have by itself.
    answer = client.post("/token", data=assertion_form(assertion))
    assert answer.get_json()["error"] == "invalid_scope"


@pytest.mark.parametrize("kind", ["id_token", "userinfo"])
def test_where_only_the_way_to_the_key_is_named_the_cipher_is_ours_and_told(
    client: FlaskClient, invitation: dict[str, str], kind: str
) -> None:
    """Registration §2 would have it be a CBC; RFC 7591 §3.2.1 lets us say another in our answer."""
    alg = {f"{kind}_encrypted_response_alg": "ECDH-ES"}
    keys = {"keys": [KEY.public | {"use": "enc", "alg": "ECDH-ES"}]}
    found = made(client, invitation, jwks=keys, **alg)
    assert found[f"{kind}_encrypted_response_enc"] == "A256GCM"


def test_a_fapi2_service_registers_with_no_rs256_by_default(
    client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(
        client,
        invitation,
        profile="fapi2",
        token_endpoint_auth_method="private_key_jwt",
        jwks=KEY.key_set,
        dpop_bound_access_tokens=True,
    )
    assert found["id_token_signed_response_alg"] == "ES256"


BY_TLS = {"token_endpoint_auth_method": "tls_client_auth"}


@pytest.mark.parametrize(
    "uri",
    [
        "http://service.test/",
        "https://service.test/#part",
        "javascript:alert(1)",
        "https://*.service.test/",
        "https://user@service.test/",
        "service.test",
        "",
        1,
        None,
    ],
)
def test_an_address_that_may_not_be_registered_is_an_invalid_redirect_uri(
    client: FlaskClient, invitation: dict[str, str], uri: object
) -> None:
    response = ask(client, invitation, redirect_uris=[uri])
    assert refused(response)[0] == "invalid_redirect_uri"


@pytest.mark.parametrize("uris", [[], None, "https://service.test/", {}])
def test_the_code_flow_needs_an_address(
    client: FlaskClient, invitation: dict[str, str], uris: object
) -> None:
    response = ask(client, invitation, redirect_uris=uris)
    assert refused(response)[0] == "invalid_redirect_uri"


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ({"subject_type": "public"}, "subject_type"),
        ({"response_types": ["token"]}, "response_types"),
        ({"response_types": ["code id_token"]}, "response_types"),
        ({"grant_types": ["password"]}, "grant_types"),
        ({"grant_types": ["implicit"]}, "grant_types"),
        ({"grant_types": "authorization_code"}, "grant_types"),
        ({"scope": "openid everything"}, "scope"),
        ({"scope": ["openid"]}, "scope"),
        ({"application_type": "desktop"}, "application_type"),
        ({"client_name": 1}, "client_name"),
        ({"client_name": ""}, "client_name"),
        ({"client_name#fr": "x" * 501}, "client_name"),
        ({"contacts": "desk@service.test"}, "contacts"),
        ({"contacts": ["a"] * 51}, "contacts"),
        ({"redirect_uris": [f"https://service.test/{n}" for n in range(51)]}, "redirect_uris"),
        ({"redirect_uris": [CALLBACK, "https://other.test/"]}, "sector_identifier_uri"),
        ({"logo_uri": "http://service.test/logo"}, "logo_uri"),
        ({"policy_uri": "javascript:alert(1)"}, "policy_uri"),
        ({"tos_uri": "https:///tos"}, "tos_uri"),
        ({"client_uri": "https://service.test:99999/"}, "client_uri"),
        ({"client_uri": "https://[service/"}, "client_uri"),
        ({"client_uri": "https://service.test/" + "x" * 2048}, "client_uri"),
        ({"client_uri": "https://sérvice.test/"}, "client_uri"),
        ({"initiate_login_uri": "http://service.test/"}, "initiate_login_uri"),
        ({"backchannel_logout_uri": "http://service.test/"}, "backchannel_logout_uri"),
        ({"post_logout_redirect_uris": ["http://service.test/"]}, "post_logout_redirect_uris"),
        ({"request_uris": ["http://service.test/#hash"]}, "request_uris"),
        ({"jwks_uri": "http://service.test/jwks"}, "jwks_uri"),
        ({"jwks_uri": "https://service.test/", "jwks": {"keys": []}}, "jwks"),
        ({"jwks": {"keys": {}}}, "jwks"),
        ({"jwks": {"keys": [{}] * 51}}, "jwks"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}, "jwks"),
        ({"jwks": {"keys": [KEY.public | {"d": "AA"}]}}, "jwks"),
        ({"jwks": {"keys": [KEY.public | {"x": "AA"}]}}, "jwks"),
        ({"jwks": {"keys": ["key"]}}, "jwks"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "needs jwks"),
        ({"token_endpoint_auth_signing_alg": "none"}, "token_endpoint_auth_signing_alg"),
        ({"token_endpoint_auth_signing_alg": "HS256"}, "token_endpoint_auth_signing_alg"),
        (BY_TLS, "exactly 1"),
        (BY_TLS | {"tls_client_auth_subject_dn": "nonsense"}, "RFC 4514"),
        (BY_TLS | {"tls_client_auth_subject_dn": ""}, "RFC 4514"),
        (BY_TLS | {"tls_client_auth_san_ip": "192.0.2.007"}, "usual spelling"),
        (
            BY_TLS | {"tls_client_auth_san_dns": "a", "tls_client_auth_san_uri": "b"},
            "exactly 1",
        ),
        ({"tls_client_auth_san_dns": "service.test"}, "exactly 0"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"id_token_encrypted_response_enc": "A256GCM"}, "id_token_encrypted_response_alg"),
        ({"userinfo_encrypted_response_enc": "A256GCM"}, "userinfo_encrypted_response_alg"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"default_max_age": 10**300}, "default_max_age"),
        ({"profile": "fapi1"}, "profile"),
        ({"id_token_encrypted_response_alg": "ECDH-ES"}, "needs a key to encrypt to"),
        ({"userinfo_encrypted_response_alg": "RSA-OAEP-256"}, "needs a key to encrypt to"),
        ({"id_token_encrypted_response_alg": "RSA1_5"}, "id_token_encrypted_response_alg"),
        ({"profile": "fapi2"}, "fapi2 needs"),
        ({"scope": "openid audit:read"}, "operator"),
        ({"grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"]}, "operator"),
    ],
)
def test_what_cannot_be_accepted_is_invalid_client_metadata(
    client: FlaskClient, invitation: dict[str, str], said: dict[str, Any], about: str
) -> None:
    code, told = refused(ask(client, invitation, **said))
    assert code == "invalid_client_metadata"
    assert about in told


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'"x"', "application/json"),
        (b"\xff", "application/json"),
        (b'{"a": 1, "a": 2}', "application/json"),
        (b"[" * 5000, "application/json"),
        (b'{"client_name": "\\ud800"}', "application/json"),
        (b'{"client_name": "a\\u0000"}', "application/json"),
        (b" " * 65_537, "application/json"),
        (json.dumps(MINIMAL).encode(), "text/plain"),
        (b"redirect_uris=x", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_of_another_kind_is_invalid_client_metadata(
    client: FlaskClient, invitation: dict[str, str], data: bytes, content_type: str
) -> None:
    response = client.post("/register", data=data, content_type=content_type, headers=invitation)
    assert refused(response)[0] == "invalid_client_metadata"


def test_software_statements_are_not_believed(
    client: FlaskClient, invitation: dict[str, str]
) -> None:
    anything: tuple[Any, ...] = ("x", 1, {}, "")
    for nonsense in anything:
        response = ask(client, invitation, software_statement=nonsense)
        assert refused(response)[0] == "invalid_software_statement"
    statement = KEY.sign({"iss": "somebody", "client_name": "Desk"})
    response = ask(client, invitation, software_statement=statement)
    assert refused(response)[0] == "unapproved_software_statement"


def test_what_only_an_operator_gives_is_not_taken_by_asking(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(
        client,
        invitation,
        sector="bank.test",
        may_act="other",
        resource_identifiers=["https://bank.test/api"],
    )
    kept = metadata(app, found["client_id"])
    assert (kept.sector, kept.may_act, kept.resource_identifiers) == ("service.test", None, ())


# Sectors: Core §8.1


@pytest.mark.parametrize(
    ("listed", "fine"),
    [
        ([CALLBACK, "https://other.test/", "https://third.test/"], True),
        ([CALLBACK], False),
        ([], False),
        ({"redirect_uris": [CALLBACK, "https://other.test/"]}, False),
        ([1, None], False),
    ],
)
def test_a_sectors_list_must_name_every_address(
    app: Flask, client: FlaskClient, invitation: dict[str, str], listed: Any, fine: bool
) -> None:
    app.extensions["broker"] = replace(app.extensions["broker"], outbound=outbound())
    with serving(document(json.dumps(listed).encode())) as url:
        response = ask(
            client,
            invitation,
            redirect_uris=[CALLBACK, "https://other.test/"],
            sector_identifier_uri=f"{url}/sector.json",
        )
    if not fine:
        assert refused(response)[0] == "invalid_client_metadata"
        return
    assert response.status_code == 201
    assert metadata(app, response.get_json()["client_id"]).sector_host == "keys.test"


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 20_000])
def test_a_sectors_list_that_is_none_is_refused(
    app: Flask, client: FlaskClient, invitation: dict[str, str], body: bytes
) -> None:
    app.extensions["broker"] = replace(app.extensions["broker"], outbound=outbound())
    with serving(document(body)) as url:
        response = ask(client, invitation, sector_identifier_uri=f"{url}/sector.json")
    assert "does not list" in refused(response)[1]


def test_a_sectors_list_on_a_private_address_is_not_fetched(
    client: FlaskClient, invitation: dict[str, str]
) -> None:
    response = ask(client, invitation, sector_identifier_uri="https://127.0.0.1/sector.json")
    assert refused(response) == (
        "invalid_client_metadata", "sector_identifier_uri: address_refused",
    )  # fmt: skip


# Management: RFC 7592


def test_a_service_reads_its_registration(client: FlaskClient, invitation: dict[str, str]) -> None:
    found = made(client, invitation, client_name="Desk")
    response = client.get(address(found), headers=managing(found))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    secret = {"client_secret", "client_secret_expires_at"}
    assert response.get_json() == {n: v for n, v in found.items() if n not in secret}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_its_own_token_opens_a_registration(
    app: Flask, client: FlaskClient, invitation: dict[str, str], method: str
) -> None:
    found, other = made(client, invitation), made(client, invitation)
    body = MINIMAL | {"client_id": found["client_id"]}
    wrong: list[dict[str, str]] = [{}, invitation, managing(other), {"Authorization": "Bearer x"}]
    for headers in wrong:
        response = client.open(address(found), method=method, json=body, headers=headers)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
    unknown = client.open("/register/nobody", method=method, json=body, headers=managing(found))
    assert unknown.status_code == 401
    with app.app_context(), transaction() as tx:
        tx.add(ClientRow(id="by-operator", metadata_text="{}", created=NOON))
    closed = client.get("/register/by-operator", headers=managing(found))
    assert closed.status_code == 401


def test_a_change_replaces_the_whole_registration(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation, client_name="Desk", contacts=["desk@service.test"])
    response = changed(client, found, redirect_uris=["https://service.test/new"])
    assert response.status_code == 200, response.text
    assert response.get_json()["redirect_uris"] == ["https://service.test/new"]
    assert "contacts" not in response.get_json()
    assert "client_secret" not in response.get_json()
    assert metadata(app, found["client_id"]).client_name == {}
    assert client.get(address(found), headers=managing(found)).get_json() == response.get_json()
    assert events(app)[-2:] == ["client.registered", "client.changed"]


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": "other"},
        {"client_id": None},
        {"registration_access_token": "x"},
        {"registration_client_uri": "x"},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 0},
        {"client_secret": "another"},
        {"client_secret": 1},
        {"scope": "openid audit:read"},
    ],
)
def test_a_change_that_names_another_client_or_what_is_ours_is_refused(
    client: FlaskClient, invitation: dict[str, str], more: dict[str, Any]
) -> None:
    found = made(client, invitation)
    assert refused(changed(client, found, **more))[0] == "invalid_client_metadata"


def test_a_change_may_repeat_the_secret(client: FlaskClient, invitation: dict[str, str]) -> None:
    found = made(client, invitation)
    assert changed(client, found, client_secret=found["client_secret"]).status_code == 200


def test_a_secret_is_made_and_forgotten_with_the_method(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation)
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEY.key_set}
    assert "client_secret" not in changed(client, found, **keys).get_json()
    with app.app_context(), reading() as tx:
        row = tx.get(ClientRow, found["client_id"])
        assert row is not None
        assert row.secret is None
    back = changed(client, found).get_json()
    assert back["client_secret"] != found["client_secret"]
    assert back["client_secret_expires_at"] == 0


def test_a_change_keeps_what_the_operator_gave(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation)
    given = {
        "redirect_uris": [CALLBACK],
        "may_act": "other",
        "scope": "openid audit:read",
        "sector": "bank.test",
    }
    with app.app_context(), transaction() as tx:
        row = tx.get(ClientRow, found["client_id"])
        assert row is not None
        row.metadata_text = ClientMetadata.model_validate(given).model_dump_json()
    assert changed(client, found, scope="openid audit:read").status_code == 200
    kept = metadata(app, found["client_id"])
    assert kept.may_act == "other"
    assert kept.scope == {"openid", "audit:read"}
    # Where people are known by a name made for one sector, its addresses must be there.
    assert kept.sector == "service.test"


def test_a_removed_service_is_unknown_and_nothing_it_was_given_is_good(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(
        client,
        invitation,
        scope="openid profile offline_access",
        grant_types=["authorization_code", "refresh_token"],
    )
    service = Service(found["client_id"], found["client_secret"], CALLBACK)
    settle(app, client, agreed=("openid", "offline_access"), service=service.client_id)
    tokens = service.tokens(client, scope="openid offline_access")
    code = service.code(client, scope="openid")
    waiting = service.ask(client, scope="openid profile").location
    response = client.delete(address(found), headers=managing(found))
    assert (response.status_code, response.data) == (204, b"")
    assert events(app)[-1] == "client.removed"

    assert service.redeem(client, code).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert client.post("/token", data=refresh, headers=service.basic()).status_code == 401
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/userinfo", headers=bearer).status_code == 401
    assert service.ask(client).status_code == 400
    assert client.get(waiting).status_code < 500
    interaction = waiting.rsplit("/", 1)[-1]
    assert client.get(f"/authorize/{interaction}").status_code < 500
    assert client.get(f"/authorize/{interaction}/decline").status_code < 500
    for method in ("GET", "PUT", "DELETE"):
        gone = client.open(address(found), method=method, json={}, headers=managing(found))
        assert gone.status_code == 401
    again = app.test_cli_runner().invoke(
        args=["client", "register", "--id", service.client_id, "--redirect-uri", CALLBACK]
    )
    assert again.exit_code == 2
    assert service.client_id not in app.test_cli_runner().invoke(args=["client", "list"]).output


def test_every_deed_is_recorded_and_no_entry_holds_a_secret(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation)
    changed(client, found)
    client.delete(address(found), headers=managing(found))
    sequenced(app)
    with app.app_context(), reading() as tx:
        kept = str([(e.event, e.leaf) for e in tx.scalars(select(AuditEntry))])
    for event in ("client.invited", "client.registered", "client.changed", "client.removed"):
        assert event in kept
    for secret in (found["client_secret"], found["registration_access_token"], invitation):
        assert str(secret) not in kept


def test_secrets_and_tokens_are_kept_as_digests(
    app: Flask, client: FlaskClient, invitation: dict[str, str]
) -> None:
    found = made(client, invitation)
    with app.app_context(), reading() as tx:
        row = tx.get(ClientRow, found["client_id"])
        assert row is not None
        assert row.secret == store.digest(found["client_secret"])
        assert row.registration_token == store.digest(found["registration_access_token"])


def test_the_registration_endpoint_is_announced_with_the_methods_it_takes(
    client: FlaskClient,
) -> None:
    said = client.get("/.well-known/openid-configuration").get_json()
    assert said["registration_endpoint"] == f"{ISSUER}/register"
    methods = said["token_endpoint_auth_methods_supported"]
    assert "private_key_jwt" in methods
    assert "tls_client_auth" not in methods
    assert "mtls_endpoint_aliases" not in said
    assert "none" not in said["token_endpoint_auth_signing_alg_values_supported"]


# Whatever is sent

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12)
    | st.sampled_from([CALLBACK, "https://[", "code", "openid", "none", "private_key_jwt"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)  # fmt: skip
_MEMBERS = st.sampled_from(
    [*ClientMetadata.model_fields, "software_statement", "client_name#fr", "purpose#", "#", "x"]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.dictionaries(_MEMBERS, _VALUES, max_size=8), whole=st.booleans())
def test_no_registration_whatever_is_answered_with_5xx(
    client: FlaskClient, invitation: dict[str, str], body: dict[str, Any], whole: bool
) -> None:
    body = (MINIMAL | body) if whole else body
    assert client.post("/register", json=body, headers=invitation).status_code in {201, 400, 401}


@given(
    texts=st.dictionaries(
        st.sampled_from(["client_name", "client_name#fr", "client_name#ar", "purpose#en"]),
        st.text("abcé ", min_size=1, max_size=9),
    ),
    contacts=st.lists(st.text("ab@.", max_size=5), max_size=3),
    age=st.none() | st.integers(0, 10_000),
)
def test_what_was_registered_is_told_so_that_it_reads_the_same(
    texts: dict[str, str], contacts: list[str], age: int | None
) -> None:
    first = read(MINIMAL | texts | {"contacts": contacts, "default_max_age": age})
    assert read(written(first)) == first
