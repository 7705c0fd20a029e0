"""What a measure is: its name, its meaning, and labels whose values come from closed sets."""

from dataclasses import dataclass
from enum import Enum

OTHER = "other"
"""What a value is called that is in no closed set."""


class Kind(Enum):
    """How values of several processes become one."""

    COUNTER = "counter"
    """Only grows: what every process has counted is added, those that have ended included."""
    HISTOGRAM = "histogram"
    """The same, in buckets."""
    HELD = "held"
    """Goes up and down: what the living processes hold is added."""
    NEWEST = "newest"
    """The last word of any process."""
    LOOKED_UP = "looked up"
    """Nobody keeps it: it is asked for when somebody looks (`Feature.gauges`)."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label and its values: those named here, or a set that the front door knows as `house`."""

    name: str
    values: frozenset[str] = frozenset()
    house: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """Something that is measured; compared by identity, since it is a key on hot paths.

    `name` is the name that Prometheus sees, `buckets` are the upper bounds of a histogram.
    """

    kind: Kind
    name: str
    meaning: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of its labels, in the order in which values are given."""
        return tuple(label.name for label in self.labels)
