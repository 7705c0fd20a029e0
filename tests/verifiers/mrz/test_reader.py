"""The reader on pictures that the repository ships: invented documents, photographed badly.

They come of seeds of `training/` that no model was trained on (9002; the document on a printed page
9912). `read` in their labels says which of them the shipped models read.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from broker.verifiers.mrz.answer import Answer, Cause
from broker.verifiers.mrz.locate import Group, Row
from broker.verifiers.mrz.reader import goes_on, is_ragged, read
from broker.verifiers.mrz.recognise import BEYOND, Seen
from broker.verifiers.mrz.view import View

SHIPPED = Path(__file__).parent / "photographs"
LABELS = [json.loads(row) for row in (SHIPPED / "labels.jsonl").read_text().splitlines()]


def photograph(file: str) -> Image.Image:
    return Image.open(SHIPPED / file).convert("RGB")


def answered(label: dict[str, object]) -> Answer:
    return read((photograph(str(label["file"])),))


@pytest.mark.parametrize("label", LABELS, ids=lambda label: label["file"])
def test_nothing_wrong_is_ever_believed(label: dict[str, object]) -> None:
    truth: object = (tuple(label["lines"]),) if label["expect"] == "read" else ()  # type: ignore[arg-type]
    assert answered(label).zones in {truth, ()}


@pytest.mark.parametrize(
    "label", [row for row in LABELS if row["read"]], ids=lambda label: label["file"]
)
def test_what_it_could_read_it_still_reads(label: dict[str, object]) -> None:
    assert answered(label).zones == (tuple(label["lines"]),)  # type: ignore[arg-type]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_which_way_up_a_picture_is_does_not_matter(quarters: int) -> None:
    label = next(row for row in LABELS if row["read"])
    turned = Image.fromarray(np.rot90(np.asarray(photograph(label["file"])), quarters))
    assert read((turned,)).zones == (tuple(label["lines"]),)


def test_a_picture_without_a_zone_is_said_to_have_none() -> None:
    assert read((Image.new("RGB", (900, 600), "gray"),)) == Answer(cause=Cause.NOT_FOUND)


def test_a_picture_too_small_is_said_to_be() -> None:
    label = next(row for row in LABELS if row["read"])
    tiny = photograph(label["file"])
    tiny.thumbnail((170, 170))
    assert read((tiny,)).cause in {Cause.TOO_SMALL, Cause.NOT_FOUND}


def seen(rows: int, symbols: int, beyond: dict[tuple[int, ...], float]) -> Seen:
    """Rows of so many symbols, with print beyond their ends where `beyond` says so.

    Its keys are row, end, and one place of those that are looked at, or else all of them.
    """
    likely = np.zeros((rows, 2, BEYOND))
    for at, chance in beyond.items():
        likely[at] = chance
    return Seen(np.zeros((rows, symbols, 37)), np.zeros((rows, symbols)), likely)


@pytest.mark.parametrize(
    ("rows", "symbols", "beyond", "is_doubtful"),
    [
        (2, 36, {}, False),
        (2, 36, {(0, 1): 0.4}, True),
        (2, 36, {(0, 1, 0): 0.9, (1, 1, 0): 0.9}, False),
        (2, 44, {(0, 1): 0.9, (1, 1): 0.9}, False),
        (3, 30, {(0, 0): 0.9, (1, 0): 0.9}, False),
        (3, 30, {(2, 0, 0): 0.9}, True),
        (3, 30, {(2, 1): 0.9}, False),
    ],
)
def test_print_beyond_the_ends_is_doubtful_where_nothing_else_would_tell(
    rows: int, symbols: int, beyond: dict[tuple[int, ...], float], *, is_doubtful: bool
) -> None:
    assert goes_on(seen(rows, symbols, beyond)) is is_doubtful


@pytest.mark.parametrize(
    ("late", "is_doubtful"), [(0.0, False), (3.0, False), (-9.0, True), (9.0, True)]
)
def test_a_row_that_begins_beside_the_others_is_doubtful(late: float, *, is_doubtful: bool) -> None:
    """Symbols are ten pixels apart; `late` pixels stand between the middle row and the others."""
    rows = tuple(
        Row(np.array(((x, y), (x + 300, y)), np.float32), np.array((1, 0), np.float32), 1)
        for x, y in ((100, 100), (105 + late, 125), (110, 150))
    )
    # Slanted rows are no ragged ones: each begins five pixels after the one above.
    view = View(Group(rows, 25), seen(3, 30, {}), None)  # type: ignore[arg-type]  # not asked
    assert is_ragged(view) is is_doubtful


def test_two_documents_in_one_picture_are_both_told() -> None:
    first, second = [photograph(row["file"]) for row in LABELS if row["read"]][:2]
    wide = max(first.width, second.width)
    both = Image.new("RGB", (wide, first.height + second.height), "gray")
    both.paste(first, (0, 0))
    both.paste(second, (0, first.height))
    assert len(read((both,)).zones) == 2


def test_several_pictures_of_one_document_are_read_together() -> None:
    label = next(row for row in LABELS if row["read"])
    blank = Image.new("RGB", (900, 600), "gray")
    assert read((blank, photograph(label["file"]))).zones == (tuple(label["lines"]),)
