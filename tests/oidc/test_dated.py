"""Codes and tokens are kept under the second in which they were made, and behind it by chance."""

import hashlib
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from broker import entropy
from broker.db import transaction
from broker.oidc import store
from broker.oidc.models import AccessToken
from tests.conftest import NOON
from tests.service import Person, Service, settle


@pytest.fixture
def person(app: Flask, client: FlaskClient) -> Person:
    return settle(app, client, agreed=("openid",))


def known(client: FlaskClient, token: str) -> bool:
    return client.get("/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_what_is_made_in_one_second_stands_together_and_is_never_alike() -> None:
    made = {entropy.dated(entropy.system, NOON + timedelta(milliseconds=n)) for n in range(999)}
    keys = {store.digest(secret) for secret in made}
    assert len(keys) == 999
    assert {key[:4] for key in keys} == {int(NOON.timestamp()).to_bytes(4, "big")}
    assert {len(key) for key in keys} == {32}


def test_later_ones_stand_behind() -> None:
    moments = [NOON + timedelta(seconds=n) for n in (0, 1, 300, 10**6)]
    keys = [store.digest(entropy.dated(entropy.system, now)) for now in moments]
    assert keys == sorted(keys)


@given(st.text() | st.from_regex(r"[0-9a-fA-F ]{8}[\w-]{43}"))
def test_whatever_is_shown_has_a_key_of_32_octets(shown: str) -> None:
    assert len(store.digest(shown)) == 32


@pytest.mark.usefixtures("person")
def test_a_token_of_another_second_is_another_token(client: FlaskClient, service: Service) -> None:
    token = service.tokens(client)["access_token"]
    later = f"{int(token[:8], 16) + 1:08x}{token[8:]}"
    assert known(client, token)
    assert not known(client, later)
    assert not known(client, token[8:])


@pytest.mark.usefixtures("person")
def test_a_token_from_before_there_were_dates_is_still_good(
    app: Flask, client: FlaskClient, service: Service
) -> None:
    old = entropy.token(entropy.system)
    made = store.digest(service.tokens(client)["access_token"])
    with app.app_context(), transaction() as tx:
        kept = hashlib.sha256(old.encode()).digest()
        tx.execute(update(AccessToken).where(AccessToken.digest == made).values(digest=kept))
        assert tx.scalar(select(AccessToken.digest)) == kept
    assert known(client, old)
