"""Pairwise subjects (OpenID Connect Core §8.1)."""

import hashlib
import hmac
from base64 import urlsafe_b64decode

from hypothesis import given
from hypothesis import strategies as st

from broker.accounts.subject import pairwise

names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=43)


def test_it_is_the_mac_of_sector_and_account() -> None:
    mac = hmac.new(b"key", b"rp.example\x00account", hashlib.sha256).digest()
    assert urlsafe_b64decode(pairwise(b"key", "rp.example", "account") + "=") == mac


@given(names, names, names)
def test_two_sectors_know_a_person_by_two_names(one: str, other: str, account: str) -> None:
    same = pairwise(b"k", one, account) == pairwise(b"k", other, account)
    assert same is (one == other)


@given(names, names, names)
def test_two_people_never_share_a_name(sector: str, one: str, other: str) -> None:
    same = pairwise(b"k", sector, one) == pairwise(b"k", sector, other)
    assert same is (one == other)


def test_what_belongs_to_the_sector_cannot_be_moved_to_the_account() -> None:
    assert pairwise(b"k", "ab", "c") != pairwise(b"k", "a", "bc")


def test_another_key_gives_another_name() -> None:
    assert pairwise(b"k", "a", "b") != pairwise(b"l", "a", "b")
