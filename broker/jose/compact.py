"""Reading a compact JWS strictly, before any key is looked at (RFC 7515 §5.2, RFC 8725 §3)."""

import base64
import binascii
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

SIZE_LIMIT = 16 * 1024
"""Bytes of a compact JWS that we are willing to look at."""

# None of them is ours to follow: `crit` and `b64` change what a signature means, the others
# name keys elsewhere (RFC 8725 §3.10).
_REFUSED = frozenset({"crit", "b64", "jku", "x5u"})
_SEGMENT = re.compile("[A-Za-z0-9_-]+")


class SignatureRejected(Exception):
    """The token is malformed, or no key that we know made its signature."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A well-formed compact JWS over a JSON object; nobody has looked at its signature."""

    header: dict[str, Any]
    unverified_claims: dict[str, Any]
    signed: bytes
    signature: bytes


def parts(unverified_token: str, algorithms: Collection[str], typ: Collection[str] | None) -> Parts:
    """The parts of a token whose header names one of `algorithms` and one of `typ`.

    Raises SignatureRejected.
    """
    if len(unverified_token) > SIZE_LIMIT:
        raise SignatureRejected("too long")
    segments = unverified_token.split(".")
    if len(segments) != 3:  # noqa: PLR2004  header, payload, signature
        raise SignatureRejected("not three segments")
    header_json, claims_json, signature = (unbase64(segment) for segment in segments)
    header, claims = json_object(header_json), json_object(claims_json)
    if not isinstance(header.get("alg"), str) or header["alg"] not in algorithms:
        raise SignatureRejected("algorithm not allowed")
    if _REFUSED & header.keys():
        raise SignatureRejected("header parameter not understood")
    if typ is not None and _media_type(header.get("typ")) not in {_media_type(t) for t in typ}:
        raise SignatureRejected("another kind of token")
    return Parts(header, claims, f"{segments[0]}.{segments[1]}".encode("ascii"), signature)


def unverified_claims(unverified_token: str) -> dict[str, Any]:
    """What a token says, believed by nobody yet: to find whose keys must verify it.

    Raises SignatureRejected where it is not a JWS over a JSON object.
    """
    segments = unverified_token[: SIZE_LIMIT + 1].split(".")
    if len(unverified_token) > SIZE_LIMIT or len(segments) != 3:  # noqa: PLR2004  as above
        raise SignatureRejected("not a compact JWS")
    return json_object(unbase64(segments[1]))


def json_object(text: bytes) -> dict[str, Any]:
    """A JSON object without duplicate members, lone surrogates or infinite numbers.

    Raises SignatureRejected.
    """
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise SignatureRejected("not JSON") from error
    if not isinstance(value, dict):
        raise SignatureRejected("not a JSON object")
    return value


def base64url(raw: bytes) -> bytes:
    """Base64url without padding (RFC 7515 §2)."""
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=")


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def unbase64(segment: str) -> bytes:
    """The bytes of base64url in its one right spelling: no padding, no spare bits.

    Raises SignatureRejected.
    """
    if _SEGMENT.fullmatch(segment) and len(segment) % 4 != 1:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        if base64url(raw).decode("ascii") == segment:
            return raw
    raise SignatureRejected("not base64url")


def _media_type(typ: object) -> object:
    """A `typ` as compared: RFC 7515 §4.1.9 lets "application/" go; media types have no case."""
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("duplicate member")
    return dict(pairs)
