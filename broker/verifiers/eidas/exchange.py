"""What goes to a SAML identity provider, and what is made of its answer."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from broker import entropy
from broker.errors import EvidenceRejected, UpstreamUnavailable
from broker.identity.evidence import Claim, Evidence, Once, Origin
from broker.identity.scheme import LevelRow, Scheme
from broker.identity.verifier import (
    Attempt,
    Document,
    Opening,
    Page,
    Redirect,
    Reply,
    SchemeVerifier,
)
from broker.keyring import KeysMissing
from broker.verifiers.eidas import assertion as rules
from broker.verifiers.eidas.attributes import attributes
from broker.verifiers.eidas.credentials import Credentials
from broker.verifiers.eidas.held import fetched, held_credentials, held_node
from broker.verifiers.eidas.moments import moment, written
from broker.verifiers.eidas.node import Node, NodeUnknown
from broker.verifiers.eidas.own_metadata import MEDIA_TYPE, metadata
from broker.verifiers.eidas.persons import Terms, holder
from broker.verifiers.eidas.promise import PROVED
from broker.verifiers.eidas.request import Asking, authn_request
from broker.verifiers.eidas.response import Question, assertion_in
from broker.verifiers.eidas.section import Section, section_of
from broker.verifiers.eidas.signing import signed, signed_query
from broker.verifiers.eidas.xml import Element, decoded

METADATA_SUFFIX: Final = ".xml"


@dataclass(frozen=True, slots=True)
class Exchange:
    """The way there and back, for all schemes behind one door."""

    door: SchemeVerifier

    def open(self, attempt: Attempt) -> Opening:
        """The way to the node, with a signed question.

        Raises EvidenceRejected where the node cannot be asked: eidas_scheme_gone,
        eidas_node_unknown.
        """
        scheme, section = self._scheme(attempt.scheme)
        node, keys = self._known(section, attempt.now)
        asking = self._asking(scheme, section, attempt)
        remember = {
            "scheme": scheme.id,
            "country": attempt.country,
            "least": attempt.least,
            "request": asking.identifier,
            "at": written(attempt.now),
        }
        return Opening(self._way(scheme, section, node, keys, asking, attempt), remember)

    def close(self, attempt: Attempt, reply: Reply) -> Evidence:
        """Evidence of what the node asserted, at its level and no other.

        Raises EvidenceRejected with a code of `refusals`.
        """
        sent = reply.fields.get("SAMLResponse", "")
        if not sent or "SAMLResponse" in reply.repeated:
            raise EvidenceRejected("eidas_no_answer")
        scheme, section = self._scheme(attempt.remembered.get("scheme", ""))
        question = self._question(scheme, section, attempt)
        assertion = assertion_in(decoded(sent), question)
        rules.demand_sound(assertion, question)
        return _evidence(scheme, section, assertion, attempt)

    def publish(self, name: str, now: datetime) -> Document | None:
        """Our metadata for the scheme called `name` without .xml, None where there is none."""
        scheme = self.door.schemes.get(name.removesuffix(METADATA_SUFFIX))
        if scheme is None or not name.endswith(METADATA_SUFFIX):
            return None
        section = section_of(scheme)
        try:
            keys = self._credentials(section)
        except KeysMissing:
            return None
        body = metadata(scheme, section, self._ours(scheme, section), keys, now)
        return Document(body, MEDIA_TYPE)

    def fetch(self, now: datetime) -> Iterator[tuple[str, str]]:
        """Get the metadata of every scheme that names an address: scheme, and what came of it.

        What cannot be got or believed changes nothing.
        """
        for scheme in self.door.schemes.values():
            section = section_of(scheme)
            if section.metadata_url is None:
                continue
            try:
                node = fetched(
                    section, self.door.around.scheme_files, self.door.around.outbound, now
                )
            except (NodeUnknown, UpstreamUnavailable) as error:
                yield scheme.id, f"kept as it was: {error}"
            else:
                yield scheme.id, f"good until {node.valid_until}"

    def _scheme(self, name: str) -> tuple[Scheme, Section]:
        scheme = self.door.schemes.get(name)
        if scheme is None:
            raise EvidenceRejected("eidas_scheme_gone")
        return scheme, section_of(scheme)

    def _known(self, section: Section, now: datetime) -> tuple[Node, Credentials]:
        """The node, and our keys for it. Raises EvidenceRejected where either is missing."""
        try:
            node = held_node(section, self.door.around.scheme_files, now)
            return node, self._credentials(section)
        except (NodeUnknown, KeysMissing) as error:
            raise EvidenceRejected("eidas_node_unknown", str(error)) from None

    def _ours(self, scheme: Scheme, section: Section) -> tuple[str, str]:
        """Our entityID and AssertionConsumerService: a pair for each scheme.

        Each node knows another audience, so what one says can never be told to another.
        """
        acs = section.our_acs or f"{self.door.around.issuer}/foreign/{self.door.kind}/{scheme.id}"
        return section.our_entity_id or f"{acs}{METADATA_SUFFIX}", acs

    def _credentials(self, section: Section) -> Credentials:
        return held_credentials(section, self.door.around.key_files, self.door.around.unlock)

    def _asking(self, scheme: Scheme, section: Section, attempt: Attempt) -> Asking:
        entity_id, acs = self._ours(scheme, section)
        identifier = f"_{entropy.token(self.door.around.random)}"
        levels = tuple(row.says for row in scheme.at_least(attempt.least))
        return Asking(identifier, attempt.now, entity_id, acs, levels)

    def _way(  # noqa: PLR0913  who asks whom for what, by which road
        self,
        scheme: Scheme,
        section: Section,
        node: Node,
        keys: Credentials,
        asking: Asking,
        attempt: Attempt,
    ) -> Page | Redirect:
        request = authn_request(scheme, section, node, asking)
        if section.binding == "redirect":
            query = signed_query(request, attempt.handle, keys.signing, pss=section.signs_with_pss)
            return Redirect(f"{node.sso}{'&' if urlsplit(node.sso).query else '?'}{query}")
        document = signed(request, keys.signing, pss=section.signs_with_pss)
        sent = {
            "scheme": getattr(scheme.name, attempt.locale),
            "sso": node.sso,
            "saml_request": base64.b64encode(document).decode("ascii"),
        }
        return Page("eidas/leave.html", sent, form_target=_origin(node.sso))

    def _question(self, scheme: Scheme, section: Section, attempt: Attempt) -> Question:
        """What was asked. Raises EvidenceRejected where nobody could say whether this answers."""
        node, keys = self._known(section, attempt.now)
        entity_id, acs = self._ours(scheme, section)
        return Question(
            node=node.entity_id,
            certificates=node.certificates,
            entity_id=entity_id,
            acs=acs,
            request=attempt.remembered["request"],
            asked_at=moment(attempt.remembered["at"]),
            now=attempt.now,
            skew=timedelta(seconds=section.skew),
            signed=section.signed,
            encrypted=section.encrypted,
            fresh=section.fresh,
            strict_names=section.strict_names,
            keys=tuple(credential.key for credential in keys.opening),
        )


def _evidence(scheme: Scheme, section: Section, assertion: Element, attempt: Attempt) -> Evidence:
    remembered = attempt.remembered
    found = attributes(assertion, scripts=section.profile == "eidas")
    terms = Terms(scheme, section, remembered["country"], attempt.now.date())
    person = holder(found, terms)
    row = _level(scheme, rules.level(assertion), person.country, remembered["least"])
    vouching = (
        Claim("issuing_authority", scheme.name.en, "Issuer"),
        Claim("issuing_state", person.country, "PersonIdentifier"),
    )
    return Evidence(
        kind=row.evidence,
        claims=(*person.claims, *vouching),
        checks=PROVED,
        at=attempt.now,
        origin=Origin(scheme.id, scheme.framework, row.told or row.says, person.identifier),
        once=Once(f"{section.entity_id} {rules.identifier(assertion)}", REMEMBERED),
    )


REMEMBERED: Final = timedelta(days=1)
"""How long an assertion's ID is remembered: far longer than one may wait to be used."""


def _level(scheme: Scheme, says: str, country: str, least: str) -> LevelRow:
    """The level that was asserted: known to the letter, reached by this country, and enough.

    Raises EvidenceRejected: eidas_level_unknown, eidas_level_too_low.
    """
    row = scheme.level(says)
    if row is None or row not in scheme.of(country):
        raise EvidenceRejected("eidas_level_unknown")
    if row not in scheme.at_least(least):
        raise EvidenceRejected("eidas_level_too_low")
    return row


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
