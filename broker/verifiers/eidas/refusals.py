"""What a person is told when a foreign answer proves nothing: code → what happened, what to do."""

from collections.abc import Mapping
from typing import Final

from broker.identity.verifier import Message

_AGAIN: Final = "Try again. If it happens again, choose another way to prove who you are."
_ANOTHER_WAY: Final = (
    "Choose another way to prove who you are. Their operator must put this right, and we have "
    "noted it."
)
_ALERT: Final = (
    "Nothing was taken from it. Begin again from the service's own page, and choose another way "
    "to prove who you are if it happens again."
)
_FORGED: Final = "Somebody may have changed the answer on its way: we cannot rely on it."

REFUSALS: Final[Mapping[str, Message]] = {
    # What came is no answer
    "eidas_no_answer": Message("No answer from your country reached us.", _AGAIN),
    "eidas_too_large": Message("The answer is larger than such an answer can be.", _ANOTHER_WAY),
    "eidas_malformed": Message("We could not read the answer of your country.", _AGAIN),
    "eidas_forbidden_xml": Message(
        "The answer holds things that such an answer must not hold.", _ANOTHER_WAY
    ),
    "eidas_ambiguous": Message("The answer could be read in two ways.", _ALERT),
    "eidas_incomplete": Message("The answer of your country is not complete.", _ANOTHER_WAY),
    # It cannot be relied on
    "eidas_unsigned": Message("The answer bears no signature of your country.", _ALERT),
    "eidas_signature_wrong": Message(_FORGED, _ALERT),
    "eidas_weak_algorithm": Message(
        "The answer is protected by a method that is no longer secure.", _ANOTHER_WAY
    ),
    "eidas_not_encrypted": Message(
        "The answer was not encrypted, as it must be to protect you.", _ANOTHER_WAY
    ),
    "eidas_undecryptable": Message("We could not decrypt the answer of your country.", _AGAIN),
    "eidas_other_node": Message("Somebody else than we asked has answered.", _ALERT),
    "eidas_node_unknown": Message(
        "We cannot check answers of this country at the moment.",
        "Try again later, or choose another way to prove who you are.",
    ),
    # It does not answer what we asked, or not now
    "eidas_not_for_us": Message("The answer is meant for another service.", _ALERT),
    "eidas_not_our_question": Message(
        "This is the answer to another question than the one we asked.",
        "Begin again here, and finish in the same window that you began in.",
    ),
    "eidas_out_of_time": Message(
        "The answer came too late or too early to be relied on.",
        "Begin again, and come back here as soon as you have signed in there.",
    ),
    "eidas_stale": Message(
        "Your country did not ask you to sign in now: it remembered an earlier visit.",
        "Sign out there, then begin again here.",
    ),
    "eidas_scheme_gone": Message(
        "This way to prove who you are is not offered any more.",
        "Choose another way to prove who you are.",
    ),
    # It says no
    "eidas_declined": Message(
        "You declined there, or your country may not tell us who you are.",
        "If you pressed the wrong button, try again; else choose another way.",
    ),
    "eidas_not_authenticated": Message(
        "You could not be signed in there.",
        "Check your card, application or password and try again, or choose another way.",
    ),
    "eidas_node_failed": Message("Something went wrong there.", _AGAIN),
    # It does not say enough
    "eidas_level_unavailable": Message(
        "Your country cannot confirm who you are as surely as the service needs.",
        "If you have a stronger means there, a card for instance, use it; else choose another way.",
    ),
    "eidas_level_too_low": Message(
        "The means that you used there is not as sure as the service needs.",
        "If you have a stronger means there, a card for instance, use it; else choose another way.",
    ),
    "eidas_level_unknown": Message(
        "The answer does not say in terms that we know how sure your country is.", _ANOTHER_WAY
    ),
    "eidas_person_incomplete": Message(
        "The answer lacks your name, your date of birth or your identifier.",
        "Try again and agree there to share them, or choose another way to prove who you are.",
    ),
    "eidas_value_unusable": Message(
        "A name or a date in the answer is not written as one.", _ANOTHER_WAY
    ),
    "eidas_name_not_latin": Message(
        "Your name came in its own script only, without Latin letters beside it.", _ANOTHER_WAY
    ),
    "eidas_identifier_wrong": Message(
        "The identifier in the answer was made by another country, or for another.", _ALERT
    ),
    "eidas_nobody": Message(
        "The answer names a company and no person.",
        "Sign in there as yourself, or as somebody who represents the company.",
    ),
}
