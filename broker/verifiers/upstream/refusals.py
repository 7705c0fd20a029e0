"""What a person is told when a provider proves nothing: code → what happened, what to do."""

from collections.abc import Mapping
from typing import Final

from broker.identity.verifier import Message

_AGAIN: Final = "Try once more. If it happens again, choose another way to prove who you are."
_LATER: Final = "Try again in a few minutes, or choose another way to prove who you are."
_OTHER: Final = "Choose another way to prove who you are. Nothing was kept."
_REPORT: Final = (
    "For your safety we stopped. Start again from here, and never from a link that was sent to you."
)

REFUSALS: Final[Mapping[str, Message]] = {
    "upstream_birthdate_partial": Message(
        "The other service does not know your whole date of birth, and we do not guess one.",
        _OTHER,
    ),
    "upstream_cancelled": Message(
        "You stopped at the other service, or it could not recognise you.",
        "Try again, or choose another way to prove who you are.",
    ),
    "upstream_expired": Message(
        "What the other service said of you was not of this moment.",
        _AGAIN,
    ),
    "upstream_incomplete": Message(
        "The other service did not tell us all that is needed to know who you are.",
        _OTHER,
    ),
    "upstream_level_low": Message(
        "You signed in at the other service in a way that is not sure enough for what is asked.",
        "Try again there with its stronger way, or choose another way to prove who you are.",
    ),
    "upstream_level_unknown": Message(
        "The other service did not say how sure it is of you, or in words that we do not know.",
        _OTHER,
    ),
    "upstream_level_unreachable": Message(
        "This identity cannot be sure enough for what is asked.",
        "Choose another way to prove who you are.",
    ),
    "upstream_malformed": Message(
        "The other service sent you back with an answer that makes no sense.",
        _AGAIN,
    ),
    "upstream_mixed_up": Message(
        "The answer comes from another service than the one that you chose.",
        _REPORT,
    ),
    "upstream_other_audience": Message(
        "What the other service said of you was meant for somebody else than us.",
        _REPORT,
    ),
    "upstream_other_person": Message(
        "The other service spoke of two different people.",
        _OTHER,
    ),
    "upstream_refused": Message(
        "The other service did not accept our request.",
        _LATER,
    ),
    "upstream_scheme_gone": Message(
        "This identity is no longer offered here.",
        "Choose another way to prove who you are.",
    ),
    "upstream_sign_in_old": Message(
        "You signed in at the other service too long ago.",
        "Try again, and sign in there anew.",
    ),
    "upstream_silent": Message(
        "The other service does not answer.",
        _LATER,
    ),
    "upstream_unasked": Message(
        "This answer does not belong to what you began here.",
        _REPORT,
    ),
    "upstream_unconfigured": Message(
        "Something is missing on our side for this identity.",
        _LATER,
    ),
    "upstream_unreadable": Message(
        "The other service told us something about you that cannot be right.",
        _OTHER,
    ),
    "upstream_untrusted": Message(
        "We could not make sure that the answer really comes from the service that you chose.",
        _AGAIN,
    ),
    "upstream_not_as_agreed": Message(
        "The other service gave an answer that we cannot use.",
        _LATER,
    ),
}
