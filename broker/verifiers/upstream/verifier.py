"""The verifier of people whom a foreign OpenID Provider vouches for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from broker import jose
from broker.errors import EvidenceRejected
from broker.identity.evidence import Check, Claim, Evidence, Origin, Outcome
from broker.identity.scheme import Scheme, settle
from broker.identity.verifier import (
    Attempt,
    Document,
    Message,
    Opening,
    Redirect,
    Reply,
    SchemeVerifier,
)
from broker.verifiers.upstream import answer, person, request
from broker.verifiers.upstream.client import Client
from broker.verifiers.upstream.provider import Providers
from broker.verifiers.upstream.refusals import REFUSALS
from broker.verifiers.upstream.section import PROTOCOL, Section

PASSED = ("issuer_signature", "meant_for_us", "level_asserted")


@dataclass(frozen=True, slots=True)
class UpstreamVerifier(SchemeVerifier):
    """A relying party to every OpenID Provider that has a scheme's file."""

    providers: Providers = field(init=False, repr=False)

    protocol: ClassVar[str] = PROTOCOL
    kind: ClassVar[str] = "upstream"
    establishes: ClassVar[frozenset[str]] = frozenset(PASSED)
    handle_param: ClassVar[str] = "state"
    size_limit: ClassVar[int] = 16 * 1024
    title: ClassVar[str] = "An electronic identity of another country"
    summary: ClassVar[str] = "You need an electronic identity that its country has issued to you."
    refusals: ClassVar[Mapping[str, Message]] = REFUSALS

    def __post_init__(self) -> None:
        """Begin with no provider known."""
        object.__setattr__(self, "providers", Providers(self.around.outbound))

    @staticmethod
    def judge(scheme: Scheme) -> None:
        """Raises SchemeRejected where the `[oidc]` section is not one that we can work with."""
        settle(Section, scheme)

    def open(self, attempt: Attempt) -> Opening:
        """Off to the chosen scheme's provider. Raises EvidenceRejected where it does not answer."""
        scheme, section = self._chosen(attempt.scheme)
        metadata = self.providers.metadata_of(section, attempt.now)
        ours = request.drawn(attempt, self.around)
        client = Client(self.around)
        url = request.location(attempt, ours, scheme, section, metadata, client)
        return Opening(Redirect(url), ours.remember())

    def close(self, attempt: Attempt, reply: Reply) -> Evidence:
        """Evidence that the provider vouches for, at the level that it asserts.

        Raises EvidenceRejected with a code of `refusals`.
        """
        ours = _ours(attempt.remembered)
        scheme, section = self._chosen(ours.scheme)
        client, now = Client(self.around), attempt.now
        metadata = self.providers.metadata_of(section, now)
        code = answer.code(reply, attempt, section, metadata)
        tokens = answer.redeem(code, ours, scheme, section, self.providers, client, now)
        said = person.told(tokens, section, self.providers, client, now)
        return Evidence(
            kind=tokens.level.evidence,
            claims=(*person.claims(said, scheme, now.date()), *_source(scheme)),
            checks=tuple(Check("vcrypt", name, Outcome.PASSED) for name in PASSED),
            at=now,
            origin=Origin(
                scheme.id,
                scheme.framework,
                tokens.level.told or tokens.level.says,
                person.holder(said, tokens, scheme),
            ),
        )

    def publish(self, name: str, now: datetime) -> Document | None:  # noqa: ARG002  see Publishes
        """`jwks.json`: what providers verify our signatures with, and encrypt to us with."""
        if name != "jwks.json":
            return None
        keys: list[Any] = [*jose.jwks(self.around.keys())["keys"]]
        names = {
            file
            for scheme in self.schemes.values()
            for file in settle(Section, scheme).decryption_key_files
        }
        keys += jose.published(Client(self.around).decryption_keys(sorted(names)))
        return Document(json.dumps({"keys": keys}).encode(), "application/jwk-set+json")

    def _chosen(self, name: str) -> tuple[Scheme, Section]:
        scheme = self.schemes.get(name)
        if scheme is None:
            raise EvidenceRejected("upstream_scheme_gone", name[:40])
        return scheme, settle(Section, scheme)


def _ours(remembered: Mapping[str, str]) -> request.Ours:
    try:
        return request.Ours(**remembered)
    except TypeError:
        raise EvidenceRejected("upstream_unasked", "nothing was remembered") from None


def _source(scheme: Scheme) -> tuple[Claim, ...]:
    """Who vouches: for the person to see, and for services to be told."""
    country = scheme.countries[0] if len(scheme.countries) == 1 else ""
    found = (
        Claim("issuing_authority", scheme.name.en, "iss"),
        Claim("issuing_state", country, "iss"),
    )
    return tuple(claim for claim in found if claim.value)
