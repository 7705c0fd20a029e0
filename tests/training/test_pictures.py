"""Labelled folders of invented photographs: what is written, and that it follows from the seed."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from training import glyphs
from training.pictures import CAPITALS, alike, of_every_label, of_every_tier, write
from training.scenes import Scene

pytestmark = pytest.mark.skipif(
    not glyphs.FONTS.is_dir(), reason="training only: Debian's fonts-ocr-b is not installed"
)

TAKEN = {"rot": 31.2, "char_h": 10.5, "blur": 0.9, "jpeg": 39}


def taken(seed: int, **info: float) -> Scene:
    return alike(np.random.default_rng(seed), "bad", TAKEN | info)


def test_a_picture_is_taken_as_the_labelled_one_was() -> None:
    scene = taken(5)
    assert scene.pitch == CAPITALS * 10.5
    for row, line in zip(scene.rows, scene.lines, strict=True):
        assert np.hypot(*(row[-1] - row[0])) / len(line) == pytest.approx(scene.pitch, rel=0.15)
        turn = np.degrees(np.arctan2(*(row[-1] - row[0])[::-1]))
        assert turn == pytest.approx(31.2, abs=6)


def test_what_was_moved_has_fewer_edges_than_what_was_not() -> None:
    def edges(scene: Scene) -> float:
        return float(np.abs(np.diff(scene.gray)).mean())

    sharp = {"blur": 0, "jpeg": 95}
    assert edges(taken(5, **sharp, motion=5)) < 0.8 * edges(taken(5, **sharp, motion=0))


def test_a_folder_says_of_each_picture_what_stands_there(tmp_path: Path) -> None:
    labelled = tmp_path / "labelled"
    labelled.mkdir()
    rows = [{"tier": "bad", "info": TAKEN}, {"tier": "real"}, {"tier": "trap", "info": TAKEN}]
    (labelled / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write(of_every_label(np.random.default_rng(3), 2, labelled), tmp_path)
    told = [json.loads(row) for row in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [(row["tier"], row["expect"]) for row in told] == [("bad", "read")] * 2
    assert {len(row["lines"]) for row in told} <= {2, 3}
    assert all((tmp_path / row["file"]).stat().st_size > 10_000 for row in told)


def test_one_seed_gives_one_folder() -> None:
    one, other = (
        [scene.lines for _, _, scene in islice(of_every_tier(np.random.default_rng(4), 1), 2)]
        for _ in range(2)
    )
    assert one == other
