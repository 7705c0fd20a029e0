"""A HEIC picture made of tiles, as telephones write them (ISO/IEC 23008-12 §6.6.2.3.2).

The library that the broker reads HEIC with writes one tile at a time: its tiles are taken out of
their files here, and one file is made round them.
"""

import struct
from collections.abc import Iterator
from io import BytesIO

import pillow_heif
from PIL import Image

HIDDEN = 1
"""Of a tile: not to be shown by itself."""


def grid_of(image: Image.Image, columns: int, rows: int) -> bytes:
    """`image` as `columns` × `rows` tiles of one size; the last may hang over its edges."""
    wide, high = -(-image.width // columns), -(-image.height // rows)
    tiles = [
        _tile(image.crop((x * wide, y * high, (x + 1) * wide, (y + 1) * high)))
        for y in range(rows)
        for x in range(columns)
    ]
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, image.width, image.height)
    parts = [*(data for _, data in tiles), grid]
    head = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    meta = _meta(tiles[0][0], (wide, high), image.size, [0] * len(parts), parts)
    at, offsets = len(head) + len(meta) + 8, []
    for part in parts:
        offsets.append(at)
        at += len(part)
    meta = _meta(tiles[0][0], (wide, high), image.size, offsets, parts)
    return head + meta + _box(b"mdat", b"".join(parts))


def _tile(image: Image.Image) -> tuple[bytes, bytes]:
    """How the tile is to be decoded (hvcC) and the coded tile."""
    out = BytesIO()
    pillow_heif.from_pillow(image.convert("RGB")).save(out, quality=80)
    file = out.getvalue()
    meta = next(body for kind, body in _boxes(file) if kind == b"meta")[4:]
    boxes = dict(_boxes(meta))
    settings = dict(_boxes(dict(_boxes(boxes[b"iprp"]))[b"ipco"]))[b"hvcC"]
    offset, size = _place(boxes[b"iloc"])
    return settings, file[offset : offset + size]


def _place(iloc: bytes) -> tuple[int, int]:
    """Where the first item of a file lies, as the library writes it down."""
    version, (sizes, base) = iloc[0], iloc[4:6]
    at = 6 + 2 + 2 + (2 if version else 0) + 2  # items, number, method, which file
    fields = [base >> 4, None, sizes >> 4, sizes & 15]
    read: list[int] = []
    for field in fields:
        width = 2 if field is None else field
        read.append(int.from_bytes(iloc[at : at + width]))
        at += width
    return read[0] + read[2], read[3]


def _meta(
    settings: bytes,
    tile: tuple[int, int],
    whole: tuple[int, int],
    offsets: list[int],
    parts: list[bytes],
) -> bytes:
    """The box that says what the parts are and where: tiles, then the grid that they make."""
    many = len(parts) - 1
    grid = many + 1
    kinds = [b"hvc1"] * many + [b"grid"]
    entries = b"".join(
        _full(b"infe", struct.pack(">HH", i, 0) + kind + b"\0", 2, HIDDEN * (i <= many))
        for i, kind in enumerate(kinds, 1)
    )
    places = b"".join(
        struct.pack(">HHHII", i, 0, 1, offset, len(part))
        for i, (offset, part) in enumerate(zip(offsets, parts, strict=True), 1)
    )
    made_of = struct.pack(f">HH{many}H", grid, many, *range(1, grid))
    properties = (
        _box(b"hvcC", settings) + _full(b"ispe", struct.pack(">II", *tile)),
        _full(b"ispe", struct.pack(">II", *whole)),
    )
    owned = b"".join(struct.pack(">HBBB", i, 2, 0x81, 2) for i in range(1, grid))
    owned = struct.pack(">I", grid) + owned + struct.pack(">HBB", grid, 1, 3)
    return _full(
        b"meta",
        _full(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + _full(b"pitm", struct.pack(">H", grid))
        + _full(b"iloc", b"\x44\0" + struct.pack(">H", grid) + places)
        + _full(b"iinf", struct.pack(">H", grid) + entries)
        + _full(b"iref", _box(b"dimg", made_of))
        + _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full(b"ipma", owned)),
    )


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def _full(kind: bytes, body: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags) + body)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0] or len(data) - at
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size
