"""A house with one door of its own and doors abroad, and a provider on the other side."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from broker.identity.scheme import Scheme
from broker.keyring import Keyring
from broker.web.tools import Tools
from tests import visits
from tests.proofing.letter import LetterVerifier
from tests.verifiers.upstream.peer import Peer, door, scheme
from tests.visits import Visit


def low() -> Scheme:
    """A scheme of Germany whose best is low."""
    made = scheme(name="lowly")
    name = made.name.model_copy(update={"en": "Lowly identity", "fr": "Identité modeste"})
    update = {"levels": made.levels[:1], "countries": ("DE",), "name": name}
    return made.model_copy(update=update)


@pytest.fixture
def schemes() -> dict[str, Scheme]:
    return {"trial": scheme(), "lowly": low()}


@pytest.fixture
def peer(keyring: Keyring) -> Peer:
    return Peer(keyring)


@pytest.fixture
def tools(tools: Tools, peer: Peer, schemes: dict[str, Scheme]) -> Tools:
    abroad = door(peer, *schemes.values())
    around = replace(abroad.around, schemes=lambda: schemes)
    verifiers = (LetterVerifier(), type(abroad)(around))
    return replace(tools, verifiers=verifiers, schemes=lambda: schemes)


@pytest.fixture
def visit(app: Flask) -> Visit:
    return visits.sign_in(visits.come(app))


@dataclass
class Detour:
    """A person's way abroad and back, as the pages let them."""

    visit: Visit
    peer: Peer
    handle: str
    scheme: str = "trial"
    country: str = "FR"

    def leave(self) -> str:
        """The address that the browser is sent to."""
        answer = self.visit.get(
            f"/prove/{self.handle}/upstream?scheme={self.scheme}&country={self.country}"
        )
        assert answer.status_code == 303, answer.text
        return answer.location

    def answer(self, url: str) -> str:
        """The address on which their answer comes back."""
        fields = self.peer.authorize(url)
        return f"/foreign/upstream/{self.scheme}?{urlencode(fields)}"

    def come_back(self, visit: Visit | None = None) -> TestResponse:
        """Our answer to the answer, whose address the browser then follows."""
        visit = visit or self.visit
        answer = visit.get(self.answer(self.leave()))
        assert answer.status_code == 303, answer.text
        return visit.get(answer.location)

    def review(self) -> str:
        """The path of the page on which the person looks at what was said."""
        answer = self.come_back()
        assert answer.status_code == 303, answer.text
        return urlsplit(answer.location).path

    def file(self) -> TestResponse:
        """The answer to "this is right"."""
        return self.visit.post(self.review(), answer="right")


@pytest.fixture
def detour(visit: Visit, peer: Peer) -> Detour:
    return Detour(visit, peer, visits.ask(visit, acr_values="verified-phr"))
