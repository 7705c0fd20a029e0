"""The only source of random bytes."""

import binascii
import os
from collections.abc import Callable
from datetime import datetime

RandomBytes = Callable[[int], bytes]
"""Returns as many unguessable bytes as asked for."""


def system(size: int) -> bytes:
    """`size` bytes from the operating system's generator."""
    return os.urandom(size)


def token(draw: RandomBytes, bits: int = 256) -> str:
    """An unguessable URL-safe name of `bits` bits, base64url without padding."""
    text = binascii.b2a_base64(draw(bits // 8), newline=False)
    return text.translate(_URL_SAFE, b"=").decode("ascii")


def dated(draw: RandomBytes, now: datetime) -> str:
    """The same of 256 bits, behind the second in which it was made: eight hexadecimal digits.

    What is stored by such a name stands beside what was stored a moment before.
    """
    return f"{int(now.timestamp()):08x}{token(draw)}"


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
