"""Prints how well the current engine reads the labelled pictures in a folder, tier by tier.

    python -m bench.mrz_accuracy ../shared/mrz [EVERY]

EVERY 5 takes one picture in five. `exact` is the share of readable pictures whose lines come
back to the letter and accepted; `wrong` the share of all pictures in which something was accepted
(every check digit right, every field possible) that is not what stands there. Names have no check
digit: most of `wrong` is names, which the person is asked to confirm; `critical` is the part
of `wrong` in which anything but the names is wrong.
"""

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from broker.errors import EvidenceRejected
from broker.verifiers.mrz import PassportEye, engine_available
from broker.verifiers.mrz.picture import open_picture
from broker.verifiers.mrz.zone import Zone, parse

TODAY = date(2026, 11, 23)


@dataclass(slots=True)
class Tally:
    """What became of the pictures of one tier."""

    pictures: int = 0
    readable: int = 0
    exact: int = 0
    wrong: int = 0
    critical: int = 0
    seconds: list[float] = field(default_factory=list)


def main(folder: Path, every: int) -> None:
    read = PassportEye(engine_available())
    tallies: dict[str, Tally] = defaultdict(Tally)
    labels = (folder / "labels.jsonl").read_text().splitlines()
    for line in labels[::every]:
        label = json.loads(line)
        _count(tallies[label["tier"]], label, read, folder)
    print(f"{'tier':>10} {'n':>4} {'exact':>6} {'wrong':>6} {'critical':>8} {'median s':>8}")
    for tier, t in tallies.items():
        exact = f"{t.exact / t.readable:6.0%}" if t.readable else "     –"
        wrong, critical = t.wrong / t.pictures, t.critical / t.pictures
        print(f"{tier:>10} {t.pictures:4} {exact} {wrong:6.0%} {critical:8.0%} "
              f"{median(t.seconds):8.1f}")  # fmt: skip


def _count(tally: Tally, label: dict[str, Any], read: PassportEye, folder: Path) -> None:
    began = perf_counter()
    zone = _accepted(read, (folder / label["file"]).read_bytes())
    tally.seconds.append(perf_counter() - began)
    truth = tuple(label["lines"])
    is_readable = label["expect"] == "read"
    is_exact = zone is not None and zone.lines == truth
    tally.pictures += 1
    tally.readable += is_readable
    tally.exact += is_exact and is_readable
    if zone is not None and not (is_exact and is_readable):
        tally.wrong += 1
        tally.critical += _without_names(zone) != _without_names(_parsed(truth))


def _accepted(read: PassportEye, upload: bytes) -> Zone | None:
    """The one zone that would become evidence if it were a passport's, or None."""
    try:
        found = read(open_picture(upload))
    except EvidenceRejected:
        return None
    zone = _parsed(found[0]) if len(found) == 1 else None
    return zone if zone is not None and zone.holds() else None


def _parsed(lines: tuple[str, ...]) -> Zone | None:
    try:
        return parse(lines, TODAY)
    except EvidenceRejected:
        return None


def _without_names(zone: Zone | None) -> tuple[str, ...]:
    if zone is None:
        return ()
    return tuple(f.text for f in zone.fields if f.name not in {"names", "surname", "given_names"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
