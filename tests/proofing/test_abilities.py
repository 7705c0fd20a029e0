"""What the broker says of itself: what it can do, and no more."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from flask import Flask
from flask.testing import FlaskClient

from broker.app import FEATURES, create_app
from broker.db import db
from broker.feature import Feature
from broker.identity.evidence import Check, Evidence, Outcome
from broker.proofing.abilities import abilities, metadata
from broker.proofing.standard_claims import VERIFIABLE
from broker.web.tools import Tools
from tests.conftest import ISSUER, NOON
from tests.proofing.letter import LetterVerifier
from tests.proofing.pieces import EVERYTHING, OURS, PASSPORT, POLICY, ask, full, tell


@dataclass(frozen=True)
class Node(LetterVerifier):
    """A door to an eIDAS node."""

    kind: ClassVar[str] = "node"
    produces: ClassVar[frozenset[str]] = frozenset({"eidas_substantial", "eidas_high"})
    establishes: ClassVar[frozenset[str]] = frozenset({"issuer_signature"})


def published(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/.well-known/openid-configuration")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def house(tools: Tools, **changed: Any) -> dict[str, Any]:
    app = create_app(replace(tools, **changed))
    found = published(app)
    with app.app_context():
        db.engine.dispose()
    return found


def test_a_house_of_one_door_says_what_that_door_brings(client: FlaskClient, tools: Tools) -> None:
    found = house(tools, verifiers=(LetterVerifier(),))
    own = [f"{ISSUER}/check-methods/check_digits"]
    assert {name: value for name, value in found.items() if name in metadata(EVERYTHING, "")} == {
        "verified_claims_supported": True,
        "claim_types_supported": ["normal"],
        "trust_frameworks_supported": [OURS],
        "claims_in_verified_claims_supported": list(VERIFIABLE),
        "evidence_supported": ["document"],
        "documents_supported": ["passport"],
        "documents_check_methods_supported": own,
        "documents_methods_supported": own,
    }


def test_eidas_is_named_once_a_door_to_a_node_hangs_there(tools: Tools) -> None:
    found = house(tools, verifiers=(LetterVerifier(), Node()))
    assert found["trust_frameworks_supported"] == [OURS, "eidas"]
    assert found["evidence_supported"] == ["document", "electronic_record"]
    assert found["electronic_records_supported"] == [f"{ISSUER}/record-types/eidas"]
    assert "eidas" not in house(tools, verifiers=(LetterVerifier(),))["trust_frameworks_supported"]


def test_a_room_that_files_evidence_without_a_door_is_counted(tools: Tools) -> None:
    other = Feature("counter", produces=frozenset({"consular_in_person"}))
    found = house(tools, verifiers=(LetterVerifier(),), features=(*FEATURES, other))
    assert found["evidence_supported"] == ["document", "vouch"]


def test_a_kind_that_the_policy_does_not_grade_is_no_ability() -> None:
    policy = POLICY.model_copy(update={"evidence": {}})
    assert abilities((LetterVerifier(), Node()), policy).kinds == frozenset()


def test_no_list_is_published_empty() -> None:
    for kinds in (frozenset[str](), frozenset({"qualified_cert"}), EVERYTHING.kinds):
        found = metadata(replace(EVERYTHING, kinds=kinds), ISSUER)
        assert all(found.values())
    assert "documents_supported" not in metadata(replace(EVERYTHING, kinds=frozenset()), ISSUER)


def test_everything_that_can_be_told_is_published() -> None:
    """Data outside of the advertised metadata is never told (Identity Assurance §7)."""
    known = metadata(EVERYTHING, ISSUER)
    asked = {
        "evidence": [
            {
                "type": {"value": type_},
                "check_details": [{"check_method": None}],
                "document_details": {"type": None},
                "record": {"type": None},
            }
            for type_ in known["evidence_supported"]
        ]
    }
    for kind in sorted(EVERYTHING.kinds - {"mailed_code", "qualified_cert"}):
        told = tell(full(kind), verified_claims=ask(asked, *VERIFIABLE))["verified_claims"]
        verification = told["verification"]
        assert verification["trust_framework"] in known["trust_frameworks_supported"]
        assert set(told["claims"]) <= set(known["claims_in_verified_claims_supported"])
        (entry,) = verification["evidence"]
        assert entry["type"] in known["evidence_supported"]
        if entry["type"] == "document":
            assert entry["document_details"]["type"] in known["documents_supported"]
            methods = {check["check_method"] for check in entry["check_details"]}
            assert methods <= set(known["documents_check_methods_supported"])
        if entry["type"] == "electronic_record":
            assert entry["record"]["type"] in known["electronic_records_supported"]


def test_evidence_of_a_door_that_no_longer_hangs_is_not_described() -> None:
    able = abilities((LetterVerifier(),), POLICY)
    wish = ask({"assurance_level": None})
    assert "verified_claims" not in tell(full("eidas_high"), able=able, verified_claims=wish)
    told = tell(full("eidas_high"), full("mrz_photo"), able=able, verified_claims=wish)
    assert told["verified_claims"]["verification"]["assurance_level"] == "declared"


def test_a_claim_outside_of_the_list_is_never_verified() -> None:
    told = tell(
        full("eidas_high"),
        verified_claims=ask({}, *PASSPORT, "address", "email", "sub"),
    )
    assert set(told["verified_claims"]["claims"]) <= set(VERIFIABLE)


def test_a_check_that_is_registered_for_no_kind_here_is_not_published() -> None:
    found = metadata(abilities((LetterVerifier(),), POLICY), ISSUER)
    assert "vcrypt" not in found["documents_check_methods_supported"]
    piece = Evidence("mrz_photo", (), (Check("vcrypt", "x", Outcome.PASSED),), NOON)
    assert "vcrypt" not in str(tell(piece, scope="assurance"))
