"""What a provider publishes, its addresses and its keys: fetched, judged, kept for a while."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from broker import jose
from broker.errors import EvidenceRejected, UpstreamUnavailable
from broker.outbound import Answer, Outbound
from broker.verifiers.upstream.section import ENDPOINTS, Section

METADATA_KEPT: Final = timedelta(hours=1)
KEYS_KEPT: Final = timedelta(minutes=15)
ROLLOVER: Final = timedelta(seconds=30)
"""How often a token with an unknown key may make us fetch the keys again."""
LIMIT: Final = 128 * 1024
KEYS: Final = 50
"""More keys than any provider has, and few enough to look at each."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A provider's own word (OpenID Connect Discovery 1.0 §3), as far as we use it."""

    addresses: Mapping[str, str]
    promises_issuer: bool

    def address(self, name: str) -> str:
        """Raises EvidenceRejected where the provider has no such address."""
        if name not in self.addresses:
            raise EvidenceRejected("upstream_not_as_agreed", f"no {name}")
        return self.addresses[name]


@dataclass(slots=True)
class Providers:
    """What we know of providers, as configured at this moment.

    Threads may share it: every entry is replaced whole.
    """

    outbound: Outbound = field(repr=False)
    metadata: dict[str, tuple[datetime, Metadata]] = field(default_factory=dict)
    keys: dict[str, tuple[datetime, Mapping[str, Any]]] = field(default_factory=dict)

    def metadata_of(self, section: Section, now: datetime) -> Metadata:
        """Raises EvidenceRejected: upstream_silent, upstream_not_as_agreed."""
        name = section.model_dump_json()
        kept = self.metadata.get(name)
        if kept is None or abs(now - kept[0]) >= METADATA_KEPT:
            kept = now, self._discovered(section)
            self.metadata[name] = kept
        return kept[1]

    def verified(
        self, section: Section, token: str, now: datetime, typ: tuple[str, ...]
    ) -> jose.SignedClaims:
        """What the provider signed, with a key that it publishes now.

        A key that we do not know makes us look once more: they may just have changed it. Raises
        EvidenceRejected: upstream_untrusted, or as `metadata_of`.
        """
        address = self.metadata_of(section, now).address("jwks_uri")
        try:
            try:
                return self._verified(section, token, self._keys(address, now, KEYS_KEPT), typ)
            except jose.KeyNotFound:
                return self._verified(section, token, self._keys(address, now, ROLLOVER), typ)
        except jose.SignatureRejected as error:
            raise EvidenceRejected("upstream_untrusted", str(error)) from None

    def _verified(
        self, section: Section, token: str, keys: Mapping[str, Any], typ: tuple[str, ...]
    ) -> jose.SignedClaims:
        made = jose.verify_with(token, keys, algorithms=section.algorithms, typ=None)
        told = made.header.get("typ", "JWT")
        if not isinstance(told, str) or told.lower().removeprefix("application/") not in typ:
            raise jose.SignatureRejected("another kind of token")
        return made

    def _discovered(self, section: Section) -> Metadata:
        address = f"{section.issuer.rstrip('/')}/.well-known/openid-configuration"
        told = document(asked(self.outbound, address))
        if told.get("issuer") != section.issuer:
            raise EvidenceRejected("upstream_not_as_agreed", "the metadata names another issuer")
        found = {name: told[name] for name in ENDPOINTS if isinstance(told.get(name), str)}
        addresses = found | section.published()
        if not all(_is_secure(url, local=self.outbound.local) for url in addresses.values()):
            raise EvidenceRejected("upstream_not_as_agreed", "an address that is not https")
        promised = told.get("authorization_response_iss_parameter_supported") is True
        return Metadata(addresses, promised)

    def _keys(self, address: str, now: datetime, kept_for: timedelta) -> Mapping[str, Any]:
        kept = self.keys.get(address)
        if kept is None or abs(now - kept[0]) >= kept_for:
            found = document(asked(self.outbound, address))
            if not isinstance(found.get("keys"), list) or len(found["keys"]) > KEYS:
                raise EvidenceRejected("upstream_not_as_agreed", "no JWK Set")
            kept = now, found
            self.keys[address] = kept
        return kept[1]


def asked(outbound: Outbound, url: str, **sent: Any) -> Answer:
    """What they answer. Raises EvidenceRejected: upstream_silent, upstream_not_as_agreed."""
    try:
        return outbound.fetch(url, limit=LIMIT, **sent)
    except UpstreamUnavailable as error:
        silent = error.code == "upstream_unavailable"
        code = "upstream_silent" if silent else "upstream_not_as_agreed"
        raise EvidenceRejected(code, error.hint) from None


def document(answer: Answer, *, status: int = 200) -> dict[str, Any]:
    """The JSON object of an answer. Raises EvidenceRejected upstream_not_as_agreed."""
    media = answer.media_type
    is_json = media.endswith(("/json", "+json"))
    if answer.status != status or not is_json:
        raise EvidenceRejected("upstream_not_as_agreed", f"status {answer.status}, {media[:80]}")
    try:
        return jose.json_object(answer.body)
    except jose.SignatureRejected:
        raise EvidenceRejected("upstream_not_as_agreed", "no JSON object") from None


def _is_secure(url: str, *, local: bool) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    here = local and parts.hostname in {"localhost", "127.0.0.1"}
    return bool(parts.hostname) and parts.scheme in ({"http", "https"} if here else {"https"})
