"""Draws the specimens and writes them beside this file; the same bytes on every run.

    python -m tests.vectors.passport.make_specimens

Needs the font of Debian's package fonts-ocr-b; the tests need only what it has written.
"""

from io import BytesIO
from pathlib import Path
from time import struct_time

import pillow_heif
from PIL import Image

from tests.vectors.passport.drawing import (
    Portrait,
    identity_card,
    passport,
    visa_booklet,
)
from tests.vectors.passport.photographing import Laid, Quad, photograph
from tests.verifiers.mrz.writer import Document, Holder, td1, td3, visa

HERE = Path(__file__).parent
DEMO = HERE.parents[2] / "broker" / "demo" / "static" / "specimen-passport.jpg"

INES = Holder()
JONAS = Holder("ANDERSEN", "JONAS", "UTO", "760223", "M")
INES_FACE = Portrait()
JONAS_FACE = Portrait((206, 160, 128), (108, 84, 60), (70, 74, 70), is_long=False)

GOOD = Document()
EXPIRED = Document(number="UT4037209", expiry="190630")
CARD = Document(code="I", number="UTC518340", expiry="360228")
VISA = Document(code="V", number="UTV209417", expiry="340815")

SLANTED: Quad = ((210, 92), (1790, 60), (1868, 1440), (128, 1452))
OTHERWISE: Quad = ((160, 58), (1812, 104), (1842, 1462), (142, 1430))
FLAT: Quad = ((190, 170), (1820, 150), (1862, 1330), (146, 1342))
CARD_LAID: Quad = ((420, 330), (1560, 300), (1590, 1040), (396, 1052))
UPPER: Quad = ((96, 70), (1390, 98), (1412, 1302), (70, 1286))
LOWER: Quad = ((300, 1378), (1240, 1362), (1258, 1952), (286, 1966))
TALL = (1500, 2000)

ORIENTATION = 0x0112
QUARTER_TURNED = 6


def main() -> None:
    """Write every specimen."""
    good = photograph((Laid(_passport(INES, GOOD, INES_FACE), SLANTED),), seed=1)
    _jpeg("specimen-photograph.jpg", good)
    DEMO.parent.mkdir(parents=True, exist_ok=True)
    DEMO.write_bytes((HERE / "specimen-photograph.jpg").read_bytes())
    again = photograph((Laid(_passport(INES, GOOD, INES_FACE), OTHERWISE),), seed=2)
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURNED
    _jpeg("specimen-photograph-sideways.jpg", again.rotate(90, expand=True), exif)
    _jpeg("specimen-upside-down.jpg", again.rotate(180))
    _jpeg("specimen-expired.jpg", _alone(_passport(JONAS, EXPIRED, JONAS_FACE), 3))
    _jpeg("specimen-damaged.jpg", _alone(_damaged(), 4))
    _jpeg("specimen-two-documents.jpg", _two())
    page = visa_booklet(INES, VISA, visa(INES, VISA))
    _jpeg("specimen-visa.jpg", photograph((Laid(page, FLAT),), seed=6))
    card = identity_card(JONAS, CARD, td1(JONAS, CARD), JONAS_FACE)
    _jpeg("specimen-identity-card.jpg", photograph((Laid(card, CARD_LAID),), seed=7))
    _jpeg("no-document.jpg", photograph((), seed=8))
    _other_formats(good)


def _passport(holder: Holder, document: Document, face: Portrait) -> Image.Image:
    return passport(holder, document, td3(holder, document), face)


def _damaged() -> Image.Image:
    """A passport in whose zone one digit of the number and one of the birth date are wrong."""
    first, second = td3(INES, GOOD)
    wrong = second.replace("UT4037215", "UT4037315").replace("890412", "890912")
    return passport(INES, GOOD, (first, wrong), INES_FACE)


def _alone(drawing: Image.Image, seed: int) -> Image.Image:
    return photograph((Laid(drawing, SLANTED),), seed=seed)


def _two() -> Image.Image:
    card = identity_card(JONAS, CARD, td1(JONAS, CARD), JONAS_FACE)
    laid = (Laid(_passport(INES, GOOD, INES_FACE), UPPER), Laid(card, LOWER))
    return photograph(laid, seed=5, size=TALL, blur=0.6)


def _jpeg(name: str, picture: Image.Image, exif: Image.Exif | None = None) -> None:
    picture.save(HERE / name, quality=78, optimize=True, exif=exif or Image.Exif())


def _other_formats(picture: Image.Image) -> None:
    """The good photograph in the other kinds of file that are accepted."""
    heic = BytesIO()
    pillow_heif.from_pillow(picture).save(heic, quality=45)
    (HERE / "specimen-photograph.heic").write_bytes(heic.getvalue())
    picture.save(HERE / "specimen-photograph.webp", quality=72, method=4)
    gray = picture.convert("L").resize((1400, 1050), Image.Resampling.LANCZOS)
    gray.point(lambda level: level & 0xF0).save(HERE / "specimen-photograph.png", optimize=True)
    beginning = struct_time((2026, 1, 1, 0, 0, 0, 3, 1, 0))
    picture.save(
        HERE / "specimen-photograph.pdf",
        quality=74,
        resolution=150,
        creationDate=beginning,
        modDate=beginning,
    )


if __name__ == "__main__":
    main()
