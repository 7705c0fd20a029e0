"""Turns uploaded bytes into one upright picture, or says why not; nothing is written anywhere."""

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Final

import numpy as np
from PIL import ExifTags, Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from broker.errors import EvidenceRejected

MAX_BYTES: Final = 15 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000
"""As many pixels as this are already too many."""

MIN_LONG_SIDE: Final = 256
MIN_SHORT_SIDE: Final = 64
"""Pixels under which 44 symbols, or two rows of them, cannot be told apart."""

READING_SIDE: Final = 2800
"""Pixels of the longer side with which even a far document is read; twice as many are halved."""

PDF_SIDE: Final = 2000
"""Pixels of the longer side at which a page is drawn."""

MAX_CHANNEL: Final = 255
BAND: Final = 128
"""Rows that are converted at once."""

_WEBP_HEAD: Final = 30
_REDUCIBLE: Final = frozenset(("L", "RGB", "CMYK", "YCbCr"))

_TURNS: Final[Mapping[int, tuple[Image.Transpose, ...]]] = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}
"""What makes a picture upright, by the value of its EXIF orientation (CIPA DC-008 §4.6.4)."""

_HEIF_BRANDS: Final = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
)


def open_picture(upload: bytes) -> Image.Image:
    """The picture in `upload`: gray, 8 bits, upright, longer side under twice READING_SIDE.

    JPEG, PNG, WebP, HEIC and PDF (its first page) are known by their bytes; names and types
    that a browser sends are not asked. Of an animation it is the first picture. Size is read
    from the head of the file, before anything is decoded.
    Raises EvidenceRejected with a code of its own for every way in which this can fail.
    """
    if not upload:
        raise EvidenceRejected("picture_missing")
    if len(upload) > MAX_BYTES:
        raise EvidenceRejected("picture_too_many_bytes")
    opener = _opener(upload)
    if opener is None:
        raise EvidenceRejected("picture_not_an_image")
    try:
        return _plain(opener(upload))
    except EvidenceRejected:
        raise
    except MemoryError as error:
        raise EvidenceRejected("picture_too_costly") from error
    except Exception as error:
        # Decoders of foreign bytes fail in more ways than they list; each means the same here.
        raise EvidenceRejected("picture_damaged", type(error).__name__) from error


def demand_size(width: int, height: int) -> None:
    """Raises EvidenceRejected unless a picture of so many pixels can be decoded and read."""
    if width * height >= MAX_PIXELS:
        raise EvidenceRejected("picture_too_large")
    if max(width, height) < MIN_LONG_SIDE or min(width, height) < MIN_SHORT_SIDE:
        raise EvidenceRejected("picture_too_small")


def _opener(upload: bytes) -> Callable[[bytes], Image.Image] | None:
    """What opens files that begin like this one, or None."""
    if upload.startswith(b"\xff\xd8\xff"):
        return _from_jpeg
    if upload.startswith(b"\x89PNG\r\n\x1a\n"):
        return _from_png
    if upload[:4] == b"RIFF" and upload[8:12] == b"WEBP":
        return _from_webp
    if upload[4:8] == b"ftyp" and _HEIF_BRANDS & {upload[i : i + 4] for i in range(8, 40, 4)}:
        return _from_heif
    if b"%PDF-" in upload[:1024]:
        return _from_pdf
    return None


# The plug-in classes are used as they are, without Image.open: its guard against large pictures
# is a setting of the whole process and only warns where this one refuses.


def _from_jpeg(upload: bytes) -> Image.Image:
    image = JpegImagePlugin.JpegImageFile(BytesIO(upload))
    demand_size(*image.size)
    # Colours are not asked: most of what a JPEG costs is theirs.
    image.draft("L", (READING_SIDE, READING_SIDE))
    return _upright(image)


def _from_png(upload: bytes) -> Image.Image:
    image = PngImagePlugin.PngImageFile(BytesIO(upload))
    demand_size(*image.size)
    return _upright(image)


def _from_webp(upload: bytes) -> Image.Image:
    demand_size(*_webp_size(upload))
    image = WebPImagePlugin.WebPImageFile(BytesIO(upload))
    demand_size(*image.size)
    return _upright(image)


def _from_heif(upload: bytes) -> Image.Image:
    # Loaded when it is needed, as pdfium below: most pictures are JPEGs, and both are large.
    from pillow_heif import open_heif  # noqa: PLC0415

    # The library turns the picture itself, and knows its size before it decodes.
    file = open_heif(BytesIO(upload), convert_hdr_to_8bit=True)
    image = file[file.primary_index]
    demand_size(*image.size)
    if image.mode != "RGB":
        decoded: Image.Image = image.to_pillow()
        return decoded
    return Image.fromarray(_reduced(np.asarray(image), max(image.size) // READING_SIDE))


def _from_pdf(upload: bytes) -> Image.Image:
    from broker.verifiers.mrz.pdf import first_page  # noqa: PLC0415

    return first_page(upload, PDF_SIDE, demand_size)


def _webp_size(upload: bytes) -> tuple[int, int]:
    """The size that the head of a WebP file states (RFC 9649 §2.7, RFC 6386 §9.1).

    Pillow would set aside two canvases of that size before telling it.
    """
    head = upload[:_WEBP_HEAD].ljust(_WEBP_HEAD, b"\0")
    kind = head[12:16]
    if kind == b"VP8X":
        wide, high = (int.from_bytes(head[i : i + 3], "little") for i in (24, 27))
        return wide + 1, high + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    wide, high = struct.unpack("<HH", head[26:30])
    return wide & 0x3FFF, high & 0x3FFF


def _upright(image: ImageFile.ImageFile) -> Image.Image:
    """The image as the camera was held."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # noqa: BLE001  broken EXIF says nothing about the picture
        orientation = 1
    image.load()
    upright: Image.Image = image
    for turn in _TURNS.get(orientation or 1, ()):
        upright = upright.transpose(turn)
    return upright


def _plain(image: Image.Image) -> Image.Image:
    """Gray of 8 bits; what is transparent becomes white, as paper is."""
    times = max(image.size) // READING_SIDE
    if times > 1 and image.mode in _REDUCIBLE:
        # Before anything is copied: what is left is a quarter, or less.
        image = image.reduce(times)
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        paper = Image.new("RGBA", clear.size, "white")
        return Image.alpha_composite(paper, clear).convert("L")
    return image if image.mode == "L" else image.convert("L")


def _reduced(levels: np.ndarray, times: int) -> np.ndarray:
    """The picture with each square of `times` by `times` pixels made one, band by band."""
    if times < 2:  # noqa: PLR2004  nothing to make one of
        return levels
    high, wide, depth = levels.shape[0] // times, levels.shape[1] // times, levels.shape[2]
    small: np.ndarray = np.empty((high, wide, depth), "uint8")
    for row in range(high):
        band = levels[row * times : (row + 1) * times, : wide * times]
        small[row] = band.reshape(times, wide, times, depth).mean(axis=(0, 2))
    return small


def _eight_bits(image: Image.Image) -> Image.Image:
    """Gray of 16 bits in 8: Pillow's own conversion would clip it to white."""
    levels = np.asarray(image)
    scale = MAX_CHANNEL / 65535 if levels.max(initial=0) > MAX_CHANNEL else 1
    gray = np.empty(levels.shape, "uint8")
    for top in range(0, len(levels), BAND):  # the numbers between are eight times as large
        gray[top : top + BAND] = (levels[top : top + BAND] * scale).clip(0, MAX_CHANNEL)
    return Image.fromarray(gray)
