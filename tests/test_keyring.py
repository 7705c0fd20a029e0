"""The key files: made once, readable by their owner, refused when they are not what they say."""

from pathlib import Path

import pytest

from broker import keyring
from broker.keyring import KeysMissing
from tests.conftest import NOON


def test_init_makes_every_file_once_and_for_the_owner_only(tmp_path: Path) -> None:
    made = keyring.init(tmp_path / "keys", NOON)
    assert len(made) == 6
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in made)
    assert keyring.init(tmp_path / "keys", NOON) == []
    assert keyring.load(tmp_path / "keys").active("RS256", NOON).alg == "RS256"


@pytest.mark.parametrize(
    "missing", ["checkpoint.pem", "wrapping.key", "ES256.20261123T120000Z.pem"]
)
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    keyring.init(tmp_path, NOON)
    (tmp_path / missing).unlink()
    with pytest.raises(KeysMissing, match=r"checkpoint\.pem|wrapping\.key|ES256"):
        keyring.load(tmp_path)


def test_a_secret_of_another_length_is_refused(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    (tmp_path / "pairwise.key").write_bytes(b"short")
    with pytest.raises(KeysMissing, match="32 bytes"):
        keyring.load(tmp_path)


def test_a_file_that_holds_another_key_than_its_name_says_is_refused(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    es256 = tmp_path / "ES256.20261123T120000Z.pem"
    es256.write_bytes((tmp_path / "RS256.20261123T120000Z.pem").read_bytes())
    with pytest.raises(KeysMissing, match="promises"):
        keyring.load(tmp_path)


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    keyring.rotate(tmp_path, "ES256", NOON)
    with pytest.raises(FileExistsError):
        keyring.rotate(tmp_path, "ES256", NOON)


def test_keys_do_not_show_in_reprs(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    keys = keyring.load(tmp_path)
    assert repr(keys) == "Keyring()"
    assert "PrivateKey" not in repr(keys.signing[0])
