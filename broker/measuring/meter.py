"""The meter that rooms are handed; the one that measures nothing costs nothing."""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from broker.measuring.measure import Measure

Known = Mapping[str, Callable[[], Collection[str]]]
"""Name of a set of the house → its values of this moment."""


class Meter(Protocol):
    """Takes down what happened; labels are given in the measure's order.

    Called on the way to every token: no call waits for a disk or raises.
    """

    @property
    def is_on(self) -> bool:
        """Whether anybody measures: what only serves to be measured need not be done else."""
        ...

    def know(self, known: Known) -> None:
        """The values that labels of the house may have; any other is called `other`."""
        ...

    def count(self, measure: Measure, *labels: str, by: float = 1) -> None:
        """So many more of it (a counter), or more or fewer held (HELD)."""
        ...

    def observe(self, measure: Measure, value: float, *labels: str) -> None:
        """One more value of a histogram."""
        ...

    def note(self, measure: Measure, value: float, *labels: str) -> None:
        """The last word on it (NEWEST)."""
        ...


class Silent:
    """Measures nothing."""

    is_on = False

    def know(self, known: Known) -> None:
        """Nothing."""

    def count(self, measure: Measure, *labels: str, by: float = 1) -> None:
        """Nothing."""

    def observe(self, measure: Measure, value: float, *labels: str) -> None:
        """Nothing."""

    def note(self, measure: Measure, value: float, *labels: str) -> None:
        """Nothing."""


SILENT = Silent()
