"""Prints what the reading process holds at rest and at most, for photographs of twelve megapixels.

    python -m bench.reading_memory [PICTURE]

Each kind of file is read twice by a process of its own, as a server has one: megabytes of resident
memory as Linux counts them (VmHWM, VmRSS), libraries included, and seconds of the second reading.
Making the HEIC takes half a minute.
"""

import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from time import perf_counter

import pillow_heif
from PIL import Image

from broker.verifiers.mrz import READER, Worker

SPECIMEN = Path("tests/vectors/passport/specimen-photograph.jpg")
SIZE = 4000, 3000


def saved(picture: Image.Image, kind: str, **how: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def heic(picture: Image.Image) -> bytes:
    out = BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=80)
    return out.getvalue()


KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG": partial(saved, kind="JPEG", quality=90),
    "JPEG, progressive": partial(saved, kind="JPEG", quality=90, progressive=True),
    "PNG": partial(saved, kind="PNG", compress_level=1),
    "WebP": partial(saved, kind="WEBP", quality=80, method=0),
    "HEIC": heic,
    "PDF": partial(saved, kind="PDF"),
}


def held(worker: Worker) -> dict[str, int]:
    """Megabytes by the names of proc_pid_status(5)."""
    rows = Path(f"/proc/{worker.process_id}/status").read_text().splitlines()
    return {row.split(":")[0]: int(row.split()[1]) // 1024 for row in rows if row.endswith("kB")}


def main(path: Path) -> None:
    with Image.open(path) as photograph:
        large = photograph.convert("RGB").resize(SIZE)
    print(f"{'file':>18} {'kB':>6} {'at most MB':>11} {'at rest MB':>11} {'seconds':>8}")
    for name, make in KINDS.items():
        worker, upload = Worker(READER), make(large)
        worker((upload,))
        began = perf_counter()
        worker((upload,))
        spent, now = perf_counter() - began, held(worker)
        print(
            f"{name:>18} {len(upload) // 1000:6} {now['VmHWM']:11} {now['VmRSS']:11} {spent:8.2f}"
        )
        worker.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SPECIMEN)
