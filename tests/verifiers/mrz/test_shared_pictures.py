"""A few of the developers' labelled pictures, where their folder lies beside the repository."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from broker.errors import EvidenceRejected
from broker.verifiers.mrz import PassportEye, engine_available
from broker.verifiers.mrz.picture import open_picture
from broker.verifiers.mrz.zone import parse

FOLDER = Path(__file__).parents[4] / "shared" / "mrz"
LABELS = FOLDER / "labels.jsonl"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not LABELS.is_file(), reason="the folder of labelled pictures is not here"),
]

TODAY = date(2026, 11, 23)


def labels() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """File, what is expected of it, and the true lines."""
    for line in LABELS.read_text().splitlines():
        label = json.loads(line)
        yield label["file"], label["expect"], tuple(label["lines"])


def test_every_true_zone_parses_and_only_those_that_should_hold_do() -> None:
    """The parser against all labels: pictures are not opened."""
    surprising = []
    for file, expect, lines in labels():
        if not lines or expect == "refuse":
            continue
        try:
            holds = parse(lines, TODAY).holds()
        except EvidenceRejected:
            holds = False
        if holds != (expect == "read"):
            surprising.append((file, lines))
    assert surprising == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clean_003.jpg", "trap_000.jpg"])
def test_a_sample_of_pictures_gives_the_truth_or_nothing(name: str) -> None:
    truth = next(lines for file, _, lines in labels() if file.endswith(name))
    found = PassportEye(engine_available())(open_picture((FOLDER / "images" / name).read_bytes()))
    assert found == ((truth,) if truth else ())
