"""Keys that never leave a security module (PKCS#11), with SoftHSM."""

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from broker import keyring
from broker.keyring import HeldKeyring, KeysMissing, ModuleFailed, Unlock
from tests.conftest import NOON
from tests.oidc.signing.conftest import House, verifies

LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
TOKEN, PIN = "miftah tests", "1234 five"

pytestmark = pytest.mark.skipif(
    not LIBRARY.exists() or find_spec("PyKCS11") is None,
    reason="SoftHSM or PyKCS11 is not installed: deploy/system-packages.sh test",
)


@pytest.fixture(scope="module")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A token of this test process, in a folder of its own."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(configuration))
        made = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN]
        subprocess.run(
            [*made, "--pin", PIN, "--so-pin", "12345678"],
            check=True,
            capture_output=True,
            env=dict(os.environ),
        )
        yield


@pytest.fixture
def moved(house: House, softhsm: None) -> House:
    """The same house, which may use the module."""
    unlock = Unlock(house.unlock.passphrase, LIBRARY, PIN)
    held = HeldKeyring(house.folder, house.clock, timedelta(days=1), unlock)
    object.__setattr__(house.app.extensions["broker"], "keys", held)
    house.unlock = unlock
    return house


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256"])
def test_a_key_in_a_module_is_announced_and_signs_like_any_other(moved: House, alg: str) -> None:
    since = NOON + timedelta(minutes=10)
    path = keyring.make_in_module(moved.folder, alg, since, moved.unlock, TOKEN)
    assert path.suffix == ".pkcs11"
    assert b"PRIVATE" not in path.read_bytes()
    moved.clock.forward(seconds=2)
    cached = moved.published()
    assert len(moved.kids(alg)) == 2
    moved.clock.forward(minutes=10)
    assert verifies(moved.token_by(alg), cached, alg)


def test_a_module_makes_no_eddsa_key_and_leaves_no_file(moved: House) -> None:
    before = sorted(moved.folder.iterdir())
    with pytest.raises(ModuleFailed, match="EdDSA"):
        keyring.make_in_module(moved.folder, "EdDSA", NOON, moved.unlock, TOKEN)
    assert sorted(moved.folder.iterdir()) == before


def test_a_token_that_is_not_there_is_named(moved: House) -> None:
    with pytest.raises(ModuleFailed, match="0 tokens are called nowhere"):
        keyring.make_in_module(moved.folder, "ES256", NOON, moved.unlock, "nowhere")


def test_without_a_module_its_key_files_are_refused_at_start(moved: House) -> None:
    keyring.make_in_module(moved.folder, "ES256", NOON + timedelta(days=9), moved.unlock, TOKEN)
    with pytest.raises(KeysMissing, match="PKCS11_MODULE"):
        keyring.load(moved.folder, Unlock(moved.unlock.passphrase))


def test_a_key_that_the_module_lost_signs_nothing_and_says_so(moved: House) -> None:
    path = keyring.make_in_module(moved.folder, "ES256", NOON, moved.unlock, TOKEN)
    text = path.read_bytes().replace(b"object=ES256", b"object=GONE1")
    path.write_bytes(text)
    key = keyring.load(moved.folder, moved.unlock).active("ES256", NOON)
    with pytest.raises(ModuleFailed, match="0 private keys"):
        key.sign(b"message")
