"""RFC 7636 §4.1: a verifier is 43 to 128 characters of a small alphabet, whatever it hashes to."""

import pytest
from flask.testing import FlaskClient

from tests.service import Person, Service, challenge


@pytest.mark.parametrize("verifier", ["", "short", "v" * 42, "v" * 129, "v" * 42 + "+"])
def test_a_verifier_of_another_form_is_refused_although_its_hash_is_right(
    client: FlaskClient, service: Service, person: Person, verifier: str
) -> None:
    code = service.code(client, code_challenge=challenge(verifier))
    response = service.redeem(client, code, changed={"code_verifier": verifier})
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("verifier", ["é" * 43, "\x00" * 43, "v" * 42 + "م"])
def test_a_verifier_outside_ascii_is_refused_and_is_no_server_error(
    client: FlaskClient, service: Service, person: Person, verifier: str
) -> None:
    response = service.redeem(client, service.code(client), changed={"code_verifier": verifier})
    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_grant")
