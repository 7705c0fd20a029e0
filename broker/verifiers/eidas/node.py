"""The other side, as its metadata describe it (SAML Metadata, eIDAS Interoperability §6)."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from broker.errors import EvidenceRejected
from broker.verifiers.eidas.moments import moment
from broker.verifiers.eidas.section import Section
from broker.verifiers.eidas.signature import verify
from broker.verifiers.eidas.xml import DS, EIDAS, MD, SAMLP, Element, demanded, parsed, tag, text

METADATA_LIMIT: Final = 8 * 1024 * 1024
"""Bytes: the signed list of a whole network."""

BINDINGS: Final[Mapping[str, str]] = {
    "post": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
    "redirect": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
}


class NodeUnknown(Exception):
    """The other side's metadata is missing, out of date, or not what it must be: see the text."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node whose word counts: the keys it signs with, and where people are sent.

    `valid_until` is None where its metadata say nothing, as a node's of eIDAS may not.
    """

    entity_id: str
    sso: str
    certificates: tuple[x509.Certificate, ...]
    valid_until: datetime | None = None


def configured(section: Section) -> Node:
    """The node that the scheme's file describes without metadata. Raises NodeUnknown."""
    keys = tuple(_certificate(pem) for pem in section.certificates)
    return Node(section.entity_id, section.sso or "", keys)


def read(document: bytes, section: Section) -> Node:
    """The node named in the section, from its metadata or a list of many nodes'.

    The signature is looked at first; until when it is good is for `demand_current` to judge.
    Raises NodeUnknown, with words for the operator.
    """
    try:
        root = parsed(document, METADATA_LIMIT, deepest=64, most=400_000)
        if section.metadata_signers:
            signers = [_certificate(pem) for pem in section.metadata_signers]
            root = verify(root, signers).element
        entry = _entry(root, section.entity_id)
        return _node(entry, section, _valid_until(entry, section))
    except EvidenceRejected as refusal:
        raise NodeUnknown(f"{refusal.code} {refusal.hint}".strip()) from None


def demand_current(node: Node, now: datetime) -> Node:
    """The node again. Raises NodeUnknown where its metadata is out of date."""
    if node.valid_until is not None and node.valid_until <= now:
        raise NodeUnknown("its metadata is out of date")
    return node


def _entry(root: Element, entity_id: str) -> Element:
    found = [e for e in root.iter(tag(MD, "EntityDescriptor")) if e.get("entityID") == entity_id]
    if len(found) != 1:
        raise NodeUnknown(f"{len(found)} entries of this entityID")
    return found[0]


def _valid_until(entry: Element, section: Section) -> datetime | None:
    """The earliest end of the entry, its role and all lists round it (SAML Metadata §4.3)."""
    round_it = [entry, *entry.iterancestors(), *entry.findall(tag(MD, "IDPSSODescriptor"))]
    ends = [moment(e.get("validUntil")) for e in round_it if e.get("validUntil") is not None]
    if not ends and section.metadata_signers and section.profile == "eidas":
        # eIDAS Interoperability §6.1 demands it; providers of plain SAML often leave it out.
        raise NodeUnknown("signed metadata without validUntil would be good for ever")
    return min(ends, default=None)


def _node(entry: Element, section: Section, until: datetime | None) -> Node:
    role = demanded(entry, MD, "IDPSSODescriptor")
    if SAMLP not in (role.get("protocolSupportEnumeration") or "").split():
        raise NodeUnknown("it does not speak SAML 2.0")
    keys = tuple(
        _der(text(certificate))
        for descriptor in role.findall(tag(MD, "KeyDescriptor"))
        if descriptor.get("use") in {None, "signing"}
        for certificate in descriptor.iter(tag(DS, "X509Certificate"))
    )
    ways = {
        e.get("Binding"): e.get("Location") for e in role.findall(tag(MD, "SingleSignOnService"))
    }
    sso = ways.get(BINDINGS[section.binding])
    if not keys or not sso or not sso.startswith(("https://", "http://")):
        raise NodeUnknown("no signing key, or no address for this binding")
    _demand_country(entry, section)
    return Node(section.entity_id, sso, keys, until)


def _demand_country(entry: Element, section: Section) -> None:
    """NodeCountry, where it is said, is of a node that makes identifiers for others than us."""
    said = {text(e).strip() for e in entry.iter(tag(EIDAS, "NodeCountry"))}
    if section.profile == "eidas" and section.node_country in said:
        raise NodeUnknown("it says that it is a node of our own country")


def _der(body: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode("".join(body.split())))
    except ValueError:
        raise NodeUnknown("a certificate that cannot be read") from None


def _certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode("ascii", "replace"))
    except ValueError:
        raise NodeUnknown("a certificate that cannot be read") from None
