"""The data page of a passport, photographed: its machine-readable zone (ICAO 9303-3, -4)."""

from broker.verifiers.mrz.measured import measured
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
    "measured",
]
