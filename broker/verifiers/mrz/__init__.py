"""The data page of a passport, photographed: its machine-readable zone (ICAO 9303-3, -4)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from broker.verifiers.mrz.reading import PassportEye, ReadMrz
    from broker.verifiers.mrz.tesseract import EngineMissing, engine_available
    from broker.verifiers.mrz.verifier import MrzVerifier
    from broker.verifiers.mrz.worker import Bounds, Worker

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
]

_HOMES: Final = {
    "Bounds": "worker",
    "EngineMissing": "tesseract",
    "MrzVerifier": "verifier",
    "PassportEye": "reading",
    "ReadMrz": "reading",
    "Worker": "worker",
    "engine_available": "tesseract",
}


def __getattr__(name: str) -> Any:
    """Everything is fetched from its module when it is used, and not before.

    A server needs no library of pictures, and the process that Worker starts none of the house.
    """
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
