"""The data page of a passport, photographed: its machine-readable zone (ICAO 9303-3, -4)."""

from typing import TYPE_CHECKING, Any

from broker.verifiers.mrz.measured import measured
from broker.verifiers.mrz.verifier import MrzVerifier
from broker.verifiers.mrz.worker import Bounds, Worker

if TYPE_CHECKING:
    from broker.verifiers.mrz.reading import PassportEye, ReadMrz
    from broker.verifiers.mrz.tesseract import EngineMissing, engine_available

READER = "broker.verifiers.mrz.reader:read"
"""The reader that the reading process runs."""

__all__ = [
    "READER",
    "Bounds",
    "EngineMissing",
    "MrzVerifier",
    "PassportEye",
    "ReadMrz",
    "Worker",
    "engine_available",
    "measured",
]


def __getattr__(name: str) -> Any:
    """The reader's own names, with the libraries of pictures behind them: not before they are used.

    A server only reads in the process that Worker starts.
    """
    if name not in __all__:
        raise AttributeError(name)
    from broker.verifiers.mrz import reading, tesseract  # noqa: PLC0415  as it says

    return getattr(reading if hasattr(reading, name) else tesseract, name)
