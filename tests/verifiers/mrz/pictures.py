"""The committed pictures of specimens, and small ones made up on the spot."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parents[2] / "vectors" / "passport"

GOOD = (
    "P<UTOMARLOWE<<INES<CLAIRE<<<<<<<<<<<<<<<<<<<",
    "UT40372159UTO8904126F3509179<<<<<<<<<<<<<<<4",
)
"""What the zone of the good specimen says."""


def specimen(name: str) -> bytes:
    return (HERE / name).read_bytes()


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:  # noqa: ANN401  Pillow's
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(size: tuple[int, int] = (640, 480), mode: str = "RGB", color: Any = 0) -> Image.Image:  # noqa: ANN401  Pillow's
    return Image.new(mode, size, color)
