"""What a relying service reads first."""

from authlib.oidc.discovery import OpenIDProviderMetadata
from flask import Flask
from flask.testing import FlaskClient


def test_the_metadata_is_valid_for_an_independent_reader(client: FlaskClient) -> None:
    document = client.get("/.well-known/openid-configuration").get_json()
    OpenIDProviderMetadata(document).validate()


def test_every_endpoint_that_is_named_is_served(app: Flask, client: FlaskClient) -> None:
    document = client.get("/.well-known/openid-configuration").get_json()
    routes = {rule.rule for rule in app.url_map.iter_rules()}
    for name, value in document.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith("https://broker.test/")
            assert value.removeprefix("https://broker.test") in routes, name


def test_the_weakest_acr_stands_first_and_all_are_named(client: FlaskClient) -> None:
    values = client.get("/.well-known/openid-configuration").get_json()["acr_values_supported"]
    assert values[0] == "https://broker.test/acr/contact"
    assert values[-1] == "https://broker.test/acr/official-phrh"


def test_discovery_and_keys_are_cacheable_and_answer_304(client: FlaskClient) -> None:
    for path in ("/.well-known/openid-configuration", "/jwks"):
        first = client.get(path)
        assert first.headers["Cache-Control"] == "public, max-age=300"
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_no_private_part_of_a_key_is_published(client: FlaskClient) -> None:
    for key in client.get("/jwks").get_json()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert {"kid", "use", "alg", "kty"} <= set(key)
