"""Sending the person off: the authorization request, pushed, signed or plain."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from broker import entropy, jose
from broker.errors import EvidenceRejected
from broker.identity.scheme import Scheme
from broker.identity.verifier import Attempt, Surroundings
from broker.verifiers.upstream.client import Client
from broker.verifiers.upstream.provider import Metadata, document
from broker.verifiers.upstream.section import INSIDE, Least, Section

OBJECT_LIFETIME: Final = 300
"""Seconds that a request object is good for: it is fetched at once or never."""

CREATED: Final = 201
LONGEST_LOCATION: Final = 8000


@dataclass(frozen=True, slots=True)
class Ours:
    """What makes this attempt ours alone: remembered, and asked for when they answer."""

    nonce: str
    code_verifier: str
    scheme: str
    least: str

    def remember(self) -> dict[str, str]:
        """As `Opening.remember`."""
        return {
            "nonce": self.nonce,
            "code_verifier": self.code_verifier,
            "scheme": self.scheme,
            "least": self.least,
        }


def drawn(attempt: Attempt, around: Surroundings) -> Ours:
    """A new nonce and code verifier (RFC 7636 §4.1)."""
    nonce, verifier = entropy.token(around.random), entropy.token(around.random)
    return Ours(nonce, verifier, attempt.scheme, attempt.least)


def location(  # noqa: PLR0913  who asks whom, for what, and how they talk
    attempt: Attempt,
    ours: Ours,
    scheme: Scheme,
    section: Section,
    metadata: Metadata,
    client: Client,
) -> str:
    """Where the browser must go. Raises EvidenceRejected where the provider takes no request."""
    asked = parameters(attempt, ours, scheme, section, client.redirect_uri(scheme.id))
    if section.request_object:
        asked = _signed(asked, section, client, attempt.now)
    if section.pushed:
        asked = _pushed(asked, section, metadata, client, attempt.now)
    address = metadata.address("authorization_endpoint")
    url = f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
    if len(url) > LONGEST_LOCATION:
        raise EvidenceRejected("upstream_not_as_agreed", "a request too long for a browser")
    return url


def parameters(
    attempt: Attempt, ours: Ours, scheme: Scheme, section: Section, redirect_uri: str
) -> dict[str, str]:
    """The authorization request (Core §3.1.2.1): the least level that will do, and no more."""
    levels = [row for row in scheme.of(attempt.country) if row in scheme.at_least(ours.least)]
    if not levels:
        raise EvidenceRejected("upstream_level_unreachable")
    digest = hashlib.sha256(ours.code_verifier.encode("ascii")).digest()
    asked = {
        "response_type": "code",
        "client_id": section.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(section.scopes),
        "state": attempt.handle,
        "nonce": ours.nonce,
        "acr_values": levels[0].says,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        "code_challenge_method": "S256",
        "ui_locales": attempt.locale,
    }
    if section.max_age is not None:
        asked["max_age"] = str(section.max_age)
    if section.claims_parameter:
        asked["claims"] = json.dumps(_claims(scheme, section), separators=(",", ":"))
    return {**section.parameters, **asked}


def _claims(scheme: Scheme, section: Section) -> dict[str, Any]:
    place = "id_token" if section.userinfo is Least.NONE else "userinfo"
    essential = {scheme.claims[name].split(INSIDE)[0] for name in scheme.required}
    names = (path.split(INSIDE)[0] for path in (*scheme.claims.values(), scheme.identifier))
    return {
        place: {
            theirs: {"essential": True} if theirs in essential else None
            for theirs in dict.fromkeys(names)
            if theirs != "sub"
        }
    }


def _signed(
    asked: Mapping[str, str], section: Section, client: Client, now: datetime
) -> dict[str, str]:
    """A request object (RFC 9101), and outside of it what Core §6.1 wants there."""
    moment = int(now.timestamp())
    claims: dict[str, Any] = dict(asked) | {
        "iss": section.client_id,
        "aud": section.issuer,
        "iat": moment,
        "nbf": moment,
        "exp": moment + OBJECT_LIFETIME,
        "jti": client.fresh(),
    }
    if "claims" in asked:
        claims["claims"] = json.loads(asked["claims"])
    keys = client.around.keys()
    signed = jose.sign(claims, keys, section.signing_alg, now, "oauth-authz-req+jwt")
    outside = {name: asked[name] for name in ("client_id", "response_type", "scope")}
    return outside | {"request": signed}


def _pushed(
    asked: Mapping[str, str],
    section: Section,
    metadata: Metadata,
    client: Client,
    now: datetime,
) -> dict[str, str]:
    """The name of a request that they keep (RFC 9126)."""
    address = metadata.address("pushed_authorization_request_endpoint")
    told = document(client.post(address, asked, section, now), status=CREATED)
    name = told.get("request_uri")
    if not isinstance(name, str) or not 0 < len(name) <= 512:  # noqa: PLR2004  for an address
        raise EvidenceRejected("upstream_not_as_agreed", "no request_uri")
    return {"client_id": section.client_id, "request_uri": name}
