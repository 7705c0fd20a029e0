"""Draws specimen documents of Utopia, a state that does not exist, for people who do not either."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.verifiers.mrz.writer import Document, Holder

MM = 16
"""Pixels of a drawing per millimetre."""

PAGE = (125, 88)
CARD = (85.6, 54)
VISA = (120, 80)
INK = (38, 44, 66)
LABEL = (96, 106, 134)
BLUE = (36, 60, 110)
OCR_B = "/usr/share/fonts/opentype/ocr-b/OCRB.otf"
SERIF = "/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf"
SANS = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
BOLD = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


@dataclass(frozen=True, slots=True)
class Portrait:
    """The colours of an invented face."""

    skin: tuple[int, int, int] = (214, 170, 140)
    hair: tuple[int, int, int] = (58, 42, 36)
    coat: tuple[int, int, int] = (52, 66, 96)
    is_long: bool = True


def passport(
    holder: Holder, document: Document, lines: tuple[str, ...], face: Portrait
) -> Image.Image:
    """An open booklet, seen from above: the foot of the facing page, the fold, the data page."""
    page = _data_page(holder, document, lines, face)
    above = _blank_page()
    edge = round(2.2 * MM)
    width, height = page.width + 2 * edge, page.height + above.height + 2 * edge
    book = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    cover = ImageDraw.Draw(book)
    cover.rounded_rectangle((0, 0, width - 1, height - 1), 4 * MM, fill=(28, 38, 74, 255))
    book.paste(above, (edge, edge))
    book.paste(page, (edge, edge + above.height))
    return _folded(book, edge + above.height)


def identity_card(
    holder: Holder, document: Document, lines: tuple[str, ...], face: Portrait
) -> Image.Image:
    """The back of an identity card of 85.6 by 54 mm, with its three lines."""
    card = _security_paper(CARD, (226, 234, 228), seed=5)
    draw = ImageDraw.Draw(card)
    _text(draw, (5, 4), "UTOPIA", SERIF, 4.2, BLUE)
    _text(draw, (33, 4.8), "IDENTITY CARD  \u00b7  CARTE D\u2019IDENTIT\u00c9", BOLD, 2.2, BLUE)
    _field(draw, (5, 11), "Holder / Titulaire", f"{holder.surname}, {holder.given_names}")
    _field(draw, (5, 19), "Card no. / N\u00b0", document.number)
    _field(draw, (40, 19), "Expiry / Expiration", day(document.expiry, 2000))
    _paste_portrait(card, face, (65, 10, 81, 29), alpha=110)
    _specimen(card, 9)
    _zone(card, lines, (3.6, 33), band=22)
    return _rounded(card, 3.2)


def visa_page(holder: Holder, document: Document, lines: tuple[str, ...]) -> Image.Image:
    """A visa sticker of 120 by 80 mm (MRV-A)."""
    sticker = _security_paper(VISA, (232, 238, 224), seed=9)
    draw = ImageDraw.Draw(sticker)
    _text(draw, (5, 4), "UTOPIA", SERIF, 6, (40, 92, 74))
    _text(draw, (40, 5), "VISA", SERIF, 7, (40, 92, 74))
    _field(draw, (40, 17), "Number / Num\u00e9ro", document.number)
    _field(draw, (80, 17), "Until / Jusqu\u2019au", day(document.expiry, 2000))
    _field(draw, (40, 27), "Name / Nom", f"{holder.surname} {holder.given_names}")
    _field(draw, (40, 37), "Entries / Entr\u00e9es", "MULT")
    _paste_portrait(sticker, Portrait(), (6, 15, 32, 49), alpha=200)
    _specimen(sticker, 15)
    _zone(sticker, lines, (4, 58), band=22)
    return _rounded(sticker, 1.5)


def visa_booklet(holder: Holder, document: Document, lines: tuple[str, ...]) -> Image.Image:
    """A passport open at the page on which a visa is stuck."""
    page = _security_paper(PAGE, (236, 230, 220), seed=4)
    sticker = visa_page(holder, document, lines)
    page.alpha_composite(sticker, (round(2.5 * MM), round(4 * MM)))
    return _rounded(page, 3)


def day(yymmdd: str, century: int) -> str:
    """A date as the eye reads it on the page: "17 SEP 2035"."""
    year, month, number = (int(yymmdd[i : i + 2]) for i in (0, 2, 4))
    return f"{number:02} {MONTHS[month - 1]} {century + year}"


def _data_page(
    holder: Holder, document: Document, lines: tuple[str, ...], face: Portrait
) -> Image.Image:
    page = _security_paper(PAGE, (229, 234, 242), seed=2)
    draw = ImageDraw.Draw(page)
    _text(draw, (42, 4), "UTOPIA", SERIF, 5.4, BLUE)
    _text(draw, (73, 5.8), "PASSPORT \u00b7 PASSEPORT \u00b7 PASAPORTE", BOLD, 1.9, BLUE)
    _emblem(page, (24, 6.4), 3.6)
    rows = (
        (42, 13, "Type / Type", document.code),
        (56, 13, "Issuing state / \u00c9tat", document.state),
        (82, 13, "Passport no. / N\u00b0", document.number),
        (42, 21, "1. Surname / Nom", holder.surname),
        (42, 29, "2. Given names / Pr\u00e9noms", holder.given_names),
        (42, 37, "3. Nationality / Nationalit\u00e9", "UTOPIAN"),
        (90, 37, "5. Sex / Sexe", holder.sex),
        (42, 45, "4. Date of birth / Naissance", day(holder.birth, 1900)),
        (90, 45, "6. Place / Lieu", "AMAUROT"),
        (42, 53, "8. Expiry / Expiration", day(document.expiry, 2000)),
        (90, 53, "9. Authority / Autorit\u00e9", "UTOPIA HQ"),
    )
    for x, y, label, value in rows:
        _field(draw, (x, y), label, value)
    _paste_portrait(page, face, (5, 12, 38, 57), alpha=255)
    _paste_portrait(page, face, (108, 12, 120, 28.4), alpha=70)
    _specimen(page, 15)
    _zone(page, lines, (5.8, 65.6), band=25)
    return page


def _security_paper(
    size: tuple[float, float], tint: tuple[int, int, int], seed: int
) -> Image.Image:
    """Tinted paper with fine interlaced curves, as documents have against copying."""
    width, height = (round(side * MM) for side in size)
    across = np.linspace(0, 1, width)[None, :, None]
    warm = np.array([[[10, 2, -14]]]) * across
    grain = np.random.default_rng(seed).normal(0, 1.6, (height, width, 1))
    paper = np.array(tint)[None, None, :] + warm + grain
    image = Image.fromarray(paper.clip(0, 255).astype("uint8")).convert("RGBA")
    lines = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(lines)
    for k in range(26):
        phase, hue = k * 0.24, (70 + 4 * k, 110, 190 - 4 * k, 54)
        points = [
            (x, height * (0.5 + 0.42 * math.sin(x / width * 9 + phase) * math.cos(k / 5 + x / 900)))
            for x in range(0, width + 12, 12)
        ]
        draw.line(points, fill=hue, width=2)
    return Image.alpha_composite(image, lines)


def _emblem(page: Image.Image, centre: tuple[float, float], radius: float) -> None:
    draw = ImageDraw.Draw(page)
    x, y = (c * MM for c in centre)
    for k in range(24):
        angle = k * math.tau / 24
        near, far = radius * 0.55 * MM, radius * (1 if k % 2 else 0.8) * MM
        a, b = math.cos(angle), math.sin(angle)
        draw.line((x + near * a, y + near * b, x + far * a, y + far * b), fill=BLUE, width=5)
    r = radius * 0.42 * MM
    draw.ellipse((x - r, y - r, x + r, y + r), outline=BLUE, width=6)


def _text(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    font: str,
    height: float,
    ink: tuple[int, int, int] = INK,
) -> None:
    face = ImageFont.truetype(font, round(height * MM))
    draw.text((at[0] * MM, at[1] * MM), text, font=face, fill=ink)


def _field(draw: ImageDraw.ImageDraw, at: tuple[float, float], label: str, value: str) -> None:
    _text(draw, at, label, SANS, 1.7, LABEL)
    _text(draw, (at[0], at[1] + 2.4), value, BOLD, 3)


def _portrait(face: Portrait, size: tuple[int, int]) -> Image.Image:
    """A drawn face on a pale ground: nobody's."""
    w, h = 660, 900
    image = Image.new("RGB", (w, h), (222, 228, 234))
    draw = ImageDraw.Draw(image)
    shade = tuple(int(c * 0.88) for c in face.skin)
    if face.is_long:
        draw.rounded_rectangle((150, 150, 510, 760), 170, fill=face.hair)
    draw.ellipse((20, 700, 640, 1300), fill=face.coat)
    draw.polygon([(250, 690), (410, 690), (330, 850)], fill=(236, 238, 242))
    draw.rounded_rectangle((268, 560, 392, 740), 50, fill=shade)
    draw.ellipse((190, 215, 470, 640), fill=face.skin)
    draw.pieslice((172, 150, 488, 520), 180, 360, fill=face.hair)
    draw.polygon([(172, 335), (300, 335), (230, 420), (180, 470)], fill=face.hair)
    for x in (265, 395):
        draw.ellipse((x - 30, 398, x + 30, 430), fill=(244, 244, 244))
        draw.ellipse((x - 14, 399, x + 14, 429), fill=(58, 48, 44))
        draw.arc((x - 42, 355, x + 42, 420), 200, 340, fill=face.hair, width=9)
    draw.arc((300, 420, 356, 505), 40, 140, fill=shade, width=9)
    draw.chord((280, 530, 380, 578), 0, 180, fill=(176, 96, 92))
    soft = image.filter(ImageFilter.GaussianBlur(3))
    return soft.resize(size, Image.Resampling.LANCZOS)


def _paste_portrait(
    page: Image.Image, face: Portrait, box: tuple[float, float, float, float], alpha: int
) -> None:
    x0, y0, x1, y1 = (round(side * MM) for side in box)
    portrait = _portrait(face, (x1 - x0, y1 - y0))
    page.paste(portrait, (x0, y0), Image.new("L", portrait.size, alpha))


def _specimen(page: Image.Image, height: float) -> None:
    """SPECIMEN across the page, above the zone so that machines can still read it."""
    layer = Image.new("RGBA", page.size, (0, 0, 0, 0))
    face = ImageFont.truetype(BOLD, round(height * MM * 0.8))
    centre = (page.width * 0.56, page.height * 0.4)
    draw = ImageDraw.Draw(layer)
    draw.text(centre, "SPECIMEN", font=face, fill=(176, 40, 52, 78), anchor="mm")
    turned = layer.rotate(11, center=centre, resample=Image.Resampling.BICUBIC)
    page.alpha_composite(turned)


def _zone(page: Image.Image, lines: tuple[str, ...], at: tuple[float, float], band: float) -> None:
    """The lines in OCR-B, ten symbols to the inch, one sixth of an inch apart."""
    layer = Image.new("RGBA", page.size, (0, 0, 0, 0))
    top = page.height - round(band * MM)
    ImageDraw.Draw(layer).rectangle((0, top, page.width, page.height), fill=(250, 251, 252, 205))
    page.alpha_composite(layer)
    draw = ImageDraw.Draw(page)
    face = ImageFont.truetype(OCR_B, round(4.2 * MM))
    pitch = min(2.54, (page.width / MM - 2 * at[0]) / len(lines[0]))
    for row, line in enumerate(lines):
        for column, symbol in enumerate(line):
            place = ((at[0] + column * pitch) * MM, (at[1] + row * 6.35) * MM)
            draw.text(place, symbol, font=face, fill=(24, 24, 28))


def _blank_page() -> Image.Image:
    """The foot of the page above: an emblem and a printed notice."""
    page = _security_paper((PAGE[0], 30), (236, 230, 220), seed=3)
    draw = ImageDraw.Draw(page)
    _emblem(page, (62.5, 10), 7)
    _text(
        draw, (33, 21), "This booklet is a specimen. It admits its bearer nowhere.", SANS, 2, LABEL
    )
    return page


def _folded(book: Image.Image, fold: int) -> Image.Image:
    """The booklet with the shade that its fold casts."""
    rows = np.abs(np.arange(book.height) - fold) / MM
    shade = 1 - 0.42 * np.exp(-rows / 2.2)
    pixels = np.asarray(book).astype("float32")
    pixels[..., :3] *= shade[:, None, None]
    return Image.fromarray(pixels.clip(0, 255).astype("uint8"), "RGBA")


def _rounded(image: Image.Image, radius: float) -> Image.Image:
    mask = Image.new("L", image.size, 0)
    corner = (0, 0, image.width - 1, image.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(corner, round(radius * MM), fill=255)
    image.putalpha(mask)
    return image
