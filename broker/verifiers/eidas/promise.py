"""What this verifier says of itself before anybody tries it: what it proves, how much it reads."""

from typing import Final

from broker.identity.evidence import Check, Outcome

PROVED: Final = tuple(
    Check("vcrypt", name, Outcome.PASSED)
    for name in ("issuer_signature", "meant_for_us", "level_asserted")
)
"""What holds of whatever `close` returns: who was asked signed it, for us, with a level in it."""

MESSAGE_LIMIT: Final = 131_072
"""Bytes of a response, as eIDAS nodes limit each other's."""
