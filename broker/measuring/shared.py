"""The meter of one process, which others can read while it counts."""

import logging
import os
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakMethod, finalize

from broker import entropy
from broker.clock import Clock
from broker.entropy import RandomBytes
from broker.measuring.folder import begin, key
from broker.measuring.measure import OTHER, Kind, Label, Measure
from broker.measuring.meter import Known

MOST = 1500
"""Combinations of labels that are told apart; the house has fewer, whatever it is asked."""

_log = logging.getLogger("broker")


@dataclass(slots=True)
class _Cell:
    """A number of ours and where it stands in the file."""

    key: str
    value: float = 0.0


@dataclass(slots=True)
class _Row:
    """One combination of labels: its number, or the buckets of a histogram and then their sum."""

    cells: tuple[_Cell, ...]


class SharedMeter:
    """A meter whose numbers stand in a file that every process may read."""

    is_on = True

    def __init__(self, folder: Path, clock: Clock, draw: RandomBytes) -> None:
        """Open the file. Raises OSError where the folder cannot be written."""
        self._folder, self._clock, self._draw = folder, clock, draw
        self._known: Known = {}
        self._closing: list[Callable[[], None]] = []
        self._open()
        # At the end of the process the kernel does it, and threads may count until then.
        finalize(self, _close, self._closing).atexit = False
        again = WeakMethod(self._reopen)
        os.register_at_fork(after_in_child=lambda: (method := again()) and method())

    @property
    def file(self) -> Path:
        """The file of this process."""
        return self._path

    @property
    def combinations(self) -> int:
        """How many combinations of labels were met."""
        return len(self._rows)

    def know(self, known: Known) -> None:
        """As the protocol says."""
        self._known = {**self._known, **known}

    def count(self, measure: Measure, *labels: str, by: float = 1) -> None:
        """As the protocol says."""
        with self._lock:
            cell = (self._rows.get((measure, labels)) or self._row(measure, labels)).cells[0]
            cell.value += by
            self._file.write_value(cell.key, cell.value, 0.0)

    def observe(self, measure: Measure, value: float, *labels: str) -> None:
        """As the protocol says."""
        with self._lock:
            cells = (self._rows.get((measure, labels)) or self._row(measure, labels)).cells
            cell, total = cells[bisect_left(measure.buckets, value)], cells[-1]
            cell.value += 1
            total.value += value
            self._file.write_value(cell.key, cell.value, 0.0)
            self._file.write_value(total.key, total.value, 0.0)

    def note(self, measure: Measure, value: float, *labels: str) -> None:
        """As the protocol says."""
        with self._lock:
            cell = (self._rows.get((measure, labels)) or self._row(measure, labels)).cells[0]
            cell.value = value
            self._file.write_value(cell.key, value, self._clock().timestamp())

    def _row(self, measure: Measure, labels: tuple[str, ...]) -> _Row:
        """The row of labels that were not met before.

        Only rows of known values are kept: whoever sends new ones again and again fills nothing.
        """
        values = zip(measure.labels, labels, strict=True)
        safe = tuple(value if self._knows(label, value) else OTHER for label, value in values)
        if len(self._rows) >= MOST and (measure, safe) not in self._rows:
            safe = tuple(OTHER for _ in labels)
        row = self._rows.get((measure, safe))
        if row is None:
            names: tuple[str, ...] = ("",)
            if measure.kind is Kind.HISTOGRAM:
                names = (*map(str, measure.buckets), "+Inf", "sum")
            row = _Row(tuple(_Cell(key(measure.name, name, *safe)) for name in names))
            self._rows[measure, safe] = row
        return row

    def _knows(self, label: Label, value: str) -> bool:
        known = self._known.get(label.house)
        return value in label.values or (known is not None and value in known())

    def _open(self) -> None:
        self._lock = Lock()
        self._rows: dict[tuple[Measure, tuple[str, ...]], _Row] = {}
        name = entropy.token(self._draw, bits=64)
        self._path = self._folder / f"{os.getpid()}.{name}.live"
        self._file: Any
        self._file, held = begin(self._path)
        self._closing += [self._file.close, partial(os.close, held)]

    def _reopen(self) -> None:
        """A fork has a file of its own; where that cannot be, it counts for nobody."""
        _close(self._closing)
        try:
            self._open()
        except OSError as error:
            _log.warning("metrics of this process are lost: %s", type(error).__name__)
            self._file = _Nowhere()


def _close(those: list[Callable[[], None]]) -> None:
    while those:
        those.pop()()


class _Nowhere:
    """A file that forgets."""

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Nothing."""
