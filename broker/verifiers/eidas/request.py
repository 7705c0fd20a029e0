"""What we ask of a node: a signed AuthnRequest (SAML Core §3.4, eIDAS Message Format v1.4 §2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from broker.identity.scheme import Scheme
from broker.verifiers.eidas.assertion import TRANSIENT
from broker.verifiers.eidas.moments import written
from broker.verifiers.eidas.node import BINDINGS, Node
from broker.verifiers.eidas.response import ENTITY
from broker.verifiers.eidas.section import Section
from broker.verifiers.eidas.xml import EIDAS, SAML, SAMLP, Element, tag

URI: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_SPACES: Final = {"saml2p": SAMLP, "saml2": SAML}

FRIENDLY: Final[Mapping[str, str]] = {
    "CurrentFamilyName": "FamilyName",
    "CurrentGivenName": "FirstName",
}
"""Where eIDAS calls an attribute otherwise than its address ends."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: its ID, the moment, who we are to this node, and the levels that will do."""

    identifier: str
    at: datetime
    entity_id: str
    acs: str
    levels: tuple[str, ...]


def authn_request(scheme: Scheme, section: Section, node: Node, asking: Asking) -> Element:
    """The request, not yet signed.

    The level is asked for with the least that will do (Comparison="minimum"), or every level by
    name ("exact"). SPType stands here and never in our metadata: one of both places (§2.1).
    """
    root = etree.Element(
        tag(SAMLP, "AuthnRequest"),
        nsmap=_SPACES,
        attrib={
            "ID": asking.identifier,
            "Version": "2.0",
            "IssueInstant": written(asking.at),
            "Destination": node.sso,
            "ForceAuthn": "true" if section.fresh else "false",
        },
    )
    if section.profile == "eidas":
        root.set("IsPassive", "false")
    _place_of_return(root, section, asking)
    issuer = etree.SubElement(root, tag(SAML, "Issuer"), Format=ENTITY)
    issuer.text = asking.entity_id
    if section.profile == "eidas":
        _extensions(root, scheme, section)
    else:
        issuer.set("NameQualifier", asking.entity_id)
    policy = etree.SubElement(root, tag(SAMLP, "NameIDPolicy"))
    policy.set("Format", UNSPECIFIED if section.profile == "eidas" else TRANSIENT)
    _levels(root, section, asking.levels)
    return root


def requested(scheme: Scheme) -> Iterable[tuple[str, bool]]:
    """The attributes that are asked for, each with whether nothing will do without it."""
    yield scheme.identifier, True
    for name, attribute in scheme.claims.items():
        if attribute != scheme.identifier:
            yield attribute, name in scheme.required


def friendly(attribute: str) -> str:
    """The FriendlyName of an attribute."""
    last = attribute.rsplit("/", 1)[-1]
    return FRIENDLY.get(last, last)


def _place_of_return(root: Element, section: Section, asking: Asking) -> None:
    """Nodes of eIDAS read it from our metadata alone; others may want to hear it."""
    if section.profile == "eidas":
        return
    root.set("ProtocolBinding", BINDINGS["post"])
    root.set("AssertionConsumerServiceURL", asking.acs)
    if section.attribute_index is not None:
        root.set("AttributeConsumingServiceIndex", str(section.attribute_index))


def _extensions(root: Element, scheme: Scheme, section: Section) -> None:
    extensions = etree.SubElement(root, tag(SAMLP, "Extensions"), nsmap={"eidas": EIDAS})
    if section.sp_type:
        etree.SubElement(extensions, tag(EIDAS, "SPType")).text = section.sp_type
    wanted = etree.SubElement(extensions, tag(EIDAS, "RequestedAttributes"))
    for attribute, must in requested(scheme):
        etree.SubElement(
            wanted,
            tag(EIDAS, "RequestedAttribute"),
            FriendlyName=friendly(attribute),
            Name=attribute,
            NameFormat=URI,
            isRequired="true" if must else "false",
        )


def _levels(root: Element, section: Section, levels: tuple[str, ...]) -> None:
    context = etree.SubElement(root, tag(SAMLP, "RequestedAuthnContext"))
    context.set("Comparison", section.comparison)
    for level in levels[:1] if section.comparison == "minimum" else levels:
        etree.SubElement(context, tag(SAML, "AuthnContextClassRef")).text = level
