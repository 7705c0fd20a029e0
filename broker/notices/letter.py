"""Letters: which event is worth one, and what it says. No name, no document, no key in them.

The address may be read by others, and mail travels in the open: a letter says what happened and
when, and where to look; never who the person is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from babel.dates import format_datetime
from flask import g

from broker.identity.verifier import Message
from broker.web.locale import gettext

OFFERED: Final = "address.offered"
"""Not an event: the letter that brings the code by which an address is proved."""

REPLACED: Final = "address.replaced"
"""Not an event: the last letter to an address that another took the place of."""

_LOOK: Final = (
    "If it was not you, sign in, remove the keys that are not yours and sign out everywhere."
)

LETTERS: Mapping[str, Message] = MappingProxyType(
    {
        OFFERED: Message(
            "Your code for this address: %(code)s",
            "Type it on the page that asked for it, within 30 minutes. If you asked for no code, "
            "you need do nothing.",
        ),
        REPLACED: Message("This address no longer receives the notices of your account.", _LOOK),
        "address.confirmed": Message(
            "This address now receives the notices of your account.",
            "If it was not you, somebody has typed your address by mistake: ignore our messages.",
        ),
        "address.removed": Message(
            "This address no longer receives the notices of your account.", _LOOK
        ),
        "evidence.accepted": Message("A proof of who you are was added to your account.", _LOOK),
        "evidence.removed": Message("A proof of who you are was taken from your account.", _LOOK),
        "key.enrolled": Message("A security key was added to your account.", _LOOK),
        "key.removed": Message("A security key was taken from your account.", _LOOK),
        "key.renamed": Message("A security key of yours was given another name.", _LOOK),
        "key.weakened": Message(
            "A weakness of the model of one of your security keys has become known.",
            "Sign in, add a key of another model, then remove this one.",
        ),
        "recovery.prepared": Message(
            "A new sheet of recovery codes was made; older ones are void.", _LOOK
        ),
        "recovery.used": Message(
            "Somebody came in by one of your recovery codes, and all your sessions were ended.",
            _LOOK,
        ),
        "totp.enrolled": Message("An authenticator app was added to your account.", _LOOK),
        "totp.removed": Message("The authenticator app was taken from your account.", _LOOK),
    }
)
"""Event → what is said of it, and what to do."""


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom, what, and when it was written; `id` is the notice's."""

    id: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    written: datetime


def write(kind: str, language: str, at: datetime, issuer: str, code: str) -> tuple[str, str]:
    """Subject and plain text of a letter. `at` is when it happened, in UTC."""
    g.language = language  # nobody's browser is asking: the letter speaks its reader's language
    what = gettext(LETTERS[kind].what)
    if kind == OFFERED:
        what %= {"code": code}
    territory = {"fr": "fr_MA", "ar": "ar_MA", "en": "en_GB"}[language]
    when = gettext(
        "On %(moment)s (universal time).", moment=format_datetime(at, "long", locale=territory)
    )
    parts = [what, when, gettext(LETTERS[kind].advice), f"{issuer}/account"]
    return what, "\n\n".join(parts) + "\n"
