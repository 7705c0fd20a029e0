"""What this broker can really do, from its doors and its policy: told in its metadata, pure.

Nothing outside of it is ever told about a person either (Identity Assurance §7).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.identity.assurance import Policy
from broker.identity.assurance_request import EVIDENCE_TYPES
from broker.identity.verifier import Verifier
from broker.proofing.evidence_shape import (
    REGISTERED_ELSEWHERE,
    Methods,
    Shape,
    method_uri,
    shapes,
    type_of,
)
from broker.proofing.standard_claims import VERIFIABLE


@dataclass(frozen=True, slots=True)
class Abilities:
    """Kinds of evidence that a person may file here, and the properties its checks may prove."""

    kinds: frozenset[str]
    properties: frozenset[str]
    quoted: tuple[str, ...] = ()
    """Trust frameworks of the foreign schemes in force."""

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """How these kinds are described, those that are."""
        return shapes(self.kinds)

    @property
    def methods(self) -> Methods:
        """Check methods that may be told: registered names, and properties ours are named after."""
        registered = frozenset[str]().union(*(shape.methods for shape in self.shapes))
        return registered | (self.properties - REGISTERED_ELSEWHERE)


def abilities(
    verifiers: Iterable[Verifier],
    policy: Policy,
    others: Iterable[str] = (),
    quoted: Iterable[str] = (),
) -> Abilities:
    """What the doors that hang here may bring, `others` being kinds that need no door.

    A kind that the policy does not grade is worth nothing, and is none of them.
    """
    doors = tuple(verifiers)
    kinds = frozenset(others).union(*(door.produces for door in doors))
    properties = frozenset[str]().union(*(door.establishes for door in doors))
    return Abilities(kinds & policy.evidence.keys(), properties, tuple(sorted(set(quoted))))


def frameworks(able: Abilities, issuer: str) -> tuple[str, ...]:
    """Our own trust framework first, then those of whom our evidence quotes."""
    quoted = (shape.asserted.framework for shape in able.shapes if shape.asserted)
    return tuple(dict.fromkeys((f"{issuer}/trust-framework", *quoted, *able.quoted)))


def metadata(able: Abilities, issuer: str) -> dict[str, Any]:
    """The provider's metadata on identity assurance (§7); no list in it is empty."""
    found = able.shapes
    types = {shape.type for shape in found}
    lists = {
        "trust_frameworks_supported": frameworks(able, issuer),
        "claims_in_verified_claims_supported": VERIFIABLE,
        "evidence_supported": [name for name in EVIDENCE_TYPES if name in types],
        "documents_supported": [name for shape in found for name in shape.documents],
        "documents_check_methods_supported": _document_methods(able, issuer),
        "electronic_records_supported": _named(found, "electronic_record", issuer),
    }
    # The name before the final version, which the conformance suite still looks at.
    lists["documents_methods_supported"] = lists["documents_check_methods_supported"]
    known: Mapping[str, Any] = {name: list(dict.fromkeys(v)) for name, v in lists.items() if v}
    return {"verified_claims_supported": True, "claim_types_supported": ["normal"], **known}


def _document_methods(able: Abilities, issuer: str) -> list[str]:
    documents = [shape for shape in able.shapes if shape.type == "document"]
    if not documents:
        return []
    registered = {method for shape in documents for method in shape.methods}
    ours = able.properties - REGISTERED_ELSEWHERE
    return [*sorted(registered), *(method_uri(name, issuer) for name in sorted(ours))]


def _named(found: Iterable[Shape], type_: str, issuer: str) -> list[str]:
    return [type_of(shape, issuer) for shape in found if shape.type == type_]
