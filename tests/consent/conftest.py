"""The consent room's tests: somebody about whom something is known, and a service that asks."""

from dataclasses import replace

import pytest
from flask import Flask

from broker.db import transaction
from broker.identity.evidence import Check, Claim, Evidence, Outcome
from broker.proofing import store as proofing
from broker.web.tools import Tools
from tests import visits
from tests.conftest import NOON
from tests.proofing.letter import ComparedVerifier, LetterVerifier
from tests.visits import Visit

ANNA = (
    Claim("family_name", "ERIKSSON", "line 1, 6–44"),
    Claim("given_name", "ANNA MARIA", "line 1, 6–44"),
    Claim("birthdate", "1974-08-12", "line 2, 14–19"),
    Claim("gender", "female", "line 2, 21"),
    Claim("document_type", "passport", "line 1, 1–2"),
    Claim("document_number", "L898902C3", "line 2, 1–9"),
    Claim("issuing_state", "MAR", "line 1, 3–5"),
    Claim("expiry_date", "2032-04-15", "line 2, 22–27"),
)


@pytest.fixture
def tools(tools: Tools) -> Tools:
    return replace(tools, verifiers=(LetterVerifier(), ComparedVerifier()))


@pytest.fixture
def visit(app: Flask) -> Visit:
    return visits.sign_in(visits.come(app))


def know(visit: Visit, kind: str = "mrz_photo") -> None:
    """Let a reading of this person be on file."""
    checks = (Check("data", "check_digits", Outcome.PASSED),)
    with visit.app.app_context(), transaction() as tx:
        proofing.file(tx, visit.account, Evidence(kind, ANNA, checks, NOON), NOON)
