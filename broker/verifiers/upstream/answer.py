"""What came back by the browser, and what the provider says to the code in it."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from broker import jose
from broker.errors import EvidenceRejected
from broker.identity.scheme import ORDER, LevelRow, Scheme
from broker.identity.verifier import Attempt, Reply
from broker.verifiers.upstream.client import Client
from broker.verifiers.upstream.provider import Metadata, Providers, document
from broker.verifiers.upstream.request import Ours
from broker.verifiers.upstream.section import Least, Section

ANSWERED: Final = frozenset({"code", "state", "iss", "error"})
"""The parameters of an answer that we read; none may come twice (RFC 6749 §3.1)."""

CANCELLED: Final = frozenset({"access_denied", "login_required", "interaction_required"})
LONGEST_LIFE: Final = 86_400
"""Seconds between `iat` and `exp` beyond which a token is no token of one sign-in."""
_SUB: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Tokens:
    """An ID token whose every claim was checked, and the access token for userinfo."""

    claims: Mapping[str, Any]
    level: LevelRow
    access_token: str = field(repr=False)


def code(reply: Reply, attempt: Attempt, section: Section, metadata: Metadata) -> str:
    """The code in the answer (RFC 6749 §4.1.2). Raises EvidenceRejected."""
    fields = reply.fields
    if reply.repeated & ANSWERED:
        raise EvidenceRejected("upstream_malformed", "a parameter twice")
    if not hmac.compare_digest(fields.get("state", "").encode(), attempt.handle.encode()):
        raise EvidenceRejected("upstream_unasked", "state")
    _demand_issuer(fields, section, metadata)
    if "error" in fields:
        if "code" in fields:
            raise EvidenceRejected("upstream_malformed", "an error and a code")
        cancelled = fields["error"] in CANCELLED
        raise EvidenceRejected("upstream_cancelled" if cancelled else "upstream_refused")
    if not fields.get("code"):
        raise EvidenceRejected("upstream_malformed", "no code")
    return fields["code"]


def _demand_issuer(fields: Mapping[str, str], section: Section, metadata: Metadata) -> None:
    """RFC 9207 §2.4: an answer of another provider is not taken to this one."""
    demanded = section.issuer_parameter == "demanded" or metadata.promises_issuer
    issuer = fields.get("iss")
    if issuer != section.issuer and (demanded or issuer is not None):
        raise EvidenceRejected("upstream_mixed_up", "iss")


def redeem(  # noqa: PLR0913  whose code, for what, from whom, and with whose keys
    code_: str,
    ours: Ours,
    scheme: Scheme,
    section: Section,
    providers: Providers,
    client: Client,
    now: datetime,
) -> Tokens:
    """The tokens for a code (Core §3.1.3), every one checked. Raises EvidenceRejected."""
    form = {
        "grant_type": "authorization_code",
        "code": code_,
        "redirect_uri": client.redirect_uri(scheme.id),
        "code_verifier": ours.code_verifier,
    }
    address = providers.metadata_of(section, now).address("token_endpoint")
    told = document(client.post(address, form, section, now))
    id_token, access_token = told.get("id_token"), told.get("access_token")
    kind = told.get("token_type")
    if not all(isinstance(part, str) for part in (id_token, access_token, kind)):
        raise EvidenceRejected("upstream_not_as_agreed", "no tokens")
    if str(kind).lower() != ("dpop" if section.dpop else "bearer"):
        raise EvidenceRejected("upstream_not_as_agreed", "another kind of access token")
    signed = providers.verified(section, opened(str(id_token), section, client), now, ("jwt",))
    _demand_for_us(signed.claims, section)
    _demand_now(signed.claims, section, now)
    _demand_ours(signed, ours, section, str(access_token))
    level = _level(signed.claims, ours, scheme)
    _demand_fresh(signed.claims, section, now)
    return Tokens(signed.claims, level, str(access_token))


def opened(token: str, section: Section, client: Client) -> str:
    """The signed token inside an encrypted one; a plain one where that is admitted."""
    if not jose.is_encrypted(token):
        if section.id_token == Least.ENCRYPTED:
            raise EvidenceRejected("upstream_untrusted", "not encrypted to us")
        return token
    keys = client.decryption_keys(section.decryption_key_files)
    try:
        return jose.decrypt(token, keys)
    except jose.SignatureRejected as error:
        raise EvidenceRejected("upstream_untrusted", str(error)) from None


def _demand_for_us(claims: Mapping[str, Any], section: Section) -> None:
    """Core §3.1.3.7, 2 to 5: issuer, audience and authorized party."""
    if claims.get("iss") != section.issuer:
        raise EvidenceRejected("upstream_mixed_up", "iss of the ID token")
    audience, party = claims.get("aud"), claims.get("azp")
    everyone = audience if isinstance(audience, list) else [audience]
    if section.client_id not in everyone or not all(isinstance(a, str) for a in everyone):
        raise EvidenceRejected("upstream_other_audience", "aud")
    alone = len(everyone) == 1 and party is None
    if not alone and party != section.client_id:
        raise EvidenceRejected("upstream_other_audience", "azp")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUB.fullmatch(subject):
        raise EvidenceRejected("upstream_not_as_agreed", "sub")


def _demand_now(claims: Mapping[str, Any], section: Section, now: datetime) -> None:
    """Core §3.1.3.7, 9 and 10: neither over, nor of the future, nor for ever."""
    moment, skew = now.timestamp(), section.skew
    begins, ends = _moment(claims, "iat"), _moment(claims, "exp")
    if begins is None or ends is None:
        raise EvidenceRejected("upstream_not_as_agreed", "iat or exp")
    if "nbf" in claims:
        earliest = _moment(claims, "nbf")
        if earliest is None:
            raise EvidenceRejected("upstream_not_as_agreed", "nbf")
        begins = max(begins, earliest)
    if not begins <= moment + skew or not moment - skew < ends:
        raise EvidenceRejected("upstream_expired", "iat, nbf or exp")
    if ends - begins > LONGEST_LIFE:
        raise EvidenceRejected("upstream_not_as_agreed", "a life too long")


def _demand_ours(
    signed: jose.SignedClaims, ours: Ours, section: Section, access_token: str
) -> None:
    """Core §3.1.3.7, 11: the answer to this attempt; §3.1.3.8: with this access token."""
    nonce = signed.claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), ours.nonce.encode()):
        raise EvidenceRejected("upstream_unasked", "nonce")
    told = signed.claims.get("at_hash")
    if told is None and not section.at_hash:
        return
    if not access_token.isascii() or told != jose.half_hash(access_token, signed.header["alg"]):
        raise EvidenceRejected("upstream_untrusted", "at_hash")


def _level(claims: Mapping[str, Any], ours: Ours, scheme: Scheme) -> LevelRow:
    """The level that they assert: known to us, and enough; never taken for granted."""
    level = scheme.level(claims.get("acr"))
    if level is None:
        raise EvidenceRejected("upstream_level_unknown", "acr")
    if ours.least and ORDER.index(level.means) < ORDER.index(ours.least):
        raise EvidenceRejected("upstream_level_low", "acr")
    return level


def _demand_fresh(claims: Mapping[str, Any], section: Section, now: datetime) -> None:
    """Core §3.1.2.1: where we asked how long ago they may have signed in, they must say."""
    if section.max_age is None and "auth_time" not in claims:
        return
    since = _moment(claims, "auth_time")
    if since is None or since > now.timestamp() + section.skew:
        raise EvidenceRejected("upstream_sign_in_old", "auth_time")
    if section.max_age is not None and since + section.max_age + section.skew < now.timestamp():
        raise EvidenceRejected("upstream_sign_in_old", "auth_time")


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """Seconds since 1970, None where it is no number; true is none."""
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < 1e12 else None  # noqa: PLR2004  31,000 years
