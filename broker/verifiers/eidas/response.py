"""The rules of a SAML response (SAML Profiles §4.1.4, eIDAS Message Format v1.4 §3).

Each rule is a small function that raises; what comes out has been signed by the node that was
asked, answers the question that this attempt put, and holds one assertion.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from broker.errors import EvidenceRejected
from broker.verifiers.eidas.encryption import DecryptionKey, decrypt
from broker.verifiers.eidas.moments import moment
from broker.verifiers.eidas.signature import demand_no_others, verify
from broker.verifiers.eidas.xml import (
    DS,
    SAML,
    SAMLP,
    Element,
    demanded,
    only,
    parsed,
    tag,
    text,
)

ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
_STATUS: Final = "urn:oasis:names:tc:SAML:2.0:status:"
SUCCESS: Final = f"{_STATUS}Success"
STATUSES: Final[Mapping[str, str]] = {
    f"{_STATUS}AuthnFailed": "eidas_not_authenticated",
    f"{_STATUS}RequestDenied": "eidas_declined",
    f"{_STATUS}NoAuthnContext": "eidas_level_unavailable",
}
"""Second-level status → our code; any other failure is the node's own."""

_CONSENT: Final = "urn:oasis:names:tc:SAML:2.0:consent:"
CONSENTS: Final = frozenset(
    f"{_CONSENT}{name}"
    for name in (
        "obtained", "prior", "current-implicit", "current-explicit", "curent-implicit",
        "curent-explicit", "unspecified", "unavailable", "inapplicable",
    )
)  # fmt: skip
"""SAML Core §8.4, with the misspelling under which eIDAS nodes know two of them."""

_PARTS: Final = frozenset(
    {
        tag(SAML, "Issuer"), tag(DS, "Signature"), tag(SAMLP, "Extensions"), tag(SAMLP, "Status"),
        tag(SAML, "Assertion"), tag(SAML, "EncryptedAssertion"),
    }
)  # fmt: skip
_ASSERTIONS: Final = (tag(SAML, "Assertion"), tag(SAML, "EncryptedAssertion"))


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, of whom, and what an answer must be like to be one.

    `certificates` are the keys of the node that was asked, and of no other. `keys` open what was
    encrypted to us.
    """

    node: str
    certificates: tuple[x509.Certificate, ...]
    entity_id: str
    acs: str
    request: str
    asked_at: datetime
    now: datetime
    skew: timedelta
    signed: str
    encrypted: bool
    fresh: bool
    strict_names: bool
    keys: tuple[DecryptionKey, ...]


def assertion_in(document: bytes, question: Question) -> Element:
    """The one assertion, made of the octets that were signed. Raises EvidenceRejected."""
    unverified = parsed(document)
    if unverified.tag != tag(SAMLP, "Response"):
        raise EvidenceRejected("eidas_malformed", "not a Response")
    _one_way_to_read(unverified)
    demand_issuer(unverified, question)
    response = _believed(unverified, question, demanded_="response")
    for rule in RULES:
        rule(response, question)
    return _assertion(response, question)


def _believed(element: Element, question: Question, *, demanded_: str) -> Element:
    """The element as it was signed; as it stands where no signature is demanded and none there."""
    must = question.signed in {demanded_, "both"}
    if not must and only(element, DS, "Signature") is None:
        return element
    return verify(element, question.certificates).element


def _assertion(response: Element, question: Question) -> Element:
    sealed = only(response, SAML, "EncryptedAssertion")
    if sealed is not None:
        found = decrypt(sealed, question.keys)
        _one_way_to_read_assertion(found)
    elif question.encrypted:
        raise EvidenceRejected("eidas_not_encrypted")
    else:
        found = demanded(response, SAML, "Assertion")
    return _believed(found, question, demanded_="assertion")


def _one_way_to_read(root: Element) -> None:
    """One assertion at most, in its place; no signature, response or stranger anywhere else.

    This is what the wrapping of signatures needs: a second thing for a second reader to find.
    """
    demand_no_others(root)
    if {child.tag for child in root} - _PARTS:
        raise EvidenceRejected("eidas_ambiguous", "a stranger in the response")
    found = list(root.iter(*_ASSERTIONS))
    if len(found) > 1 or any(assertion.getparent() is not root for assertion in found):
        raise EvidenceRejected("eidas_ambiguous", "more than one assertion, or one out of place")
    if next(root.iterdescendants(tag(SAMLP, "Response")), None) is not None:
        raise EvidenceRejected("eidas_ambiguous", "a response within the response")


def _one_way_to_read_assertion(root: Element) -> None:
    demand_no_others(root)
    if next(root.iterdescendants(*_ASSERTIONS), None) is not None:
        raise EvidenceRejected("eidas_ambiguous", "an assertion within the assertion")


def demand_issuer(element: Element, question: Question) -> None:
    """Raises eidas_other_node unless the node that was asked says that it speaks here."""
    issuer = demanded(element, SAML, "Issuer")
    if text(issuer).strip() != question.node or issuer.get("Format", ENTITY) != ENTITY:
        raise EvidenceRejected("eidas_other_node")


def _version(response: Element, _: Question) -> None:
    if response.get("Version") != "2.0" or not response.get("ID"):
        raise EvidenceRejected("eidas_malformed", "version or ID")


def _destination(response: Element, question: Question) -> None:
    if response.get("Destination") != question.acs:
        raise EvidenceRejected("eidas_not_for_us", "Destination")


def _in_response_to(response: Element, question: Question) -> None:
    if response.get("InResponseTo") != question.request:
        raise EvidenceRejected("eidas_not_our_question", "InResponseTo")


def _issued(response: Element, question: Question) -> None:
    demand_issued(response, question)


def demand_issued(element: Element, question: Question) -> None:
    """Raises eidas_out_of_time unless issued between our question and now."""
    issued = moment(element.get("IssueInstant"))
    if not question.asked_at - question.skew <= issued <= question.now + question.skew:
        raise EvidenceRejected("eidas_out_of_time", "IssueInstant")


def _consent(response: Element, _: Question) -> None:
    if response.get("Consent", f"{_CONSENT}unspecified") not in CONSENTS:
        raise EvidenceRejected("eidas_malformed", "Consent")


def _status(response: Element, _: Question) -> None:
    first = demanded(demanded(response, SAMLP, "Status"), SAMLP, "StatusCode")
    if first.get("Value") == SUCCESS and len(first) == 0:
        return
    second = only(first, SAMLP, "StatusCode")
    named = second.get("Value") if second is not None else first.get("Value")
    raise EvidenceRejected(STATUSES.get(named or "", "eidas_node_failed"))


def _has_assertion(response: Element, _: Question) -> None:
    if not any(child.tag in _ASSERTIONS for child in response):
        raise EvidenceRejected("eidas_incomplete", "no assertion")


RULES: Final[tuple[Callable[[Element, Question], None], ...]] = (
    _version,
    _destination,
    _in_response_to,
    _issued,
    _consent,
    _status,
    _has_assertion,
)
"""The rules of the response itself, in the order in which they are tried."""
