"""A few of the developers' labelled pictures, where their folder lies beside the repository."""

import json
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


def labels() -> list[dict[str, object]]:
    if not LABELS.is_file():
        return []
    return [json.loads(line) for line in LABELS.read_text().splitlines()]


def test_every_true_zone_parses_and_only_those_that_should_hold_do() -> None:
    """The parser against all labels: pictures are not opened."""
    surprising = []
    for label in labels():
        lines = tuple(map(str, label["lines"]))  # type: ignore[call-overload]  # lists of lines
        if not lines or label["expect"] == "refuse":
            continue
        try:
            holds = parse(lines, TODAY).holds()
        except EvidenceRejected:
            holds = False
        if holds != (label["expect"] == "read"):
            surprising.append((label["file"], lines))
    assert surprising == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clean_003.jpg", "trap_000.jpg"])
def test_a_sample_of_pictures_gives_the_truth_or_nothing(name: str) -> None:
    truth = next(tuple(x["lines"]) for x in labels() if str(x["file"]).endswith(name))  # type: ignore[arg-type]  # lists of lines
    found = PassportEye(engine_available())(open_picture((FOLDER / "images" / name).read_bytes()))
    assert found == ((truth,) if truth else ())
