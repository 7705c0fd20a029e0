"""Uploads: every usual kind opens upright, everything else is refused by name."""

import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from broker.errors import EvidenceRejected
from broker.verifiers.mrz.picture import MAX_BYTES, PDF_SIDE, READING_SIDE, open_picture
from broker.verifiers.mrz.refusals import REFUSALS
from tests.verifiers.mrz.heic_grid import grid_of
from tests.verifiers.mrz.pictures import encoded, plain, specimen


def refusal(upload: bytes) -> str:
    with pytest.raises(EvidenceRejected) as caught:
        open_picture(upload)
    return caught.value.code


def outcome(upload: bytes) -> str:
    try:
        open_picture(upload)
    except EvidenceRejected as rejected:
        return rejected.code
    return "opened"


def png_head(width: int, height: int) -> bytes:
    """The beginning of a PNG that states a size and holds next to nothing."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b"")


def webp_head(width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + sizes + bytes(40)


def pdf_of(pages: int) -> bytes:
    out = BytesIO()
    first, *more = [plain((60, 40)) for _ in range(pages)]
    first.save(out, "PDF", save_all=True, append_images=more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["jpg", "heic", "webp", "png", "pdf"])
def test_every_usual_kind_of_file_opens(kind: str) -> None:
    image = open_picture(specimen(f"specimen-photograph.{kind}"))
    assert image.mode == "L"
    assert max(image.size) < 2 * READING_SIDE
    assert image.width > image.height


def test_the_bytes_say_what_a_file_is() -> None:
    """No name and no content type is ever asked: a JPEG is a JPEG."""
    assert open_picture(encoded(plain(), "JPEG")).size == (640, 480)


def test_a_picture_is_turned_as_the_camera_was_held() -> None:
    image = open_picture(specimen("specimen-photograph-sideways.jpg"))
    assert image.size == (2000, 1500)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_come_out_upright(orientation: int) -> None:
    image = plain((640, 480))
    image.paste((255, 255, 255), (0, 0, 320, 240))
    undo = {
        2: (Image.Transpose.FLIP_LEFT_RIGHT,),
        3: (Image.Transpose.ROTATE_180,),
        4: (Image.Transpose.FLIP_TOP_BOTTOM,),
        5: (Image.Transpose.TRANSPOSE,),
        6: (Image.Transpose.ROTATE_90,),
        7: (Image.Transpose.TRANSVERSE,),
        8: (Image.Transpose.ROTATE_270,),
    }
    held = image
    for turn in undo.get(orientation, ()):
        held = held.transpose(turn)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    opened = open_picture(encoded(held, "JPEG", exif=exif))
    gray = opened.convert("L")
    corners = [gray.getpixel(at) == 255 for at in ((20, 20), (600, 20), (20, 460))]
    assert (opened.size, corners) == ((640, 480), [True, False, False])


def test_broken_exif_does_not_spoil_a_picture() -> None:
    upload = encoded(plain(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert open_picture(upload).size == (640, 480)


def test_an_animation_shows_its_first_picture() -> None:
    frames = [plain(color=(250, 250, 250)), plain(color=0)]
    upload = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    assert open_picture(upload).convert("L").getextrema() == (250, 250)


@pytest.mark.parametrize(
    ("mode", "color", "kind", "expected"),
    [
        ("CMYK", (0, 0, 0, 0), "JPEG", 255),
        ("L", 200, "PNG", 200),
        ("1", 1, "PNG", 255),
        ("I;16", 0x8000, "PNG", 127),
        ("RGBA", (0, 0, 0, 0), "PNG", 255),
        ("LA", (0, 0), "PNG", 255),
        ("P", 0, "PNG", 0),
    ],
)
def test_every_way_of_colouring_becomes_gray(
    mode: str, color: object, kind: str, expected: int
) -> None:
    image = open_picture(encoded(plain(mode=mode, color=color), kind))
    assert image.mode == "L"
    assert image.getpixel((9, 9)) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_forty_megapixels_are_too_many(kind: str) -> None:
    assert refusal(encoded(plain((8000, 5000), "L"), kind)) == "picture_too_large"


def test_a_picture_just_under_forty_megapixels_opens() -> None:
    assert open_picture(encoded(plain((8000, 4999), "L"), "JPEG")).width == 4000


def test_a_heic_of_forty_megapixels_is_refused_before_it_is_decoded() -> None:
    out = BytesIO()
    pillow_heif.from_pillow(plain((640, 480))).save(out)
    size, huge = struct.pack(">II", 640, 480), struct.pack(">II", 8000, 5000)
    assert size in out.getvalue()
    assert refusal(out.getvalue().replace(size, huge)) == "picture_too_large"


def test_a_heic_of_tiles_is_put_together_again() -> None:
    whole = Image.open(BytesIO(specimen("specimen-photograph.jpg"))).convert("RGB")
    opened = open_picture(grid_of(whole, 4, 3))
    assert opened.size == whole.size
    apart = np.abs(np.asarray(opened, float) - np.asarray(whole.convert("L"), float))
    assert apart.mean() < 2


def test_tiles_of_forty_megapixels_are_refused_before_they_are_decoded() -> None:
    made = grid_of(plain((640, 480)), 2, 2)
    size, huge = struct.pack(">HH", 640, 480), struct.pack(">HH", 8000, 5000)
    shown, shown_huge = struct.pack(">II", 640, 480), struct.pack(">II", 8000, 5000)
    bomb = made.replace(size, huge).replace(shown, shown_huge)
    assert bomb != made
    assert refusal(bomb) == "picture_too_large"


@pytest.mark.parametrize("bomb", [png_head(60_000, 60_000), webp_head(16_000_000, 16_000_000)])
def test_a_bomb_is_refused_by_its_head(bomb: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert refusal(bomb) == "picture_too_large"


def test_pillows_own_guard_is_left_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    refusal(png_head(60_000, 60_000))
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("size", [(1, 1), (40_000, 1), (1, 40_000), (255, 250), (3000, 63)])
def test_too_few_pixels_are_refused(size: tuple[int, int]) -> None:
    assert refusal(encoded(plain(size, "L"))) == "picture_too_small"


def test_nothing_is_refused_as_nothing() -> None:
    assert refusal(b"") == "picture_missing"


def test_more_than_fifteen_megabytes_are_refused() -> None:
    assert refusal(b"\xff\xd8\xff" + bytes(MAX_BYTES)) == "picture_too_many_bytes"


@pytest.mark.parametrize(
    "upload",
    [
        b"not a picture at all",
        b"PK\x03\x04" + bytes(200),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        encoded(plain(), "GIF"),
        encoded(plain(), "TIFF"),
        encoded(plain(), "BMP"),
    ],
)
def test_other_kinds_of_file_are_refused(upload: bytes) -> None:
    assert refusal(upload) == "picture_not_an_image"


@pytest.mark.parametrize("kind", ["jpg", "heic", "webp", "png", "pdf"])
def test_half_a_file_is_damaged(kind: str) -> None:
    whole = specimen(f"specimen-photograph.{kind}")
    assert refusal(whole[: len(whole) // 2]) == "picture_damaged"


def test_a_png_whose_text_inflates_is_damaged() -> None:
    text = b"zTXt" + b"a\0\0" + zlib.compress(bytes(20_000_000))
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    whole = encoded(plain())
    assert refusal(whole[:33] + chunk + whole[33:]) == "picture_damaged"


def test_a_long_pdf_is_refused() -> None:
    assert refusal(pdf_of(21)) == "pdf_too_long"


def test_twenty_pages_are_not_too_long() -> None:
    assert open_picture(pdf_of(20)).width == pytest.approx(PDF_SIDE, abs=1)


def test_a_pdf_that_holds_a_bomb_is_refused_before_it_is_drawn() -> None:
    """The picture inside says that it is 9000 by 9000; the page itself is small."""
    whole = pdf_of(1)
    bomb = whole.replace(b"/Width 60", b"/Width 9000").replace(b"/Height 40", b"/Height 9000")
    assert bomb != whole
    assert refusal(bomb) == "picture_too_large"


def test_a_pdf_with_a_password_is_refused() -> None:
    whole, key = pdf_of(1), b"<" + b"5a" * 32 + b">"
    lock = b"/Encrypt <</Filter /Standard /V 1 /R 2 /P -4 /O " + key + b" /U " + key + b">>"
    locked = whole.replace(b"trailer\n<<", b"trailer\n<<" + lock + b"/ID [<00><00>]")
    assert locked != whole
    assert refusal(locked) == "pdf_locked"


@given(st.binary(max_size=300), st.sampled_from((b"", b"\xff\xd8\xff", b"%PDF-1.7\n", b"GIF89a")))
@settings(deadline=None)
def test_no_bytes_raise_anything_but_a_known_refusal(noise: bytes, head: bytes) -> None:
    assert refusal(head + noise) in REFUSALS


@given(st.data(), st.sampled_from(("JPEG", "PNG", "WEBP")))
@settings(deadline=None, max_examples=60)
def test_no_flipped_bytes_raise_anything_but_a_known_refusal(
    data: st.DataObject, kind: str
) -> None:
    whole = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(whole)) in {*REFUSALS, "opened"}


SMALL = {kind: encoded(plain((480, 160)), kind) for kind in ("JPEG", "PNG", "WEBP")}
