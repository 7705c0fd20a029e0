"""Pictures that nobody sends by accident, and a maker of mutants of honest ones.

    python -m tests.verifiers.mrz.hostile 10000 [broker.verifiers.mrz.reader:read]

sends so many mutants to the reading process and says what became of them. Without the second
argument they are opened but not read, which is where files do harm.
"""

import random
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from time import perf_counter

import pillow_heif
from PIL import ExifTags, Image

from broker.errors import EvidenceRejected
from broker.verifiers.mrz.worker import Bounds, Worker
from tests.verifiers.mrz.pictures import encoded, plain, specimen

COSTLY = ("picture_too_costly", "picture_damaged", "read")
"""What a library says that may not have the memory it asks for depends on the library."""

SHORTEST = 60
"""Bytes below which nothing is left to be wounded."""

SIZES = "tests.verifiers.mrz.readers:size"


def chunk(name: bytes, content: bytes) -> bytes:
    head = struct.pack(">I", len(content)) + name + content
    return head + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, bits: int, colour: int, rows: bytes) -> bytes:
    """A PNG that states this size and holds these rows, deflated."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def deep_png() -> bytes:
    """Just under forty million pixels of sixteen bits and four channels: 320 MB in a few kB."""
    squeeze = zlib.compressobj(1)
    rows = b"".join(squeeze.compress(bytes(8000 * 8 + 1)) for _ in range(4990))
    return png(8000, 4990, 16, 6, rows + squeeze.flush())


def pdf(*objects: bytes) -> bytes:
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF"
    return body + table + tail % (len(objects) + 1, len(body))


def stream(content: bytes, more: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), more, content)


def scripted_pdf() -> bytes:
    script = b"<< /S /JavaScript /JS (while (true) { app.alert('x'); }) >>"
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R /OpenAction " + script + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 400] /AA << /O " + script + b" >> >>",
    )


def long_pdf(pages: int = 1000) -> bytes:
    kids = b" ".join(b"%d 0 R" % n for n in range(3, pages + 3))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 400] >>"
    pages_ = b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % pages
    return pdf(b"<< /Type /Catalog /Pages 2 0 R >>", pages_, *(page,) * pages)


def doubling_pdf(depth: int = 24) -> bytes:
    """Each form draws the next one twice: sixteen million rectangles."""
    forms = []
    for n in range(depth):
        names = b"/Resources << /XObject << /F %d 0 R >> >>" % (n + 6)
        shape = b"/Type /XObject /Subtype /Form /BBox [0 0 600 400] " + names
        forms.append(stream(b"q /F Do Q q /F Do Q", shape))
    last = stream(b"0 0 600 400 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 600 400]")
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 400] /Contents 4 0 R "
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page + b"/Resources << /XObject << /F 5 0 R >> >> >>",
        stream(b"/F Do"),
        *forms,
        last,
    )


def grid_heic(tiles: int = 255) -> bytes:
    """A HEIC whose item says that it is a grid of many tiles that are not there."""
    out = BytesIO()
    pillow_heif.from_pillow(plain((640, 480))).save(out)
    assert b"hvc1" in out.getvalue()
    return out.getvalue().replace(b"infe\x02\0\0\0\0\x01\0\0hvc1", b"infe\x02\0\0\0\0\x01\0\0grid")


def lying_exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageWidth] = exif[ExifTags.Base.ImageLength] = 0xFFFF_FFFF
    return encoded(plain(), "JPEG", exif=exif)


def animated() -> bytes:
    frames = [plain((800, 600), color=(n % 256, 0, 0)) for n in range(200)]
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])


def huge_heic() -> bytes:
    out = BytesIO()
    pillow_heif.from_pillow(plain((6000, 4000))).save(out, quality=10)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Hostile:
    """A picture, and what may become of it: refusals, or "read"."""

    make: Callable[[], bytes]
    fates: tuple[str, ...]


HOSTILE: dict[str, Hostile] = {
    "one-pixel": Hostile(lambda: encoded(plain((1, 1))), ("picture_too_small",)),
    "one-row": Hostile(lambda: encoded(plain((40_000, 1), "L")), ("picture_too_small",)),
    "bomb": Hostile(
        lambda: png(60_000, 60_000, 8, 0, zlib.compress(bytes(10**6))), ("picture_too_large",)
    ),
    "deep": Hostile(deep_png, COSTLY),
    "wide-rgb": Hostile(lambda: encoded(plain((7900, 5000)), "PNG"), COSTLY),
    "progressive": Hostile(
        lambda: encoded(plain((7900, 5000)), "JPEG", progressive=True, subsampling=0, quality=10),
        COSTLY,
    ),
    "huge-heic": Hostile(huge_heic, COSTLY),
    "huge-webp": Hostile(lambda: encoded(plain((7900, 5000)), "WEBP", method=0), COSTLY),
    "truncated": Hostile(
        lambda: specimen("specimen-photograph.jpg")[:50_000], ("picture_damaged",)
    ),
    "wrong-name": Hostile(lambda: b"MZ" + bytes(5000), ("picture_not_an_image",)),
    "animated": Hostile(animated, ("read",)),
    "cmyk": Hostile(lambda: encoded(plain((4000, 3000), "CMYK", (0,) * 4), "JPEG"), ("read",)),
    "sixteen-bits": Hostile(lambda: encoded(plain((4000, 3000), "I;16", 999)), ("read",)),
    "lying-exif": Hostile(lying_exif, ("read",)),
    "grid": Hostile(grid_heic, ("picture_damaged",)),
    "scripts": Hostile(scripted_pdf, ("read",)),
    "thousand-pages": Hostile(long_pdf, ("pdf_too_long",)),
    "doubling": Hostile(doubling_pdf, COSTLY),
}


@cache
def seeds() -> tuple[bytes, ...]:
    """Small honest files of every kind that is taken."""
    picture = Image.effect_noise((520, 360), 60).convert("RGB")
    heif = BytesIO()
    pillow_heif.from_pillow(picture).save(heif)
    kinds = ("JPEG", "PNG", "WEBP", "PDF")
    progressive = encoded(picture, "JPEG", progressive=True)
    return (*(encoded(picture, kind) for kind in kinds), progressive, heif.getvalue(), long_pdf(3))


def mutants(count: int, seed: int = 1) -> Iterator[bytes]:
    """So many mutants, always the same ones for a seed."""
    chance = random.Random(seed)  # noqa: S311  mutations need no secret
    for n in range(count):
        yield mutant(bytearray(seeds()[n % len(seeds())]), chance)


def mutant(whole: bytearray, chance: random.Random) -> bytes:
    """The file with up to eight wounds, most of them in its head, where sizes stand."""
    for _ in range(chance.randint(1, 8)):
        if len(whole) < SHORTEST:
            break
        reach = len(whole) if chance.random() < 0.5 else min(len(whole), 400)
        at = chance.randrange(reach)
        wound = chance.randrange(5)
        if wound == 0:
            whole[at] = chance.randrange(256)
        elif wound == 1:
            whole[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\0\0"))
        elif wound == 2:
            whole[at:at] = whole[at : at + chance.randrange(1, 200)]
        elif wound == 3:
            del whole[at : at + chance.randrange(1, 50)]
        elif chance.random() < 0.2:
            del whole[max(at, 20) :]
    return bytes(whole)


def fate(worker: Worker, upload: bytes) -> str:
    """What becomes of the upload: "read", or the code of its refusal; nothing else may happen."""
    try:
        worker((upload,))
    except EvidenceRejected as refusal:
        return refusal.code
    return "read"


def peak_mb(worker: Worker) -> int:
    """The most memory that the process has ever held, 0 where it is gone."""
    if worker.process_id is None:
        return 0
    rows = Path(f"/proc/{worker.process_id}/status").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM")) // 1024


def main(count: int, reader: str = SIZES) -> None:
    worker, fates, slowest, most = Worker(reader), Counter[str](), 0.0, 0
    worker((encoded(plain()),))
    for upload in mutants(count):
        began = perf_counter()
        fates[fate(worker, upload)] += 1
        slowest, most = max(slowest, perf_counter() - began), max(most, peak_mb(worker))
    worker.stop()
    print(dict(fates.most_common()))
    print(f"slowest {slowest:.2f} s of {Bounds().opening}, most {most} MB")
    assert most <= Bounds().memory_mb


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:3])
