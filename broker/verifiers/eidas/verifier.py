"""The verifier of persons for whom a SAML identity provider vouches, an eIDAS node above all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from broker.identity.evidence import Evidence
from broker.identity.scheme import Scheme
from broker.identity.verifier import (
    Attempt,
    Document,
    Message,
    Opening,
    Reply,
    SchemeVerifier,
)
from broker.verifiers.eidas.promise import MESSAGE_LIMIT, PROVED
from broker.verifiers.eidas.refusals import REFUSALS
from broker.verifiers.eidas.section import section_of

if TYPE_CHECKING:
    from broker.verifiers.eidas.exchange import Exchange


@dataclass(frozen=True, slots=True)
class EidasVerifier(SchemeVerifier):
    """One door to every scheme that speaks SAML 2.0."""

    kind: ClassVar[str] = "eidas"
    protocol: ClassVar[str] = "saml"
    establishes: ClassVar[frozenset[str]] = frozenset(check.property for check in PROVED)
    handle_param: ClassVar[str] = "RelayState"
    size_limit: ClassVar[int] = 2 * MESSAGE_LIMIT
    title: ClassVar[str] = "An identity of a European country"
    summary: ClassVar[str] = "You need the electronic identity with which you sign in there."
    refusals: ClassVar[Mapping[str, Message]] = REFUSALS

    @staticmethod
    def judge(scheme: Scheme) -> None:
        """Raises SchemeRejected where the scheme's section is not one of ours."""
        section_of(scheme)

    def open(self, attempt: Attempt) -> Opening:
        """The way to the node, with a signed question.

        Raises EvidenceRejected where the node cannot be asked: eidas_scheme_gone,
        eidas_node_unknown.
        """
        return self._exchange().open(attempt)

    def close(self, attempt: Attempt, reply: Reply) -> Evidence:
        """Evidence of what the node asserted, at its level and no other.

        Raises EvidenceRejected with a code of `refusals`.
        """
        return self._exchange().close(attempt, reply)

    def publish(self, name: str, now: datetime) -> Document | None:
        """Our metadata for the scheme called `name` without .xml, None where there is none."""
        return self._exchange().publish(name, now)

    def fetch(self, now: datetime) -> Iterator[tuple[str, str]]:
        """Get the metadata of every scheme that names an address: scheme, and what came of it.

        What cannot be got or believed changes nothing.
        """
        return self._exchange().fetch(now)

    def _exchange(self) -> "Exchange":
        # Its libraries of XML take a twentieth of the start, which most brokers never need.
        from broker.verifiers.eidas.exchange import Exchange  # noqa: PLC0415

        return Exchange(self)
