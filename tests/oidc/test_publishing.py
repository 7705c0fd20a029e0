"""The documents for everybody: the short way says, byte for byte, what the plain one says."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import create_environ

from broker.keyring import SigningKey, generate
from broker.oidc.publishing import DOORS
from tests.conftest import ISSUER, NOON, StoppedClock

Heard = tuple[str, list[tuple[str, str]], bytes]


def hear(app: Flask, path: str, **said: Any) -> Heard:
    """What the server would send, but for the request's own number: status, headers, body."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], *_error: Any) -> None:
        told.append((status, [each for each in headers if each[0] != "X-Request-ID"]))

    body: Iterable[bytes] = app.wsgi_app(create_environ(path, ISSUER, **said), start)  # type: ignore[arg-type]
    whole = b"".join(body)
    return *told[-1], whole


@pytest.mark.parametrize("path", DOORS)
def test_a_document_is_the_same_by_either_way(app: Flask, path: str) -> None:
    first = hear(app, path)
    lane = hear(app, path)
    # A query that means nothing takes the request past the lane.
    plain = hear(app, path, query_string="plain")
    assert first == lane == plain
    assert first[0] == "200 OK"


@pytest.mark.parametrize("path", DOORS)
def test_who_has_the_document_is_told_that_it_is_the_same(app: Flask, path: str) -> None:
    tag = dict(hear(app, path)[1])["ETag"]
    status, headers, body = hear(app, path, headers={"If-None-Match": tag})
    assert (status, body) == ("304 NOT MODIFIED", b"")
    assert dict(headers)["ETag"] == tag
    assert hear(app, path, headers={"If-None-Match": '"another"'})[0] == "200 OK"


@pytest.mark.parametrize("path", DOORS)
def test_no_other_method_gets_the_document(app: Flask, path: str) -> None:
    hear(app, path)
    assert hear(app, path, method="HEAD")[2] == b""
    assert hear(app, path, method="POST")[0].startswith("405")


def test_a_new_key_is_published_at_once(app: Flask) -> None:
    house = app.extensions["broker"]
    before = hear(app, "/jwks")
    more = SigningKey("ES256", NOON, generate("ES256"))
    ring = replace(house.keyring, signing=(*house.keyring.signing, more))
    app.extensions["broker"] = replace(house, keys=lambda: ring)
    after = hear(app, "/jwks")
    assert after[2].count(b'"kid"') == before[2].count(b'"kid"') + 1
    assert dict(after[1])["ETag"] != dict(before[1])["ETag"]


def test_an_algorithm_is_named_from_the_moment_that_its_key_signs(
    app: Flask, clock: StoppedClock
) -> None:
    house = app.extensions["broker"]
    *rest, last = house.keyring.signing
    later = replace(last, since=replace_hour(clock))
    ring = replace(house.keyring, signing=(*rest, later))
    app.extensions["broker"] = replace(house, keys=lambda: ring)
    assert last.alg not in _signing(app)
    clock.forward(hours=2)
    assert last.alg in _signing(app)


def replace_hour(clock: StoppedClock) -> Any:
    return clock.now.replace(hour=clock.now.hour + 1)


def _signing(app: Flask) -> list[str]:
    document: Any = app.test_client().get("/.well-known/openid-configuration").json
    named: list[str] = document["id_token_signing_alg_values_supported"]
    return named
