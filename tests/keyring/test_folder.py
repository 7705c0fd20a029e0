"""The key files: made once, readable by their owner, refused when they are not what they say."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from broker import keyring
from broker.keyring import ALGORITHMS, KeysMissing, Unlock
from broker.keyring.sealing import private_pem
from tests.conftest import NOON

STAMP = "20261123T120000Z"
LOCKED = Unlock(passphrase=b"correct horse battery staple")


def test_init_makes_every_file_once_and_for_the_owner_only(tmp_path: Path) -> None:
    made = keyring.init(tmp_path / "keys", NOON)
    assert len(made) == 8
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in made)
    assert keyring.init(tmp_path / "keys", NOON) == []
    assert keyring.load(tmp_path / "keys").algorithms(NOON) == tuple(ALGORITHMS)


@pytest.mark.parametrize("missing", ["checkpoint.pem", "wrapping.key", f"ES256.{STAMP}.pem"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    keyring.init(tmp_path, NOON)
    (tmp_path / missing).unlink()
    with pytest.raises(KeysMissing, match=r"checkpoint\.pem|wrapping\.key|ES256"):
        keyring.load(tmp_path)


def test_keys_that_only_some_services_ask_for_may_be_missing(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    for alg in ("PS256", "EdDSA"):
        (tmp_path / f"{alg}.{STAMP}.pem").unlink()
    assert keyring.load(tmp_path).algorithms(NOON) == ("ES256", "RS256")


@pytest.mark.parametrize("number", ["p", "q", "d", "dmp1", "dmq1", "iqmp", "n"])
def test_an_rsa_key_with_one_wrong_number_is_refused(tmp_path: Path, number: str) -> None:
    keyring.init(tmp_path, NOON)
    path = tmp_path / f"RS256.{STAMP}.pem"
    made = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(made, rsa.RSAPrivateKey)
    numbers = made.private_numbers()
    right = numbers.public_numbers.n if number == "n" else getattr(numbers, number)
    octets = (right.bit_length() + 7) // 8
    der = made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    bent = der.replace(right.to_bytes(octets, "big"), (right ^ 2).to_bytes(octets, "big"), 1)
    armour = base64.encodebytes(bent)
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\n%s-----END PRIVATE KEY-----\n" % armour)
    with pytest.raises(KeysMissing, match="belong together"):
        keyring.load(tmp_path)


def test_a_secret_of_another_length_is_refused(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    (tmp_path / "pairwise.key").write_bytes(b"short")
    with pytest.raises(KeysMissing, match="32 bytes"):
        keyring.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "holds"), [("ES256", "RS256"), ("RS256", "EdDSA"), ("EdDSA", "ES256")]
)
def test_a_file_that_holds_another_key_than_its_name_says_is_refused(
    tmp_path: Path, name: str, holds: str
) -> None:
    keyring.init(tmp_path, NOON)
    wrong = (tmp_path / f"{holds}.{STAMP}.pem").read_bytes()
    (tmp_path / f"{name}.{STAMP}.pem").write_bytes(wrong)
    with pytest.raises(KeysMissing, match="promises"):
        keyring.load(tmp_path)


def test_another_curve_or_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    for alg, key in (
        ("ES256", ec.generate_private_key(ec.SECP384R1())),
        ("RS256", rsa.generate_private_key(65537, 1024)),  # noqa: S505  the very point
    ):
        path = tmp_path / f"{alg}.20261124T000000Z.pem"
        path.write_bytes(private_pem(key, None))
        with pytest.raises(KeysMissing, match="promises"):
            keyring.load(tmp_path)
        path.unlink()


def test_a_key_file_that_is_no_key_is_refused_by_name(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    (tmp_path / f"ES256.{STAMP}.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(KeysMissing, match="ES256"):
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
    assert "horse" not in repr(LOCKED)


# Under a passphrase


def test_under_a_passphrase_no_file_is_in_clear(tmp_path: Path) -> None:
    for path in keyring.init(tmp_path, NOON, LOCKED):
        content = path.read_bytes()
        assert content.startswith((b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"miftah sealed key"))
        assert len(content) != 32
    assert keyring.load(tmp_path, LOCKED).algorithms(NOON) == tuple(ALGORITHMS)


@pytest.mark.parametrize("unlock", [Unlock(), Unlock(passphrase=b"another passphrase entirely")])
@pytest.mark.parametrize("kept", ["ES256", "wrapping", "checkpoint"])
def test_without_the_passphrase_nothing_opens(tmp_path: Path, unlock: Unlock, kept: str) -> None:
    keyring.init(tmp_path, NOON, LOCKED)
    clear = tmp_path / "clear"
    keyring.init(clear, NOON)
    for path in clear.iterdir():
        if not path.name.startswith(kept):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(KeysMissing, match=kept):
        keyring.load(tmp_path, unlock)


def test_files_in_clear_still_open_where_a_passphrase_is_set(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    keyring.rotate(tmp_path, "ES256", NOON + timedelta(hours=1), LOCKED)
    assert len(keyring.load(tmp_path, LOCKED).signing) == len(ALGORITHMS) + 1


def test_one_sealed_secret_does_not_pass_for_another(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON, LOCKED)
    (tmp_path / "pairwise.key").write_bytes((tmp_path / "wrapping.key").read_bytes())
    with pytest.raises(KeysMissing, match="pairwise"):
        keyring.load(tmp_path, LOCKED)


@pytest.mark.parametrize("at", [0, 25, 40, 60, -1])
def test_a_changed_sealed_secret_is_refused(tmp_path: Path, at: int) -> None:
    keyring.init(tmp_path, NOON, LOCKED)
    path = tmp_path / "browser.key"
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(KeysMissing, match="browser"):
        keyring.load(tmp_path, LOCKED)


# Putting a key away


def test_a_superseded_key_may_be_put_away(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    keyring.rotate(tmp_path, "ES256", NOON + timedelta(hours=1))
    away = keyring.retire(tmp_path, f"ES256.{STAMP}.pem", NOON + timedelta(hours=2))
    assert away.name == f"ES256.{STAMP}.pem.retired"
    assert len(keyring.load(tmp_path).signing) == len(ALGORITHMS)


@pytest.mark.parametrize(
    "name",
    [f"ES256.{STAMP}.pem", "checkpoint.pem", "wrapping.key", "../x", "ES256.20200101T000000Z.pem"],
)
def test_a_key_that_signs_and_what_is_no_signing_key_cannot_be_put_away(
    tmp_path: Path, name: str
) -> None:
    keyring.init(tmp_path, NOON)
    keyring.rotate(tmp_path, "ES256", NOON + timedelta(hours=1))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeysMissing):
        keyring.retire(tmp_path, name, NOON + timedelta(minutes=1))
    assert sorted(tmp_path.iterdir()) == before


def test_a_key_that_was_only_announced_may_be_put_away(tmp_path: Path) -> None:
    keyring.init(tmp_path, NOON)
    announced = keyring.rotate(tmp_path, "RS256", NOON + timedelta(hours=1))
    keyring.retire(tmp_path, announced.name, NOON)
    assert keyring.load(tmp_path).algorithms(NOON) == tuple(ALGORITHMS)
