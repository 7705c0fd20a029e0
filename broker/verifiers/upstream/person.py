"""Who they say it is: userinfo beside the ID token, mapped to our names, nothing guessed."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from broker import jose
from broker.errors import EvidenceRejected
from broker.identity.evidence import Claim
from broker.identity.scheme import Scheme
from broker.verifiers.upstream.answer import Tokens
from broker.verifiers.upstream.client import Client
from broker.verifiers.upstream.provider import Providers, document
from broker.verifiers.upstream.section import INSIDE, Least, Section

LONGEST: Final = 200
OK: Final = 200
NAMES: Final = frozenset(
    {"name", "family_name", "given_name", "birth_family_name", "preferred_username"}
)
GENDERS: Final = {"M": "male", "F": "female", "male": "male", "female": "female"}
_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
OLDEST: Final = 130
"""Years that nobody has lived."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Signs between letters that Persian and other names are written with."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Categories of signs that no name has: controls, direction marks, private and unassigned."""


def told(
    tokens: Tokens,
    section: Section,
    providers: Providers,
    client: Client,
    now: datetime,
) -> Mapping[str, Any]:
    """Userinfo (Core §5.3), or the ID token's claims where there is none. Raises EvidenceRejected.

    Its `sub` is the ID token's, or it speaks of somebody else (§5.3.2).
    """
    if section.userinfo is Least.NONE:
        return tokens.claims
    claims = _userinfo(tokens, section, providers, client, now)
    if claims.get("sub") != tokens.claims["sub"]:
        raise EvidenceRejected("upstream_other_person", "sub of userinfo")
    return claims


def _userinfo(
    tokens: Tokens, section: Section, providers: Providers, client: Client, now: datetime
) -> Mapping[str, Any]:
    address = providers.metadata_of(section, now).address("userinfo_endpoint")
    answer = client.get(address, tokens.access_token, section, now)
    if answer.status != OK:
        raise EvidenceRejected("upstream_not_as_agreed", f"status {answer.status}")
    if answer.media_type not in {"application/jwt", "application/jose"}:
        if section.userinfo is not Least.PLAIN:
            raise EvidenceRejected("upstream_untrusted", "userinfo that nobody signed")
        return document(answer)
    return _signed(answer.body, section, providers, client, now)


def _signed(
    body: bytes, section: Section, providers: Providers, client: Client, now: datetime
) -> Mapping[str, Any]:
    """Userinfo as a JWT, for us and from them (Core §5.3.2, 5.3.4)."""
    token = body.decode("ascii", "replace").strip()
    if jose.is_encrypted(token):
        try:
            token = jose.decrypt(token, client.decryption_keys(section.decryption_key_files))
        except jose.SignatureRejected as error:
            raise EvidenceRejected("upstream_untrusted", str(error)) from None
    elif section.userinfo is Least.ENCRYPTED:
        raise EvidenceRejected("upstream_untrusted", "userinfo not encrypted to us")
    kinds = ("jwt", "token-userinfo+jwt")
    claims = providers.verified(section, token, now, kinds).claims
    audience = claims.get("aud")
    if claims.get("iss") != section.issuer:
        raise EvidenceRejected("upstream_mixed_up", "iss of userinfo")
    if audience not in (section.client_id, [section.client_id]):
        raise EvidenceRejected("upstream_other_audience", "aud of userinfo")
    return claims


def claims(said: Mapping[str, Any], scheme: Scheme, today: date) -> tuple[Claim, ...]:
    """What they say, under our names, each with theirs. Raises EvidenceRejected.

    Nothing that is required may be missing, and nothing may be what it cannot be.
    """
    made = tuple(_claims(said, scheme, today))
    missing = set(scheme.required) - {claim.name for claim in made}
    if missing:
        raise EvidenceRejected("upstream_incomplete", ", ".join(sorted(missing)))
    return made


def found(said: Mapping[str, Any], path: str) -> Any:
    """The claim of this name, or the member of it: `address > locality`; None where none is."""
    value: Any = said
    for name in path.split(INSIDE):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def holder(said: Mapping[str, Any], tokens: Tokens, scheme: Scheme) -> str:
    """The identifier by which the scheme knows the person for good. Raises EvidenceRejected."""
    known = found(said, scheme.identifier) or found(tokens.claims, scheme.identifier)
    if not isinstance(known, str) or not known.strip() or len(known) > 255:  # noqa: PLR2004  Core §2
        raise EvidenceRejected("upstream_incomplete", "the stable identifier")
    return known


def _claims(said: Mapping[str, Any], scheme: Scheme, today: date) -> Iterator[Claim]:
    for name, theirs in scheme.claims.items():
        told = found(said, theirs)
        if name not in scheme.required and not isinstance(told, str):
            told = _single(told)
        value = _value(name, told, today)
        if value:
            yield Claim(name, value, theirs)


def _single(value: Any) -> str | None:
    """What nobody needs and we could not hold whole is left out; a list of one is its text."""
    only = value[0] if isinstance(value, list) and len(value) == 1 else None
    return only if isinstance(only, str) else None


def _value(name: str, value: Any, today: date) -> str:
    """The value as `Claim` holds it, "" where there is none. Raises EvidenceRejected."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise EvidenceRejected("upstream_unreadable", name)
    text = unicodedata.normalize("NFC", value)
    text = " ".join(text.replace("\u200b", " ").split())
    if any(unicodedata.category(sign) in _HIDDEN for sign in set(text) - _JOINERS):
        raise EvidenceRejected("upstream_unreadable", name)
    if name == "birthdate" and text:
        return _birthdate(text, today)
    if name == "gender":
        return GENDERS.get(text, "")
    return text


def _birthdate(text: str, today: date) -> str:
    """A whole date of the past. Raises EvidenceRejected: a person, not we, fills what is open."""
    found = _DATE.fullmatch(text)
    if found and ("0000" in found.groups() or not set(found.groups()).isdisjoint({None, "00"})):
        raise EvidenceRejected("upstream_birthdate_partial")
    try:
        born = date.fromisoformat(text) if found else None
    except ValueError:
        born = None
    if born is None or born > today or born.year < today.year - OLDEST:
        raise EvidenceRejected("upstream_unreadable", "birthdate")
    return text
