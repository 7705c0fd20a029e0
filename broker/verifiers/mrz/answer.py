"""What a reader is given and what it answers: pictures of one document in, zones or a cause out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

Lines = tuple[str, ...]
Sureness = tuple[tuple[int, ...], ...]


class Cause(StrEnum):
    """Why nothing was read; each is the code of what the person is told to change."""

    NOT_FOUND = "mrz_not_found"
    TOO_SMALL = "mrz_too_small"
    BLURRED = "mrz_blurred"
    GLARE_START = "mrz_glare_start"
    """Glare on the first third of the lines, as they are read."""
    GLARE_MIDDLE = "mrz_glare_middle"
    GLARE_END = "mrz_glare_end"
    CUT_OFF = "mrz_cut_off"
    UNREADABLE = "mrz_unreadable"
    """A zone whose check digits do not hold."""
    UNSURE = "mrz_unsure"
    """Two readings remain plausible, or two readers differ."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The different zones believed, best first: none, one, or of two documents.

    Lines are of the zone's alphabet and of a known shape. `cause` is set where there is none.
    `sure` says of every symbol of every zone how likely it is by its looks alone, of a thousand;
    empty where a reader does not tell.
    """

    zones: tuple[Lines, ...] = ()
    cause: Cause | None = None
    sure: tuple[Sureness, ...] = ()


Read = Callable[[Sequence["Image.Image"]], Answer]
"""(pictures, gray or coloured, upright or not, all of one document) → what they show together.

A reader never raises for what a picture shows.
"""

ReadUploads = Callable[[Sequence[bytes]], Answer]
"""(files as they were uploaded) → as Read. Raises EvidenceRejected for files that do not open."""
