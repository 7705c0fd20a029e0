"""The keyring in a server's hand: rotation, retirement and mishaps without a restart."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from broker import keyring
from broker.keyring import ALGORITHMS, HeldKeyring, Keyring, KeysMissing
from broker.keyring.sealing import private_pem
from tests.conftest import NOON, StoppedClock

STAMP = "20261122T120000Z"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    keyring.init(folder, NOON - timedelta(days=1))
    return folder


@pytest.fixture
def held(made: Path, clock: StoppedClock, tmp_path: Path) -> HeldKeyring:
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return HeldKeyring(tmp_path, clock, timedelta(days=1))


def es256(keys: Keyring) -> int:
    return sum(key.alg == "ES256" for key in keys.signing)


def test_a_new_key_is_announced_then_signs_without_a_restart(
    held: HeldKeyring, clock: StoppedClock, tmp_path: Path
) -> None:
    keyring.rotate(tmp_path, "ES256", NOON + timedelta(minutes=10))
    clock.forward(seconds=2)
    assert es256(held()) == 2
    assert held().active("ES256", clock()).since == NOON - timedelta(days=1)
    clock.forward(minutes=10)
    assert held().active("ES256", clock()).since == NOON + timedelta(minutes=10)


def test_the_folder_is_looked_at_every_two_seconds_and_not_more_often(
    held: HeldKeyring, clock: StoppedClock, tmp_path: Path
) -> None:
    keyring.rotate(tmp_path, "ES256", NOON)
    clock.forward(seconds=1)
    assert es256(held()) == 1
    clock.forward(seconds=1)
    assert es256(held()) == 2


def test_a_clock_that_is_set_back_does_not_stop_the_looking(
    held: HeldKeyring, clock: StoppedClock, tmp_path: Path
) -> None:
    keyring.rotate(tmp_path, "ES256", NOON)
    clock.forward(hours=-1)
    assert es256(held()) == 2


def test_an_unchanged_folder_is_not_read_again(held: HeldKeyring, clock: StoppedClock) -> None:
    before = held()
    clock.forward(minutes=1)
    assert held() is before


def test_a_superseded_key_retires_by_time_without_a_restart(
    held: HeldKeyring, clock: StoppedClock, tmp_path: Path
) -> None:
    keyring.rotate(tmp_path, "ES256", NOON + timedelta(hours=1))
    clock.forward(hours=24, minutes=59)
    assert es256(held()) == 2
    clock.forward(minutes=1)
    assert es256(held()) == 1
    assert len(keyring.load(tmp_path).signing) == len(ALGORITHMS) + 1


def test_a_removed_key_is_out_at_once(
    held: HeldKeyring, clock: StoppedClock, tmp_path: Path
) -> None:
    keyring.rotate(tmp_path, "ES256", NOON)
    (tmp_path / f"ES256.{STAMP}.pem").unlink()
    clock.forward(seconds=2)
    assert [k.since for k in held().signing if k.alg == "ES256"] == [NOON]


def test_a_key_replaced_under_the_same_name_is_noticed(
    held: HeldKeyring, clock: StoppedClock, tmp_path: Path
) -> None:
    before = held().active("ES256", clock())
    path = tmp_path / f"ES256.{STAMP}.pem"
    path.write_bytes(private_pem(keyring.generate("ES256"), None))
    clock.forward(seconds=2)
    assert held().active("ES256", clock()) != before


def test_a_half_copied_file_changes_nothing_until_it_is_whole(
    held: HeldKeyring,
    clock: StoppedClock,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = held()
    pem = private_pem(keyring.generate("ES256"), None)
    path = tmp_path / "ES256.20261123T120000Z.pem"
    path.write_bytes(pem[: len(pem) // 2])
    clock.forward(seconds=2)
    with caplog.at_level(logging.WARNING):
        assert held() is before
        clock.forward(seconds=2)
        assert held() is before
    assert len(caplog.records) == 1
    assert "ES256.20261123T120000Z.pem" in caplog.text
    path.write_bytes(pem)
    clock.forward(seconds=2)
    assert es256(held()) == 2


def test_a_lost_folder_changes_nothing(
    held: HeldKeyring, clock: StoppedClock, tmp_path: Path
) -> None:
    before = held()
    for path in tmp_path.iterdir():
        path.unlink()
    clock.forward(seconds=2)
    assert held() is before


def test_without_keys_there_is_nothing_to_start_with(tmp_path: Path, clock: StoppedClock) -> None:
    with pytest.raises(KeysMissing):
        HeldKeyring(tmp_path, clock, timedelta(days=1))


def test_many_threads_see_one_whole_keyring_or_the_other(
    held: HeldKeyring, clock: StoppedClock, tmp_path: Path
) -> None:
    before = held()
    keyring.rotate(tmp_path, "ES256", NOON)
    clock.forward(seconds=2)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: held(), range(200)))
    after = held()
    assert {id(keys) for keys in seen} <= {id(before), id(after)}
    assert (es256(before), es256(after)) == (1, 2)
