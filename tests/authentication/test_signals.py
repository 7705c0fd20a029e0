import json
from html import unescape
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tests.authentication.authenticator import unb64
from tests.authentication.maker import Maker, entry
from tests.authentication.test_keeping import _key_ids, _send
from tests.authentication.test_metadata import PUBLISHER, put_in_force, rooted
from tests.authentication.test_standing import MAKER
from tests.conftest import ISSUER
from tests.people import add_key, answer, ceremony, enrol, new_key, visit

__all__ = ["rooted"]


def _accepted(client: FlaskClient) -> dict[str, Any]:
    said = visit(client, "/account").text.split("data-accepted='")[1].split("'")[0]
    found: dict[str, Any] = json.loads(unescape(said))
    return found


def test_the_browser_is_told_which_keys_are_still_good(client: FlaskClient) -> None:
    first, second = enrol(client), new_key()
    add_key(client, second)
    assert _accepted(client)["rpId"] == "broker.test"
    assert unb64(_accepted(client)["userId"]) == first.credentials[0].user_handle
    assert len(_accepted(client)["allAcceptedCredentialIds"]) == 2
    _send(client, f"/keys/{_key_ids(client)[0]}/removal")
    (left,) = _accepted(client)["allAcceptedCredentialIds"]
    assert unb64(left) in {key.credentials[0].credential_id for key in (first, second)}


def test_the_browser_is_told_of_a_key_that_we_do_not_know(client: FlaskClient) -> None:
    stranger, form = new_key(), ceremony(visit(client, "/sign-in/account"))
    assert "data-unknown" not in visit(client, "/sign-in/account").text
    stranger.create({**form.options, "excludeCredentials": [], "user": {"id": "AAAA"}})
    credential = stranger.get(form.options)
    response = answer(client, form, credential)
    assert f'data-unknown="{credential["id"]}"' in response.text


def test_a_key_that_was_refused_otherwise_is_not_to_be_forgotten(client: FlaskClient) -> None:
    key = enrol(client)
    client.delete_cookie("__Host-miftah_session", domain="broker.test")
    form = ceremony(visit(client, "/sign-in/account"))
    bad = key.with_wrong(signature=b"x").get(form.options)
    assert "data-unknown" not in answer(client, form, bad).text


def test_the_options_give_hints_and_rule_nothing_out(client: FlaskClient) -> None:
    for path in ("/enrol/account", "/sign-in/account"):
        options = ceremony(visit(client, path)).options
        assert options["hints"] == ["client-device", "security-key", "hybrid"]
    assert "authenticatorAttachment" not in json.dumps(options)


def test_the_addresses_of_enrolling_and_keeping_are_published(client: FlaskClient) -> None:
    said = visit(client, "/.well-known/passkey-endpoints").json
    assert said == {"enroll": f"{ISSUER}/enrol/account", "manage": f"{ISSUER}/account"}


def test_no_other_origin_may_use_our_keys(client: FlaskClient) -> None:
    assert visit(client, "/.well-known/webauthn").json == {"origins": [ISSUER]}


def test_a_key_whose_model_is_proved_bears_its_name(rooted: Flask, tmp_path: Path) -> None:
    put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root)))
    proved, claimed = rooted.test_client(), rooted.test_client()
    enrol(proved, authenticator=new_key().with_wrong(**MAKER.wrong()))
    enrol(claimed, authenticator=new_key().with_wrong(**Maker().wrong()))
    assert "<bdi>Model One</bdi>" in visit(proved, "/account").text
    assert "Model One" not in visit(claimed, "/account").text
