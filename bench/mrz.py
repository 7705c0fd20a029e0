"""Prints how well readers of machine-readable zones do on a folder of labelled pictures.

    python -m bench.mrz ../shared/mrz [--engines ours,passporteye,tesseract] [--every 5]
                        [--tiers clean,decent] [--failures] [--megapixels 12]

The folder holds `labels.jsonl`: file, tier, lines (the truth) and expect: `read`, or `read_invalid`
and `refuse` (nothing may be accepted). `exact` is the share of readable pictures whose lines come
back to the letter and accepted; `WRONG` counts pictures of which something else was accepted;
`decided` is the share treated as labelled. Times hold everything from the file's bytes on, on one
thread: processor time, with that of programs started, so that a busy machine does not matter.
With `--megapixels`, every picture is scaled to so many and saved as a JPEG first. The exit status
is 1 if our own reader accepted anything wrong.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

from PIL import Image

from broker.errors import EvidenceRejected
from broker.verifiers.mrz import reader
from broker.verifiers.mrz.picture import open_picture
from broker.verifiers.mrz.spelling import zone_in
from broker.verifiers.mrz.tesseract import EngineMissing, engine_available, text_of
from broker.verifiers.mrz.zone import parse

TODAY = date(2026, 11, 23)
Lines = tuple[str, ...]
Engine = Callable[[bytes], Lines | None]
"""(a file's bytes) → the one zone that the engine believes, or None."""


@dataclass(slots=True)
class Tally:
    """What became of the pictures of one tier."""

    pictures: int = 0
    readable: int = 0
    exact: int = 0
    decided: int = 0
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def main() -> int:
    given = _arguments()
    labels = [json.loads(row) for row in (given.folder / "labels.jsonl").read_text().splitlines()]
    labels = [row for row in labels if not given.tiers or row["tier"] in given.tiers.split(",")]
    wrong = 0
    for name in given.engines.split(","):
        try:
            engine = ENGINES[name]()
        except (EngineMissing, ImportError) as missing:
            print(f"{name}: not installed ({missing})")
            continue
        tallies = tally(engine, labels[:: given.every], given.folder, given.megapixels)
        show(name, tallies, failures=given.failures)
        wrong += sum(len(t.wrong) for t in tallies.values()) if name == "ours" else 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak:.0f} MB")
    return 1 if wrong else 0


def tally(
    engine: Engine, labels: list[dict[str, object]], folder: Path, megapixels: float = 0
) -> dict[str, Tally]:
    """What became of the labelled pictures, by tier."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for label in labels:
        upload = (folder / str(label["file"])).read_bytes()
        if megapixels:
            upload = _scaled(upload, megapixels)
        began = _spent()
        lines = engine(upload)
        _count(tallies[str(label["tier"])], label, lines, _spent() - began)
    return tallies


def _scaled(upload: bytes, megapixels: float) -> bytes:
    with Image.open(BytesIO(upload)) as picture:
        times = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
        size = round(picture.width * times), round(picture.height * times)
        out = BytesIO()
        picture.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


def _spent() -> float:
    """Seconds of processor time that this process and its programs have taken."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def show(name: str, tallies: dict[str, Tally], *, failures: bool = False) -> None:
    """Print the table of one engine."""
    print(f"\n{name}\n{'tier':>10} {'n':>5} {'exact':>7} {'decided':>8} {'WRONG':>6} "
          f"{'median ms':>10} {'p95 ms':>8}")  # fmt: skip
    for tier, t in tallies.items():
        times = sorted(t.seconds)
        exact = f"{t.exact / t.readable:7.1%}" if t.readable else f"{'–':>7}"
        print(f"{tier:>10} {t.pictures:5} {exact} {t.decided / t.pictures:8.1%} {len(t.wrong):6} "
              f"{1000 * times[len(times) // 2]:10.0f} "
              f"{1000 * times[int(0.95 * len(times))]:8.0f}")  # fmt: skip
        for file in t.wrong:
            print(f"{'':>10} wrong: {file}")
        for file in t.failed if failures else ():
            print(f"{'':>10} not read: {file}")
    times = sorted(second for t in tallies.values() for second in t.seconds)
    print(f"{'all':>10} {len(times):5} {'':31} "
          f"{1000 * times[len(times) // 2]:10.0f} "
          f"{1000 * times[int(0.95 * len(times))]:8.0f}")  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--tiers", default="")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--failures", action="store_true")
    parser.add_argument("--megapixels", type=float, default=0)
    return parser.parse_args()


def _count(t: Tally, label: dict[str, object], lines: Lines | None, seconds: float) -> None:
    is_readable = label["expect"] == "read"
    is_exact = lines is not None and list(lines) == label["lines"]
    t.pictures += 1
    t.seconds.append(seconds)
    t.readable += is_readable
    t.exact += is_exact and is_readable
    t.decided += is_exact if is_readable else lines is None
    if lines is not None and not (is_exact and is_readable):
        t.wrong.append(str(label["file"]))
    elif is_readable and lines is None:
        t.failed.append(str(label["file"]))


def _believed(lines: Lines | None) -> Lines | None:
    """The lines if every check digit is right and every field possible, as others accept."""
    try:
        return lines if lines and parse(lines, TODAY).holds() else None
    except EvidenceRejected:
        return None


def _ours() -> Engine:
    reader.read((Image.new("RGB", (640, 480), "white"),))  # loads the networks

    def read(upload: bytes) -> Lines | None:
        try:
            answer = reader.read((open_picture(upload),))
        except EvidenceRejected:
            return None
        return answer.zones[0] if len(answer.zones) == 1 else None

    return read


def _passporteye() -> Engine:
    from passporteye import read_mrz  # noqa: PLC0415  dear to import, and only for comparing

    engine_available()

    def read(upload: bytes) -> Lines | None:
        with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
            file.write(upload)
            file.flush()
            found = read_mrz(file.name)
        return _believed(tuple(found.aux["text"].split("\n"))) if found else None

    return read


def _tesseract() -> Engine:
    program = engine_available()

    def read(upload: bytes) -> Lines | None:
        try:
            picture = open_picture(upload).convert("L")
        except EvidenceRejected:
            return None
        return _believed(zone_in(text_of(program, picture, 60)))

    return read


ENGINES: dict[str, Callable[[], Engine]] = {
    "ours": _ours,
    "passporteye": _passporteye,
    "tesseract": _tesseract,
}

if __name__ == "__main__":
    sys.exit(main())
