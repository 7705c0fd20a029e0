"""What a person is told when a photograph proves nothing: code → what happened, what to do."""

from collections.abc import Mapping
from typing import Final

from broker.identity.verifier import Message

_FLAT: Final = (
    "Lay the passport flat in daylight, hold the telephone straight above it, and let the whole "
    "page with the two lines at its foot fill the picture, without glare or fingers on them."
)
_TILT: Final = (
    "Turn away from the lamp or the window, or tilt the passport a little, until nothing shines. "
    "Use no flash."
)
_ANOTHER_FILE: Final = "Take a new photograph, or choose another file."

REFUSALS: Final[Mapping[str, Message]] = {
    "mrz_not_found": Message(
        "We could not find the two lines at the foot of a passport's data page in this picture.",
        _FLAT,
    ),
    "mrz_unreadable": Message(
        "We found the two lines, but their check digits do not add up: "
        "a symbol was misread, or the document is damaged.",
        _FLAT,
    ),
    "mrz_too_small": Message(
        "The two lines are too small in this picture.",
        "Come closer, until the page with your portrait fills the whole picture.",
    ),
    "mrz_blurred": Message(
        "The two lines are blurred.",
        "Hold the telephone still, wait until the picture is sharp, and use more light.",
    ),
    "mrz_glare_start": Message(
        "Light is reflected on the beginning of the two lines.",
        _TILT,
    ),
    "mrz_glare_middle": Message(
        "Light is reflected on the middle of the two lines.",
        _TILT,
    ),
    "mrz_glare_end": Message(
        "Light is reflected on the end of the two lines.",
        _TILT,
    ),
    "mrz_cut_off": Message(
        "A part of the two lines lies outside the picture.",
        "Let the whole page be in the picture, with some space around it. "
        "It does not matter which way up it is.",
    ),
    "mrz_unsure": Message(
        "We found the two lines, but we are not sure of every symbol in them.",
        _FLAT,
    ),
    "mrz_two_documents": Message(
        "There is more than one document in this picture.",
        "Photograph your own passport alone.",
    ),
    "mrz_identity_card": Message(
        "This is an identity card or a residence permit, not a passport.",
        "Photograph the data page of your passport: the one with your portrait.",
    ),
    "mrz_visa": Message(
        "This is a visa, not a passport.",
        "Photograph the data page of your passport: the one with your portrait.",
    ),
    "mrz_expired": Message(
        "This passport has expired.",
        "Use a passport that is still valid, or choose another way to prove who you are.",
    ),
    "mrz_unknown_state": Message(
        "We do not know the state that this document names: the picture was probably misread.",
        _FLAT,
    ),
    "mrz_specimen": Message(
        "This is a specimen: no state has issued it.",
        "Photograph your own passport.",
    ),
    "picture_missing": Message(
        "No picture reached us.",
        "Take a photograph or choose a file, then press the button again.",
    ),
    "picture_too_many_bytes": Message(
        "This file is larger than 15 MB.",
        "Choose a smaller picture, or lower the quality in your camera's settings.",
    ),
    "picture_too_large": Message(
        "This picture has 40 million pixels or more.",
        "Lower the resolution in your camera's settings, or choose a smaller picture.",
    ),
    "picture_too_small": Message(
        "This picture is too small for its text to be read.",
        "Choose the original photograph rather than a reduced copy of it.",
    ),
    "picture_not_an_image": Message(
        "This is not a kind of file that we can read.",
        "Choose a picture in JPEG, PNG, WebP or HEIC format, or a PDF.",
    ),
    "picture_too_costly": Message(
        "This file takes too long to open, or too much memory.",
        "Take a new photograph, or save the picture as a JPEG and choose that.",
    ),
    "reader_busy": Message(
        "Very many people are sending pictures at this moment.",
        "Wait a minute, then send yours again.",
    ),
    "picture_damaged": Message(
        "This file is damaged or incomplete.",
        _ANOTHER_FILE,
    ),
    "pdf_too_long": Message(
        "This PDF has more than 20 pages.",
        "Choose a PDF whose first page is your passport's data page.",
    ),
    "pdf_locked": Message(
        "This PDF is protected by a password.",
        "Choose a file without a password, or take a photograph.",
    ),
}
