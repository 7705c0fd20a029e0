"""Recovery codes: 60 bits in Crockford's base32, read kindly, stored as a keyed digest.

A code names its account by itself, since accounts have no other name: 60 bits make a guess hit
one of a hundred million codes once in ten thousand million tries.
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from broker.entropy import RandomBytes
from broker.errors import EvidenceRejected

SHEET: Final = 10
"""Codes on one sheet."""

LONGEST: Final = 40
"""Characters that are looked at: a code with its hyphens has 14."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_LENGTH, _GROUP, _BITS = 12, 4, 5
_LABEL: Final = b"miftah recovery code 1"


def mint(draw: RandomBytes) -> str:
    """A fresh code of 12 symbols, without its hyphens."""
    number = int.from_bytes(draw(8), "big")
    return "".join(_ALPHABET[number >> _BITS * place & 31] for place in reversed(range(_LENGTH)))


def written(code: str) -> str:
    """The code as it stands on the sheet: XXXX-XXXX-XXXX."""
    return "-".join(code[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def parse(typed: str) -> str:
    """The code that a person typed, in any case, with or without hyphens, with O for 0, l for 1.

    Raises EvidenceRejected recovery_rejected where it cannot be one.
    """
    code = typed[:LONGEST].upper().translate(_READ_AS)
    if len(code) != _LENGTH or not set(code) <= set(_ALPHABET):
        raise EvidenceRejected("recovery_rejected", "malformed")
    return code


def digest(code: str, secret: bytes) -> bytes:
    """What is stored of a code; `secret` is the keyring's `pairwise`.

    Keyed, so that a stolen database opens no account by trying 60 bits. The key is derived from
    the one secret that a running house can never change, by a label of its own: whoever knows
    digests learns nothing of subjects, and the other way round.
    """
    key = HKDF(hashes.SHA256(), 32, salt=None, info=_LABEL).derive(secret)
    return hmac.digest(key, code.encode("ascii"), "sha256")
