"""The only source of random bytes."""

import base64
import os
from collections.abc import Callable

RandomBytes = Callable[[int], bytes]
"""Returns as many unguessable bytes as asked for."""


def system(size: int) -> bytes:
    """`size` bytes from the operating system's generator."""
    return os.urandom(size)


def token(draw: RandomBytes, bits: int = 256) -> str:
    """An unguessable URL-safe name of `bits` bits, base64url without padding."""
    return base64.urlsafe_b64encode(draw(bits // 8)).rstrip(b"=").decode("ascii")
