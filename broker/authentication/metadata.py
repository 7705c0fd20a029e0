"""FIDO metadata: what is known of models of keys, read from a signed BLOB (FIDO MDS 3.1). Pure.

The real BLOB holds entries that break strict readers: each entry is read by itself, and one that
cannot be read is skipped and named. Unknown fields and unknown statuses mean nothing.
"""

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from broker.authentication.certificate_chain import leads_to

GRACE: Final = timedelta(days=30)
"""How long past its nextUpdate a BLOB still vouches for newly enrolled keys."""

LIMIT: Final = 64 * 1024 * 1024
"""Characters of a BLOB; today's has 10 million."""

FORBIDDEN: Final = "FORBIDDEN_HERE"
"""The operator's own status: no such key is wanted."""

WEAK: Final = frozenset(
    {
        FORBIDDEN,
        "ATTESTATION_KEY_COMPROMISE",
        "REVOKED",
        "USER_KEY_PHYSICAL_COMPROMISE",
        "USER_KEY_REMOTE_COMPROMISE",
        "USER_VERIFICATION_BYPASS",
    }
)
"""Statuses after which a model is trusted no more (FIDO MDS 3.1 §3.1.4)."""

CERTIFICATIONS: Final = ("L1", "L1plus", "L2", "L2plus", "L3", "L3plus")
"""FIDO's levels, weakest first."""

_LEVELS: Final = {
    "FIDO_CERTIFIED": 0,
    **{f"FIDO_CERTIFIED_{name}": rank for rank, name in enumerate(CERTIFICATIONS)},
}
_PROTECTED: Final = frozenset({"hardware", "secure_element", "tee"})
_VOUCHED: Final = frozenset({"attca", "basic_full"})
_HALF = 32
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_LARGEST_ICON: Final = 128 * 1024


class MetadataRejected(Exception):
    """The BLOB is not to be believed, and why."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of one model of keys; `anchors` are DER."""

    aaguid: str
    name: str
    statuses: tuple[str, ...]
    protection: tuple[str, ...]
    anchors: tuple[bytes, ...]
    fresh_until: datetime
    icon: bytes = field(default=b"", repr=False)
    """A picture of the key, PNG; empty where there is none."""

    @property
    def weakness(self) -> str | None:
        """The status that ended the trust in this model, if there is one."""
        return next((status for status in self.statuses if status in WEAK), None)

    def reaches(self, certification: str) -> bool:
        """Whether FIDO certified the model to this level or better, and its keys are in hardware.

        `certification` is one of CERTIFICATIONS.
        """
        protection = set(self.protection) - {"remote_handle"}
        kept = bool(protection) and protection <= _PROTECTED
        ranks = [_LEVELS[status] for status in self.statuses if status in _LEVELS]
        return kept and max(ranks, default=-1) >= CERTIFICATIONS.index(certification)

    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The maker's anchors."""
        return tuple(x509.load_der_x509_certificate(der) for der in self.anchors)


def under_policy(
    model: Model | None, aaguid: str, forbidden: Collection[UUID], allowed: Collection[UUID]
) -> Model | None:
    """The model as the operator's lists leave it: with a weakness, without anchors, or as it is."""
    number = UUID(aaguid)
    if number in forbidden:
        known = model or Model(aaguid, "", (), (), (), datetime.min.replace(tzinfo=UTC))
        return replace(known, statuses=(*known.statuses, FORBIDDEN))
    if model is not None and allowed and number not in allowed:
        return replace(model, anchors=())
    return model


@dataclass(frozen=True, slots=True)
class Blob:
    """A BLOB whose signature holds; `skipped` are the places of entries that make no sense."""

    number: int
    next_update: datetime
    models: tuple[Model, ...]
    skipped: tuple[int, ...]


def read_blob(
    unverified: str, root: x509.Certificate, now: datetime, *, signer: str, newest: int = 0
) -> Blob:
    """The BLOB, if its chain leads to our root and its number is above `newest`.

    `signer` is the DNS name that its certificate must bear, "" for any. A BLOB past its
    nextUpdate is read all the same: old news is better than none. Raises MetadataRejected.
    """
    head, payload, signed, signature = _parts(unverified)
    _demand_signature(head, signed, signature, root, now, signer)
    number, entries = payload.get("no"), payload.get("entries")
    if type(number) is not int or not isinstance(entries, list):
        raise MetadataRejected("no number, or no entries")
    if number <= newest:
        raise MetadataRejected(f"number {number} is not above {newest}")
    next_update = _day(payload.get("nextUpdate"))
    return _blob(number, next_update, entries)


def _blob(number: int, next_update: datetime, entries: Sequence[Any]) -> Blob:
    models, skipped = [], []
    for place, entry in enumerate(entries):
        try:
            model = _model(entry, next_update + GRACE)
        except (AttributeError, KeyError, TypeError, ValueError):
            skipped.append(place)
        else:
            models += [model] if model else []
    return Blob(number, next_update, tuple(models), tuple(skipped))


def _model(entry: Mapping[str, Any], fresh_until: datetime) -> Model | None:
    """The model of a FIDO2 entry, None for older kinds. Raises where it makes no sense."""
    if "aaguid" not in entry:
        return None
    said = entry.get("metadataStatement", {})
    anchors = [_der(text) for text in said.get("attestationRootCertificates", [])]
    vouched = _VOUCHED & set(said.get("attestationTypes", []))
    return Model(
        aaguid=str(UUID(entry["aaguid"])),
        name=str(said.get("description", ""))[:200],
        statuses=tuple(str(report["status"]) for report in entry["statusReports"]),
        protection=tuple(str(kind) for kind in said.get("keyProtection", [])),
        anchors=tuple(der for der in anchors if der) if vouched else (),
        fresh_until=fresh_until,
        icon=_png(said.get("icon")),
    )


def _png(url: object) -> bytes:
    """The picture in a data URL; nothing where it is of another kind, or too large for an icon."""
    kind, _, text = url.partition(",") if isinstance(url, str) else ("", "", "")
    if kind != "data:image/png;base64" or len(text) > _LARGEST_ICON:
        return b""
    try:
        picture = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return b""
    return picture if picture.startswith(_PNG) else b""


def _der(text: str) -> bytes | None:
    try:
        der = base64.b64decode("".join(text.split()))
        x509.load_der_x509_certificate(der)
    except ValueError:
        return None
    return der


def _day(text: object) -> datetime:
    try:
        return datetime.strptime(str(text), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise MetadataRejected("nextUpdate is no date") from error


def _parts(unverified: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    if len(unverified) > LIMIT or not unverified.isascii():
        raise MetadataRejected("no BLOB, or too long")
    try:
        first, second, third = unverified.strip().split(".")
        head, payload = json.loads(_octets(first)), json.loads(_octets(second))
        signature = _octets(third)
    except (ValueError, RecursionError) as error:
        raise MetadataRejected("no BLOB") from error
    if not isinstance(head, dict) or not isinstance(payload, dict) or "crit" in head:
        raise MetadataRejected("no BLOB")
    return head, payload, f"{first}.{second}".encode(), signature


def _octets(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _demand_signature(  # noqa: PLR0913  what was signed, by whom, and who may
    head: Mapping[str, Any],
    signed: bytes,
    signature: bytes,
    root: x509.Certificate,
    now: datetime,
    signer: str,
) -> None:
    try:
        chain = [x509.load_der_x509_certificate(base64.b64decode(c)) for c in head["x5c"]]
        leaf = chain[0]
        _verify(head["alg"], leaf, signed, signature)
        named = not signer or signer in _dns_names(leaf)
    except (InvalidSignature, KeyError, IndexError, TypeError, ValueError) as error:
        raise MetadataRejected(f"signature: {type(error).__name__}") from error
    if not leads_to(chain, [root], now):
        raise MetadataRejected("the signer's chain does not lead to our root today")
    if not named:
        raise MetadataRejected("signed by somebody else whom our root knows")


def _dns_names(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return names.value.get_values_for_type(x509.DNSName)


def _verify(alg: object, leaf: x509.Certificate, signed: bytes, signature: bytes) -> None:
    key = leaf.public_key()
    if alg == "RS256" and isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    elif alg == "ES256" and isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name != "secp256r1" or len(signature) != 2 * _HALF:
            raise InvalidSignature
        r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    else:
        raise ValueError("another algorithm")
