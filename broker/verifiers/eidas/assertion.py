"""The rules of the assertion (SAML Core §2, Profiles §4.1.4.2, eIDAS Message Format v1.4 §3)."""

from collections.abc import Callable
from typing import Final

from broker.errors import EvidenceRejected
from broker.verifiers.eidas.moments import moment
from broker.verifiers.eidas.response import ENTITY, Question, demand_issued, demand_issuer
from broker.verifiers.eidas.xml import SAML, Element, demanded, only, tag, text

TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_CONDITIONS: Final = frozenset(
    tag(SAML, name) for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")
)
_LONGEST_ID: Final = 256


def demand_sound(assertion: Element, question: Question) -> None:
    """Raises EvidenceRejected at the first rule that the assertion breaks."""
    for rule in RULES:
        rule(assertion, question)


def identifier(assertion: Element) -> str:
    """The assertion's ID: it may be used once."""
    return str(assertion.get("ID"))


def level(assertion: Element) -> str:
    """The level as the node says it, letter for letter. Raises EvidenceRejected."""
    context = demanded(demanded(assertion, SAML, "AuthnStatement"), SAML, "AuthnContext")
    return text(demanded(context, SAML, "AuthnContextClassRef")).strip()


def _version(assertion: Element, _: Question) -> None:
    name = assertion.get("ID") or ""
    if assertion.get("Version") != "2.0" or not 0 < len(name) <= _LONGEST_ID:
        raise EvidenceRejected("eidas_malformed", "version or ID of the assertion")


def _names(assertion: Element, question: Question) -> None:
    """The formats that SPID demands (Regole tecniche, Assertion)."""
    if not question.strict_names:
        return
    name = demanded(demanded(assertion, SAML, "Subject"), SAML, "NameID")
    said = (
        demanded(assertion, SAML, "Issuer").get("Format") == ENTITY,
        name.get("Format") == TRANSIENT,
        bool(name.get("NameQualifier")) and bool(text(name).strip()),
    )
    if not all(said):
        raise EvidenceRejected("eidas_incomplete", "a name without its format or qualifier")


def _subject(assertion: Element, question: Question) -> None:
    """One bearer confirmation, for us, for this question, in time (Profiles §4.1.4.2)."""
    confirmation = demanded(demanded(assertion, SAML, "Subject"), SAML, "SubjectConfirmation")
    if confirmation.get("Method") != BEARER:
        raise EvidenceRejected("eidas_not_for_us", "no bearer confirmation")
    data = demanded(confirmation, SAML, "SubjectConfirmationData")
    if data.get("Recipient") != question.acs:
        raise EvidenceRejected("eidas_not_for_us", "Recipient")
    if data.get("InResponseTo") != question.request:
        raise EvidenceRejected("eidas_not_our_question", "InResponseTo of the subject")
    if data.get("NotBefore") is not None:
        raise EvidenceRejected("eidas_out_of_time", "a bearer with NotBefore")
    _demand_not_over(data.get("NotOnOrAfter"), question)


def _conditions(assertion: Element, question: Question) -> None:
    conditions = demanded(assertion, SAML, "Conditions")
    if {child.tag for child in conditions} - _CONDITIONS:
        raise EvidenceRejected("eidas_ambiguous", "a condition that we do not know")
    if moment(conditions.get("NotBefore")) > question.now + question.skew:
        raise EvidenceRejected("eidas_out_of_time", "NotBefore")
    _demand_not_over(conditions.get("NotOnOrAfter"), question)


def _audience(assertion: Element, question: Question) -> None:
    """We are meant by every restriction there is, and there is one (Core §2.5.1.4)."""
    conditions = demanded(assertion, SAML, "Conditions")
    restrictions = conditions.findall(tag(SAML, "AudienceRestriction"))
    meant = [
        question.entity_id in {text(a).strip() for a in each.findall(tag(SAML, "Audience"))}
        for each in restrictions
    ]
    if not meant or not all(meant):
        raise EvidenceRejected("eidas_not_for_us", "Audience")


def _authenticated(assertion: Element, question: Question) -> None:
    """One statement that the person signed in there, now and not for an earlier visit."""
    statement = demanded(assertion, SAML, "AuthnStatement")
    at = moment(statement.get("AuthnInstant"))
    if at > question.now + question.skew:
        raise EvidenceRejected("eidas_out_of_time", "AuthnInstant")
    if question.fresh and at < question.asked_at - question.skew:
        raise EvidenceRejected("eidas_stale")
    if statement.get("SessionNotOnOrAfter") is not None:
        _demand_not_over(statement.get("SessionNotOnOrAfter"), question)


def _one_of_each(assertion: Element, _: Question) -> None:
    demanded(assertion, SAML, "AttributeStatement")
    if only(assertion, SAML, "AuthzDecisionStatement") is not None:
        raise EvidenceRejected("eidas_ambiguous", "a statement that nobody asked for")


def _demand_not_over(text_: str | None, question: Question) -> None:
    if question.now >= moment(text_) + question.skew:
        raise EvidenceRejected("eidas_out_of_time", "NotOnOrAfter")


RULES: Final[tuple[Callable[[Element, Question], None], ...]] = (
    _version,
    demand_issuer,
    demand_issued,
    _names,
    _subject,
    _conditions,
    _audience,
    _authenticated,
    _one_of_each,
)
"""The rules of the assertion, in the order in which they are tried."""
