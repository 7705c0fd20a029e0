"""The data page of a passport, photographed: its machine-readable zone (ICAO 9303-3, -4)."""

from broker.verifiers.mrz.reading import PassportEye, ReadMrz
from broker.verifiers.mrz.tesseract import EngineMissing, engine_available
from broker.verifiers.mrz.verifier import MrzVerifier

__all__ = ["EngineMissing", "MrzVerifier", "PassportEye", "ReadMrz", "engine_available"]
