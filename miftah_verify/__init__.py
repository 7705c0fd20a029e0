"""Checks a record without trusting whoever keeps it; needs Python and `cryptography` only."""

from miftah_verify.refused import Refused

__all__ = ["Refused"]
