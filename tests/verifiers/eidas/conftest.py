"""A door to one node, a question that was asked there, and its answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from broker.errors import EvidenceRejected
from broker.identity.evidence import Evidence
from broker.identity.verifier import Attempt, Opening, Reply
from broker.verifiers.eidas import EidasVerifier
from broker.verifiers.eidas.refusals import REFUSALS
from tests.conftest import ISSUER, NOON
from tests.verifiers.eidas.node import Answer, Node
from tests.verifiers.eidas.schemes import around, ec_key, rsa_key, scheme, self_signed, written


@dataclass
class Door:
    """The verifier with one scheme, and the node at its other side."""

    verifier: EidasVerifier
    node: Node
    country: str = "XA"
    least: str = "substantial"
    now: datetime = NOON

    def attempt(self) -> Attempt:
        return Attempt("h" * 43, self.now, "en", {}, "xa", self.country, self.least)

    def ask(self) -> tuple[Attempt, Opening]:
        """The attempt as `close` is told of it, and how it was opened."""
        attempt = self.attempt()
        opening = self.verifier.open(attempt)
        return replace(attempt, remembered=opening.remember, scheme="", country=""), opening

    def take(self, **changed: Any) -> Evidence:
        """The evidence of an answer that is sound but for what is changed."""
        attempt, _ = self.ask()
        reply = Reply({"SAMLResponse": self.answer(attempt, **changed)})
        return self.verifier.close(attempt, reply)

    def answer(self, attempt: Attempt, **changed: Any) -> str:
        """What the node answers to the question of this attempt."""
        acs = f"{ISSUER}/foreign/eidas/xa"
        sound = Answer(f"{acs}.xml", acs, attempt.remembered["request"])
        return self.node.field(replace(sound, **changed))

    def code(self, **changed: Any) -> str:
        """The code with which such an answer is refused."""
        with pytest.raises(EvidenceRejected) as caught:
            self.take(**changed)
        assert caught.value.code in REFUSALS
        return caught.value.code


MakeDoor = Callable[..., Door]


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our key files for SAML."""
    folder = tmp_path_factory.mktemp("saml-keys")
    written(folder / "saml-signing.pem", ec_key("ours"))
    written(folder / "saml-encryption.pem", rsa_key("ours"))
    written(folder / "saml-curve.pem", ec_key("ours-encryption"))
    return folder


@pytest.fixture
def make_door(keys: Path, tmp_path: Path) -> MakeDoor:
    """A door whose scheme's section and other parts are as told."""

    def make(node: Node | None = None, **said: Any) -> Door:
        node = node or Node(to=self_signed(rsa_key("ours")))
        other = {name: said.pop(name) for name in ("levels", "reach", "countries") if name in said}
        made = scheme("xa", saml=node.section | said, **other)
        return Door(EidasVerifier(around(keys, made, files=tmp_path)), node)

    return make


@pytest.fixture
def door(make_door: MakeDoor) -> Door:
    return make_door()


def abroad(name: str = "xa") -> Door:
    """A door outside of any test, to a scheme of this name."""
    folder = Path(mkdtemp())
    written(folder / "saml-signing.pem", ec_key("ours"))
    written(folder / "saml-encryption.pem", rsa_key("ours"))
    node = Node(to=self_signed(rsa_key("ours")))
    return Door(EidasVerifier(around(folder, scheme(name, saml=node.section))), node)


def signed_in_abroad() -> tuple[EidasVerifier, Attempt, Reply]:
    """A verifier, an attempt at it, and a reply that it accepts."""
    door = abroad()
    attempt, _ = door.ask()
    return door.verifier, attempt, Reply({"SAMLResponse": door.answer(attempt)})
