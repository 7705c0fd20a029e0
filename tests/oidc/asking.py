"""Ways of asking: signed by the service's key, pushed before the person comes."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import ISSUER, NOON
from tests.service import Service
from tests.signing import ClientKey, a_key

KEY = a_key()
AT = int(NOON.timestamp())


def object_claims(service: Service, **changed: Any) -> dict[str, Any]:
    """What an ordinary request object says; None leaves a claim out."""
    ordinary = {"iss": service.client_id, "aud": ISSUER, "nbf": AT, "exp": AT + 300}
    said: dict[str, Any] = {**service.arguments(), **ordinary} | changed
    return {name: value for name, value in said.items() if value is not None}


def request_object(service: Service, key: ClientKey = KEY, **changed: Any) -> str:
    return key.sign(object_claims(service, **changed), typ="oauth-authz-req+jwt")


def push(
    client: FlaskClient, service: Service, headers: dict[str, str] | None = None, **changed: Any
) -> TestResponse:
    """A pushed request, proved by the service's secret."""
    data = service.arguments(**changed)
    return client.post("/par", data=data, headers=headers or service.basic())


def pushed(client: FlaskClient, service: Service, **changed: Any) -> str:
    response = push(client, service, **changed)
    assert response.status_code == 201, response.text
    return str(response.get_json()["request_uri"])


def open_pushed(client: FlaskClient, service: Service, uri: str, **more: str) -> TestResponse:
    query = {"client_id": service.client_id, "request_uri": uri} | more
    return client.get("/authorize", query_string=query)
