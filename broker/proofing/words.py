"""What a check means to the person who was checked: by its property and its outcome."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from markupsafe import Markup

from broker.identity.evidence import Check, Claim, Evidence, Outcome
from broker.identity.words import rank
from broker.web import shown
from broker.web.locale import gettext, isolate, listed

Row = tuple[str, str | Markup, str | Markup | None]
"""Label, value, and where in the document the value stands."""

CHECKS: Final[Mapping[tuple[str, Outcome], str]] = {
    ("check_digits", Outcome.PASSED): "The check digits are right: the lines were read correctly.",
    ("issuing_state_known", Outcome.PASSED): "The codes of states in it exist.",
    ("not_specimen", Outcome.PASSED): "It is not a specimen.",
    ("not_specimen", Outcome.FAILED): (
        "It is a specimen, which no state issued: it is good for demonstrations only."
    ),
    ("not_expired", Outcome.PASSED): "By its own date, it has not expired.",
    ("names_whole", Outcome.PASSED): "The names stand there whole.",
    ("names_whole", Outcome.FAILED): "The names fill their line: their end may be cut off.",
    ("issuer_signature", Outcome.PASSED): "The electronic signature of its issuer is right.",
    ("issuer_signature", Outcome.SKIPPED): (
        "The electronic signature of its issuer was not checked."
    ),
    ("meant_for_us", Outcome.PASSED): "It was said to us, now, and to nobody else.",
    ("level_asserted", Outcome.PASSED): (
        "Whoever vouches for you said how sure they are, in words that we know."
    ),
    ("document_genuine", Outcome.PASSED): "Somebody examined the document and found it genuine.",
    ("document_genuine", Outcome.SKIPPED): "Nobody examined whether the document is genuine.",
    ("holder_present", Outcome.PASSED): "Somebody compared you with the portrait.",
    ("holder_present", Outcome.SKIPPED): "Nobody compared you with the portrait.",
}


def rows(evidence: Evidence) -> list[Row]:
    """All that was read, field by field, in the order of pages, each with its place.

    Letters that were seen least well are marked, and named beside the place.
    """
    ordered = sorted(evidence.claims, key=lambda claim: rank(claim.name))
    return [(shown.label(c.name), _value(c), _place(c)) for c in ordered]


def summary(evidence: Evidence) -> list[Row]:
    """As `rows`, without places: for a page where nothing is compared with the document.

    Whoever vouches is named beside it, in the person's language.
    """
    said = evidence.claims
    if evidence.origin is not None:
        said = tuple(claim for claim in said if claim.name != "issuing_authority")
    return [(label, value, None) for label, value, _ in rows(replace(evidence, claims=said))]


def checks(evidence: Evidence, *outcomes: Outcome) -> list[str]:
    """The checks that ended so, in words."""
    return [_sentence(check) for check in evidence.checks if check.outcome in outcomes]


def _value(claim: Claim) -> str | Markup:
    if not claim.faint:
        return shown.value(claim.name, claim.value)
    marked = Markup("<mark>{}</mark>")
    return Markup().join(
        marked.format(letter) if place in claim.faint else letter
        for place, letter in enumerate(claim.value)
    )


def _place(claim: Claim) -> str | Markup:
    """Where it stands; after it, in words, what `<mark>` alone tells nobody who listens."""
    where = shown.place(claim.source)
    if not claim.faint:
        return where
    letters = listed([_letter(claim.value, place) for place in claim.faint])
    closely = gettext("Compare closely: %(letters)s.", letters=letters)
    return Markup("{}<br><strong>{}</strong>").format(where, closely)


def _letter(value: str, place: int) -> str:
    number = len(value[: place + 1].replace(" ", ""))
    return gettext("letter %(number)s (%(letter)s)", number=number, letter=isolate(value[place]))


def _sentence(check: Check) -> str:
    words = CHECKS.get((check.property, check.outcome))
    # A verifier newer than this table: its own name for the property is better than silence.
    return gettext(words) if words else f"{check.property}: {check.outcome.value}"
