"""What the browser says about the ceremony: clientDataJSON (WebAuthn Level 3 §5.8.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from broker.authentication.message import base64url, parse_object, reject


@dataclass(frozen=True, slots=True)
class Expected:
    """What one ceremony must be about: our challenge, at our origin, for our identifier.

    `framed_by` are the origins whose pages may have ours in a frame, None where no frame may be.
    `attended`: somebody is asked, and must be there and known to the key; a key that a browser
    makes by itself proves that when it is first used (§5.1.3, conditional creation).
    """

    challenge: bytes
    origin: str
    rp_id: str
    framed_by: tuple[str, ...] | None = None
    attended: bool = True


def demand_ours(client_data: bytes, kind: str, expected: Expected) -> None:
    """Nothing, if the client data is of this kind of ceremony and of this very one.

    `kind` is webauthn.create or webauthn.get. Raises EvidenceRejected (§7.1 steps 5–12,
    §7.2 steps 9–15).
    """
    said = _parse(client_data)
    if said.get("type") != kind:
        raise reject("client_data_type")
    # As text: a lenient base64url decoder reads many spellings as the same challenge.
    if said.get("challenge") != base64url(expected.challenge):
        raise reject("challenge")
    if said.get("origin") != expected.origin:
        raise reject("origin")
    _demand_frame(said, expected.framed_by)
    _demand_no_token_binding(said)


def _parse(client_data: bytes) -> dict[str, Any]:
    # Not json.loads on bytes: that guesses UTF-16 and UTF-32, and §7.1 step 5 says UTF-8,
    # with its byte order mark removed.
    try:
        return parse_object(client_data.decode("utf-8-sig"))
    except ValueError as error:
        raise reject("client_data_malformed") from error


def _demand_frame(said: Mapping[str, Any], framed_by: tuple[str, ...] | None) -> None:
    crossed = said.get("crossOrigin", False)
    # Our pages allow no frame around them (frame-ancestors 'none'): no honest browser says so.
    if framed_by is None and (crossed is not False or "topOrigin" in said):
        raise reject("cross_origin")
    if not isinstance(crossed, bool):
        raise reject("cross_origin")
    if "topOrigin" in said and (not crossed or said["topOrigin"] not in (framed_by or ())):
        raise reject("top_origin")


def _demand_no_token_binding(said: Mapping[str, Any]) -> None:
    """Level 2 §7.1 step 10: what the client says of token binding must be true; we have none."""
    if "tokenBinding" not in said:
        return
    binding = said["tokenBinding"]
    if not isinstance(binding, dict) or binding.get("status") not in {"supported", "not-supported"}:
        raise reject("token_binding")
