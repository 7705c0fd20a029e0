"""Writes a labelled folder of invented photographs, for judging and calibrating the reader.

    python -m training.pictures --seed 9001 --each 200 --out FOLDER [--like LABELLED]

With `--like`, each picture of that folder of which `info` says how it was taken (capitals, blur and
motion in pixels, turn, quality of the file) has `each` of other documents, taken so: the zone
whole, nothing else printed in it, and no glare on it.

`labels.jsonl` has the form that bench/mrz.py reads. Seeds under 1000 are for training: pictures of
others were never seen by a model. The tier `trap` holds what must not be accepted: wrong check
digits, covered or cut zones, no zone at all.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from training import damage
from training.pages import draw_page
from training.scenes import TIERS, Scene, draw_scene, random_scene
from training.zones import DIGITS, LETTERS, Rng, random_zone

LONGEST = 1700
WHOLE = 6000
"""Pixels of the longer side of a picture that nothing is cut off."""

LEANING = {"clean": 0.002, "decent": 0.04, "bad": 0.06}
"""Perspective with which zones lean as those of the developers' pictures do."""

CAPITALS = 1.04
"""Pixels from symbol to symbol for each that capitals are high."""


def alike(rng: Rng, tier: str, info: dict[str, float]) -> Scene:
    """An invented document, photographed as carefully as a labelled one was."""
    pitch = CAPITALS * info["char_h"]
    care = replace(
        TIERS[tier],
        tilt=(info["rot"], info["rot"]),
        quarters=0,
        perspective=LEANING[tier],
        anyhow=0,
        blur=(info["blur"] / pitch, info["blur"] / pitch),
        motion=1,
        moved=(info.get("motion", 0) / pitch, info.get("motion", 0) / pitch),
        quality=(int(info["jpeg"]), int(info["jpeg"]) + 1),
        glare=0,
    )
    return draw_scene(rng, care, pitch, WHOLE, draw_page(rng, random_zone(rng), tidy=True))


def trap(rng: Rng) -> tuple[Scene, str]:
    """A picture of which nothing may be accepted, and `read_invalid` or `refuse`."""
    care = TIERS[str(rng.choice(("clean", "decent")))]
    pitch = float(np.exp(rng.uniform(*np.log(care.pitch))))
    kind = rng.integers(0, 4)
    if kind == 0:
        return draw_scene(rng, care, pitch, LONGEST, draw_page(rng, None)), "refuse"
    lines = random_zone(rng, str(rng.choice(("TD3", "TD1", "TD2"))))
    if kind == 1:
        changed = draw_page(rng, _misprinted(rng, lines))
        return draw_scene(rng, care, pitch, LONGEST, changed), "read_invalid"
    scene = draw_scene(rng, care, pitch, LONGEST, draw_page(rng, lines))
    return (_covered(rng, scene) if kind == 2 else _cut(rng, scene)), "refuse"


def _misprinted(rng: Rng, lines: tuple[str, ...]) -> tuple[str, ...]:
    """The zone with one digit of a date another one: its check digit does not hold."""
    row = 1
    at = int(rng.integers(0, 6)) + (0 if len(lines) == 3 else 13)
    old = lines[row][at]
    kind = DIGITS if old in DIGITS else LETTERS
    new = str(rng.choice([symbol for symbol in kind if symbol != old]))
    changed = lines[row][:at] + new + lines[row][at + 1 :]
    return (*lines[:row], changed, *lines[row + 1 :])


def _covered(rng: Rng, scene: Scene) -> Scene:
    """Something opaque over four or more symbols of a row in which none are fillers alone."""
    rows = list(zip(scene.rows, scene.lines, strict=True))
    row, text = next(((r, t) for r, t in rows if _is_full(t)), rows[-1])
    at = int(rng.integers(2, len(row) - 5))
    x, y = row[at]
    gray = scene.gray.copy()
    size = 4 * np.hypot(*(row[-1] - row[0])) / len(text)
    cv2.circle(gray, (int(x), int(y)), int(size / 2) + 1, float(rng.uniform(0, 1)), -1)
    return Scene(damage.jpeg(gray, 80), scene.rows, scene.lines, scene.pitch)


def _is_full(text: str) -> bool:
    return text[0] not in "PVACI" or "<<<<" not in text


def _cut(rng: Rng, scene: Scene) -> Scene:
    """The picture without what lies beyond a line through the zone."""
    row = scene.rows[0]
    x, y = row[int(rng.integers(len(row) // 4, 3 * len(row) // 4))]
    gray = scene.gray
    along = row[-1] - row[0]
    if abs(along[0]) > abs(along[1]):
        gray = gray[:, : int(x)] if rng.random() < 0.5 else gray[:, int(x) :]
    else:
        gray = gray[: int(y)] if rng.random() < 0.5 else gray[int(y) :]
    return Scene(np.ascontiguousarray(gray), (), scene.lines, scene.pitch)


Shot = tuple[str, str, Scene]
"""A picture's tier, what is expected of it, and the picture."""


def of_every_tier(rng: Rng, each: int) -> Iterator[Shot]:
    """`each` pictures of every tier, traps among them."""
    for tier in (*TIERS, "trap"):
        for _ in range(each):
            scene, expect = trap(rng) if tier == "trap" else (random_scene(rng, tier), "read")
            yield tier, expect, scene


def of_every_label(rng: Rng, each: int, labelled: Path) -> Iterator[Shot]:
    """`each` pictures for every one of a labelled folder of which it is known how it was taken."""
    for row in (labelled / "labels.jsonl").read_text().splitlines():
        label = json.loads(row)
        if label["tier"] in TIERS and label.get("info"):
            for _ in range(each):
                yield label["tier"], "read", alike(rng, label["tier"], label["info"])


def write(shots: Iterable[Shot], out: Path) -> None:
    """The pictures and their labels, as files in `out`."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    with (out / "labels.jsonl").open("w") as labels:
        for i, (tier, expect, scene) in enumerate(shots):
            file = f"images/{tier}_{i:04}.jpg"
            levels = (np.clip(scene.gray, 0, 1) * 255).astype(np.uint8)
            cv2.imwrite(str(out / file), levels, (cv2.IMWRITE_JPEG_QUALITY, 92))
            label = {"file": file, "tier": tier, "lines": scene.lines, "expect": expect}
            labels.write(json.dumps(label | {"info": {"pitch": round(scene.pitch, 1)}}) + "\n")


def main() -> None:
    """Read the arguments and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--like", type=Path, help="a labelled folder whose conditions are taken")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(given.seed)
    like, each = given.like, given.each
    write(of_every_label(rng, each, like) if like else of_every_tier(rng, each), given.out)


if __name__ == "__main__":
    main()
