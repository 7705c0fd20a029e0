"""Sealing: opens for the right account and purpose only, and never after erasure."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography.exceptions import InvalidTag
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from broker import entropy
from broker.accounts import store, vault
from broker.accounts.models import AccountKey
from broker.db import transaction
from broker.entropy import RandomBytes
from broker.errors import NotFound
from tests.conftest import NOON

WRAPPING = b"w" * 32

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@contextmanager
def somebody(app: Flask) -> Iterator[tuple[Session, str]]:
    with app.app_context(), transaction() as tx:
        yield tx, store.create(tx, WRAPPING, NOON, entropy.system)


def sealed(tx: Session, account: str, value: object = "Fatima", purpose: str = "evidence") -> bytes:
    return vault.seal(tx, account, purpose, value, WRAPPING, entropy.system)


@given(value=values)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_sealed_is_what_is_opened(app: Flask, value: object) -> None:
    with somebody(app) as (tx, account):
        box = sealed(tx, account, value)
        assert vault.unseal(tx, account, "evidence", box, WRAPPING) == value


def test_a_sealed_value_does_not_show_what_is_in_it(app: Flask) -> None:
    with somebody(app) as (tx, account):
        assert b"Fatima" not in sealed(tx, account)


def test_the_same_value_is_never_sealed_the_same_way(app: Flask) -> None:
    with somebody(app) as (tx, account):
        assert sealed(tx, account) != sealed(tx, account)


@pytest.mark.parametrize("place", [0, 11, 12, -1])
def test_a_changed_byte_does_not_open(app: Flask, place: int) -> None:
    with somebody(app) as (tx, account):
        box = bytearray(sealed(tx, account))
        box[place] ^= 1
        with pytest.raises(InvalidTag):
            vault.unseal(tx, account, "evidence", bytes(box), WRAPPING)


def test_a_value_moved_to_another_purpose_does_not_open(app: Flask) -> None:
    with somebody(app) as (tx, account), pytest.raises(InvalidTag):
        vault.unseal(tx, account, "name", sealed(tx, account), WRAPPING)


def test_a_value_moved_to_another_person_does_not_open(app: Flask) -> None:
    with somebody(app) as (tx, account):
        other = store.create(tx, WRAPPING, NOON, entropy.system)
        with pytest.raises(InvalidTag):
            vault.unseal(tx, other, "evidence", sealed(tx, account), WRAPPING)


def alike(first: int) -> RandomBytes:
    """Poor chance: another account's name each time, and always the same key."""
    drawn = iter([bytes([first]) * 32])
    return lambda size: next(drawn, b"k" * size)


def test_a_value_names_its_person_even_where_two_keys_are_alike(app: Flask) -> None:
    with app.app_context(), transaction() as tx:
        one, other = (store.create(tx, WRAPPING, NOON, alike(n)) for n in (1, 2))
        with pytest.raises(InvalidTag):
            vault.unseal(tx, other, "evidence", sealed(tx, one), WRAPPING)


def test_a_key_moved_to_another_person_does_not_open(app: Flask) -> None:
    with somebody(app) as (tx, account):
        box = sealed(tx, account)
        other = store.create(tx, WRAPPING, NOON, entropy.system)
        theirs, ours = tx.get_one(AccountKey, other), tx.get_one(AccountKey, account)
        theirs.wrapped = ours.wrapped
        with pytest.raises(InvalidTag):
            vault.unseal(tx, other, "evidence", box, WRAPPING)
        with pytest.raises(InvalidTag):
            sealed(tx, other)


def test_without_the_wrapping_key_nothing_opens(app: Flask) -> None:
    with somebody(app) as (tx, account), pytest.raises(InvalidTag):
        vault.unseal(tx, account, "evidence", sealed(tx, account), b"x" * 32)


def test_after_erasure_nothing_opens_and_nothing_can_be_sealed(app: Flask) -> None:
    with somebody(app) as (tx, account):
        box = sealed(tx, account)
        store.erase(tx, account)
        with pytest.raises(NotFound):
            vault.unseal(tx, account, "evidence", box, WRAPPING)
        with pytest.raises(NotFound):
            sealed(tx, account)


def test_destroying_twice_is_no_error(app: Flask) -> None:
    with somebody(app) as (tx, account):
        vault.destroy(tx, account)
        tx.flush()
        vault.destroy(tx, account)
