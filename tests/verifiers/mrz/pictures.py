"""The committed pictures of specimens, and small ones made up on the spot."""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from broker.verifiers.mrz import PassportEye, engine_available
from broker.verifiers.mrz.answer import Answer, Read, ReadUploads
from broker.verifiers.mrz.picture import open_picture
from broker.verifiers.mrz.reader import read

HERE = Path(__file__).parents[2] / "vectors" / "passport"

GOOD = (
    "P<UTOMARLOWE<<INES<CLAIRE<<<<<<<<<<<<<<<<<<<",
    "UT40372159UTO8904126F3509179<<<<<<<<<<<<<<<4",
)
"""What the zone of the good specimen says."""


def specimen(name: str) -> bytes:
    return (HERE / name).read_bytes()


@cache
def zones_in(name: str) -> tuple[tuple[str, ...], ...]:
    """What the first engine reads in a committed picture; slow, so once for all tests."""
    return PassportEye(engine_available())(open_picture(specimen(name)))


@cache
def answer_to(name: str) -> Answer:
    """What the default reader answers to a committed picture."""
    return read((open_picture(specimen(name)),))


def here(reader: Read) -> ReadUploads:
    """The reader without its process: files are opened in this one."""
    return lambda uploads: reader(tuple(open_picture(upload) for upload in uploads))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(size: tuple[int, int] = (640, 480), mode: str = "RGB", color: Any = 0) -> Image.Image:
    return Image.new(mode, size, color)
