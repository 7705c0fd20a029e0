"""The proofing room's tests: a house whose doors take letters."""

from dataclasses import dataclass, replace
from io import BytesIO

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from broker.web.tools import Tools
from tests import visits
from tests.people import forms
from tests.proofing.letter import ANNA, AbroadVerifier, ComparedVerifier, LetterVerifier
from tests.visits import Visit


@pytest.fixture
def letter() -> LetterVerifier:
    return LetterVerifier()


@pytest.fixture
def tools(tools: Tools, letter: LetterVerifier) -> Tools:
    return replace(tools, verifiers=(letter, ComparedVerifier(), AbroadVerifier()))


@pytest.fixture
def visit(app: Flask) -> Visit:
    return visits.sign_in(visits.come(app))


@dataclass
class Desk:
    """What a person does at a door, as the pages let them."""

    visit: Visit
    handle: str
    kind: str = "letter"

    @property
    def path(self) -> str:
        return f"/prove/{self.handle}/{self.kind}"

    def open(self) -> str:
        """The attempt that the door's page carries."""
        page = self.visit.get(self.path)
        assert page.status_code == 200, page.text
        return forms(page.text)[0].fields["letter_attempt"]

    def present(self, letter: bytes = ANNA, attempt: str | None = None) -> TestResponse:
        return self.visit.post(
            self.path,
            letter_attempt=self.open() if attempt is None else attempt,
            letter=(BytesIO(letter), "letter.txt"),
        )

    def read(self, letter: bytes = ANNA) -> str:
        """The path of the page on which the person looks at what was read."""
        answer = self.present(letter)
        assert answer.status_code == 303, answer.text
        return answer.location

    def file(self, letter: bytes = ANNA) -> TestResponse:
        """The answer to "this is right"."""
        return self.visit.post(self.read(letter), answer="right")


@pytest.fixture
def desk(visit: Visit) -> Desk:
    return Desk(visit, visits.ask(visit))
