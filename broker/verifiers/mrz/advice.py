"""What the person should change in the next picture, told from where the reading failed."""

from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker.verifiers.mrz.answer import Cause
from broker.verifiers.mrz.locate import Group
from broker.verifiers.mrz.view import View

Gray: TypeAlias = NDArray[np.uint8]

SMALLEST_PITCH: Final = 9.0
"""Pixels from symbol to symbol under which pictures of any quality are seldom read: 1 of 13."""

VAGUE: Final = -0.08
"""The mean logarithm of the likeliest symbols under which the whole zone is blurred.

Of 32 generated pictures below it, none was read; of 138 above it, 116 were.
"""

UNSEEN: Final = -0.7
WHITE: Final = 238
"""The level (of 255) from which paper under light has lost its print."""

THIRDS: Final = (Cause.GLARE_START, Cause.GLARE_MIDDLE, Cause.GLARE_END)


def advice(gray: Gray, groups: tuple[Group, ...], view: View | None) -> Cause:
    """The most useful thing to say about a picture whose zone was not believed."""
    if not groups or (view is None and len(groups[0].rows) < 2):  # noqa: PLR2004  a row is no zone
        return Cause.NOT_FOUND
    group = view.group if view else groups[0]
    if is_cut_off(gray, group):
        return Cause.CUT_OFF
    if group.leading / 2.5 < SMALLEST_PITCH:
        return Cause.TOO_SMALL
    if view is None:
        return Cause.BLURRED
    return _of_zone(gray, view)


def is_cut_off(gray: Gray, group: Group) -> bool:
    """Whether a row runs to the very edge of the picture."""
    high, wide = gray.shape
    near = group.leading * 0.35
    ends = np.concatenate([row.points[[0, -1]] for row in group.rows if row.sure > 0])
    x, y = ends.T
    return bool(((x < near) | (y < near) | (x > wide - near) | (y > high - near)).any())


def _of_zone(gray: Gray, view: View) -> Cause:
    third = next(_glare(gray, view), None)
    if third is not None:
        return third
    if view.seen.clear.mean() < VAGUE:
        return Cause.BLURRED
    is_clear = bool((view.seen.likely.max(axis=2) > UNSEEN).all())
    return Cause.UNREADABLE if is_clear and view.decoded.cost > -UNSEEN else Cause.UNSURE


def _glare(gray: Gray, view: View) -> Iterator[Cause]:
    """The third of the rows in which symbols are lost in white."""
    places = view.seen.likely.shape[1]
    for row, likely in zip(view.group.rows, view.seen.likely, strict=True):
        for place in np.flatnonzero(likely.max(axis=1) < UNSEEN):
            point = row.points[round((place + 0.5) / places * (len(row.points) - 1))]
            x, y = (int(v) for v in np.clip(point, 0, np.array(gray.shape[::-1]) - 1))
            reach = max(2, int(view.pitch / 2))
            around = gray[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach]
            if around.size and float(np.median(around)) > WHITE:
                yield THIRDS[min(2, int(place * 3 / places))]
