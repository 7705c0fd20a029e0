"""The life of a signing key as relying services live it: announced, signs, verifies, retires."""

from datetime import timedelta
from pathlib import Path

import pytest

from broker import keyring
from broker.keyring import ALGORITHMS, SigningKey
from broker.settings import KeysSettings
from broker.web.tools import Tools
from tests.conftest import NOON, StoppedClock
from tests.oidc.signing.conftest import SINCE, House, kid_of, opened, verifies
from tests.service import answer
from tests.visits import entries, events

LOOK = 2


def test_a_new_key_is_published_before_it_signs(house: House) -> None:
    (old,) = house.kids()
    house.rotate(NOON + timedelta(minutes=10))
    house.clock.forward(seconds=LOOK)
    assert len(house.kids()) == 2
    assert house.kid() == old


def test_it_signs_from_its_moment_on_without_a_restart(house: House) -> None:
    (old,) = house.kids()
    house.rotate(NOON + timedelta(minutes=10))
    house.clock.forward(minutes=10, seconds=-1)
    assert house.kid() == old
    house.clock.forward(seconds=1)
    assert house.kid() != old
    assert set(house.kids()) == {old, house.kid()}


def test_who_cached_the_keys_when_one_was_announced_reads_its_first_token(house: House) -> None:
    house.rotate(NOON + timedelta(minutes=10))
    house.clock.forward(seconds=LOOK)
    cached = house.published()
    house.clock.forward(minutes=10)
    assert verifies(house.id_token(), cached)


def test_what_the_old_key_signed_is_readable_for_as_long_as_it_is_good(house: House) -> None:
    token = house.id_token()
    house.rotate(NOON + timedelta(seconds=LOOK))
    house.clock.forward(minutes=10)
    assert house.kid() != kid_of(token)
    assert verifies(token, house.published())
    hint = house.service.ask(house.client, id_token_hint=token, prompt="none")
    assert "code" in answer(hint)


def test_a_key_is_published_no_more_a_day_after_another_took_over(house: House) -> None:
    (old,) = house.kids()
    house.rotate(NOON + timedelta(seconds=LOOK))
    house.clock.forward(days=1, seconds=LOOK - 1)
    assert old in house.kids()
    house.clock.forward(seconds=LOOK)
    assert old not in house.kids()


def test_a_stolen_key_is_out_at_once_by_command(house: House) -> None:
    """Tokens that it signed are believed no more by whoever fetches the keys."""
    token, (old,) = house.id_token(), house.kids()
    name = f"ES256.{SINCE:%Y%m%dT%H%M%SZ}.pem"
    with pytest.raises(keyring.KeysMissing, match="rotate first"):
        keyring.retire(house.folder, name, house.clock(), house.unlock)
    house.rotate(house.clock())
    keyring.retire(house.folder, name, house.clock(), house.unlock)
    house.clock.forward(seconds=LOOK)
    assert old not in house.kids()
    assert not verifies(token, house.published())
    hint = house.service.ask(house.client, id_token_hint=token, prompt="none")
    assert answer(hint)["error"] == "login_required"


def test_the_etag_of_the_keys_changes_with_them(house: House) -> None:
    before = house.client.get("/jwks").headers["ETag"]
    house.rotate(NOON + timedelta(minutes=10))
    house.clock.forward(seconds=LOOK)
    again = house.client.get("/jwks", headers={"If-None-Match": before})
    assert again.status_code == 200
    assert again.headers["ETag"] != before


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_service_gets_the_algorithm_it_registered_at_once(house: House, alg: str) -> None:
    assert verifies(house.id_token(), house.published())
    assert verifies(house.token_by(alg), house.published(), alg)


def test_an_algorithm_rotates_alone(house: House) -> None:
    before = {alg: house.kids(alg) for alg in ALGORITHMS}
    house.rotate(NOON + timedelta(seconds=LOOK), "EdDSA")
    house.clock.forward(seconds=LOOK)
    after = {alg: house.kids(alg) for alg in ALGORITHMS}
    assert {alg for alg in ALGORITHMS if before[alg] != after[alg]} == {"EdDSA"}


def test_encrypted_files_are_read_and_a_new_one_is_encrypted_too(
    tools: Tools, clock: StoppedClock, tmp_path: Path
) -> None:
    secret, folder = tmp_path / "passphrase", tmp_path / "keys"
    secret.write_bytes(b"twenty bytes and some more\n")
    keys = KeysSettings(passphrase_file=secret)
    keyring.init(folder, SINCE, keyring.unlock(keys))
    with opened(tools, clock, folder, keys) as house:
        (old,) = house.kids()
        house.rotate(NOON)
        clock.forward(seconds=LOOK)
        assert house.kid() != old
    for path in folder.glob("*.pem"):
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    for path in folder.glob("*.key"):
        assert path.read_bytes().startswith(b"miftah sealed key")


# The record


def test_a_takeover_is_recorded_once_with_both_names(house: House) -> None:
    (old,) = house.kids()
    assert house.kid() == old
    house.rotate(NOON + timedelta(minutes=10))
    house.clock.forward(minutes=10)
    new, _, _ = (house.kid() for _ in range(3))
    told = [e["facts"] for e in entries(house.app) if e["event"] == "keys.rotated"]
    assert told == [{"alg": "ES256", "kid": new, "previous": old}]


def test_the_first_key_of_all_took_over_from_nobody(house: House) -> None:
    house.id_token()
    assert "keys.rotated" not in events(house.app)


def test_status_tells_where_every_key_stands_and_records_what_no_token_did(house: House) -> None:
    house.id_token()
    house.rotate(NOON + timedelta(minutes=10))
    house.rotate(NOON + timedelta(days=10))
    house.clock.forward(minutes=10)
    told = house.app.test_cli_runner().invoke(args=["keys", "status"])
    assert told.exit_code == 0, told.output
    lines = [line.split("\t")[2] for line in told.output.splitlines() if line.startswith("ES256")]
    assert lines == ["verify-only", "signing", "announced"]
    assert events(house.app).count("keys.rotated") == 1
    house.clock.forward(days=1)
    told = house.app.test_cli_runner().invoke(args=["keys", "status"])
    assert "retired" in told.output
    assert events(house.app).count("keys.rotated") == 1


def test_a_signing_key_says_nothing_of_itself(house: House) -> None:
    keys = keyring.load(house.folder, house.unlock).signing
    assert all(isinstance(key, SigningKey) and "key=" not in repr(key) for key in keys)
