"""The second opinion: PassportEye with tesseract, where that program is installed."""

from functools import cache
from typing import Final

from PIL import Image

from broker.verifiers.mrz.answer import Lines
from broker.verifiers.mrz.reading import PassportEye
from broker.verifiers.mrz.spelling import holds
from broker.verifiers.mrz.tesseract import EngineMissing, engine_available

SECONDS: Final = 4.0
"""What a second opinion is worth waiting for."""


def contradicts(picture: Image.Image, lines: Lines) -> bool:
    """Whether the other reader accepts something in this picture, and it is not `lines`.

    False where it is not installed, finds nothing, or has no memory left to look.
    """
    program = _program()
    if program is None:
        return False
    try:
        found = PassportEye(program, SECONDS)(picture)
    except MemoryError:
        return False
    accepted = [zone for zone in found if holds(zone)]
    return bool(accepted) and lines not in accepted


@cache
def _program() -> str | None:
    try:
        return engine_available()
    except EngineMissing:
        return None
