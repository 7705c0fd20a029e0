"""How an answer travels back to the service: in its query, in a form, signed or not.

OAuth 2.0 Form Post Response Mode; JWT Secured Authorization Response Mode (JARM).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote_plus, urlsplit, urlunsplit

from broker import jose
from broker.oidc.client_metadata import ClientMetadata
from broker.oidc.grant import seconds
from broker.web.tools import Tools

MODES = ("query", "form_post", "jwt", "query.jwt", "form_post.jwt")
"""Every mode; `jwt` alone means the query (JARM §2.3.4). No token travels in a fragment."""

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")  # RFC 3986 §2.3
_BARE = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._~/-]*")
"""An address to which a query need only be appended."""

SIGNED_LIFETIME = timedelta(minutes=5)
"""How long a signed answer may be believed; JARM §2.1 recommends at most 10 minutes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a client: its proved address, the mode, and what it says."""

    redirect_uri: str
    mode: str
    client_id: str
    alg: str
    said: Mapping[str, str] = field(repr=False)

    @property
    def by_form(self) -> bool:
        """Whether the browser posts it."""
        return self.mode.startswith("form_post")

    @property
    def origin(self) -> str:
        """Scheme, host and port that it goes to."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


def default_mode(metadata: ClientMetadata) -> str:
    """The mode of a request that names none, and of one that names it wrongly."""
    return "jwt" if signs_always(metadata) else "query"


def signs_always(metadata: ClientMetadata) -> bool:
    """Whether this client accepts signed answers only (FAPI 2.0 Message Signing §5.4.1)."""
    return metadata.profile == "fapi2" and metadata.authorization_signed_response_alg is not None


def allowed_modes(metadata: ClientMetadata) -> tuple[str, ...]:
    """The modes that this client may ask for."""
    return tuple(m for m in MODES if "jwt" in m) if signs_always(metadata) else MODES


def signing_alg(metadata: ClientMetadata) -> str:
    """What signs this client's answers: what it registered, else the usual (JARM §3)."""
    return metadata.authorization_signed_response_alg or metadata.usual_alg


def packed(reply: Reply, tools: Tools, now: datetime) -> Mapping[str, str]:
    """The parameters as they travel: as they are, or as one JWT in `response`."""
    if "jwt" not in reply.mode:
        return reply.said
    claims = {
        "iss": tools.settings.issuer,
        "aud": reply.client_id,
        "exp": seconds(now + SIGNED_LIFETIME),
        "iat": seconds(now),
    }
    return {"response": jose.sign({**reply.said, **claims}, tools.keyring, reply.alg, now)}


def query_url(redirect_uri: str, said: Mapping[str, str]) -> str:
    """The redirect URI with the answer added to the query it was registered with.

    RFC 6749 §4.1.2.
    """
    added = "&".join(f"{name}={_escaped(value)}" for name, value in said.items())
    if _BARE.fullmatch(redirect_uri):
        return f"{redirect_uri}?{added}"
    parts = urlsplit(redirect_uri)
    query = "&".join(filter(None, (parts.query, added)))
    return urlunsplit(parts._replace(query=query))


def _escaped(value: str) -> str:
    # Most of what is said needs no escaping, and finding that out costs a tenth of doing it.
    return value if _UNRESERVED.fullmatch(value) else quote_plus(value)
