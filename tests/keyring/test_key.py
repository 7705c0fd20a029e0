"""The four states of a signing key: announced, signing, verify-only, retired."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broker.keyring import SigningKey, State, generate, state
from broker.keyring.key import published
from tests.conftest import NOON

DAY = timedelta(days=1)
_KEY = generate("ES256")


def key(hours: int, alg: str = "ES256") -> SigningKey:
    return SigningKey(alg, NOON + timedelta(hours=hours), _KEY)


OLD, NEW = key(0), key(10)


def standing(one: SigningKey, hours: float) -> State:
    now = NOON + timedelta(hours=hours)
    return state(one, (OLD, NEW, key(5, "RS256")), now, DAY)


def test_a_key_is_announced_signs_verifies_and_retires_in_this_order() -> None:
    assert [standing(OLD, h) for h in (-1, 0, 9.9, 10, 33.9, 34)] == [
        State.ANNOUNCED,
        State.SIGNING,
        State.SIGNING,
        State.VERIFYING,
        State.VERIFYING,
        State.RETIRED,
    ]


def test_a_key_without_a_successor_never_retires() -> None:
    assert standing(NEW, 10_000) is State.SIGNING


moments = st.integers(-200, 200)


@given(st.lists(moments, min_size=1, max_size=6, unique=True), moments)
def test_of_every_algorithm_one_key_signs_once_one_has_begun(hours: list[int], now: int) -> None:
    every = tuple(key(h) for h in hours)
    at = NOON + timedelta(hours=now)
    signing = [k for k in every if state(k, every, at, DAY) is State.SIGNING]
    assert len(signing) == (1 if min(hours) <= now else 0)
    assert all(k.since == max(x.since for x in every if x.since <= at) for k in signing)


@given(st.lists(moments, min_size=1, max_size=6, unique=True), moments, st.integers(0, 23))
def test_what_a_key_signed_verifies_for_as_long_as_a_token_lives(
    hours: list[int], signed: int, later: int
) -> None:
    every = tuple(key(h) for h in hours)

    def shown(at: datetime) -> tuple[SigningKey, ...]:
        return published(every, at, DAY)

    at = NOON + timedelta(hours=signed)
    for one in every:
        if state(one, every, at, DAY) is State.SIGNING:
            assert one in shown(at + timedelta(hours=later))
