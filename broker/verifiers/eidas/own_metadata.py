"""What we publish of ourselves to one scheme: signed SAML metadata (eIDAS Interoperability §6)."""

import base64
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from broker.identity.scheme import Scheme
from broker.verifiers.eidas.assertion import TRANSIENT
from broker.verifiers.eidas.credentials import Credential, Credentials
from broker.verifiers.eidas.moments import written
from broker.verifiers.eidas.node import BINDINGS
from broker.verifiers.eidas.request import UNSPECIFIED, URI, friendly, requested
from broker.verifiers.eidas.section import Section
from broker.verifiers.eidas.signing import signed
from broker.verifiers.eidas.xml import DS, MD, MDATTR, SAML, SAMLP, XENC, XENC11, Element, tag

GOOD_FOR: Final = timedelta(days=2)
"""How long the document may be kept: a key of ours that was stolen must be forgotten soon."""

MEDIA_TYPE: Final = "application/samlmetadata+xml"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_OPENS: Final = (f"{XENC11}aes256-gcm", f"{XENC11}aes128-gcm", f"{XENC}rsa-oaep-mgf1p")
_ATTRIBUTES: Final = {
    "http://eidas.europa.eu/entity-attributes/protocol-version": ("1.4", "1.3", "1.2"),
    "http://eidas.europa.eu/entity-attributes/application-identifier": ("Miftah",),
}


def metadata(
    scheme: Scheme, section: Section, ours: tuple[str, str], keys: Credentials, now: datetime
) -> bytes:
    """The document, signed. `ours` are our entityID and our AssertionConsumerService."""
    entity_id, acs = ours
    root = etree.Element(
        tag(MD, "EntityDescriptor"),
        nsmap={"md": MD, "saml2": SAML, "ds": DS},
        attrib={
            "ID": f"_{base64.b32encode(entity_id.encode()).decode('ascii').rstrip('=').lower()}",
            "entityID": entity_id,
            "validUntil": written(now + GOOD_FOR),
        },
    )
    if section.profile == "eidas":
        _entity_attributes(root)
    role = etree.SubElement(
        root,
        tag(MD, "SPSSODescriptor"),
        AuthnRequestsSigned="true",
        WantAssertionsSigned="false" if section.signed == "response" else "true",
        protocolSupportEnumeration=SAMLP,
    )
    for credential in (keys.signing, *([keys.following] if keys.following else [])):
        _key(role, "signing", credential)
    _methods(_key(role, "encryption", keys.opening[0]))
    name_id = UNSPECIFIED if section.profile == "eidas" else TRANSIENT
    etree.SubElement(role, tag(MD, "NameIDFormat")).text = name_id
    etree.SubElement(
        role,
        tag(MD, "AssertionConsumerService"),
        Binding=BINDINGS["post"],
        Location=acs,
        index="0",
        isDefault="true",
    )
    if section.attribute_index is not None:
        _attribute_service(role, scheme, section.attribute_index)
    _people(root, section, entity_id)
    return signed(root, keys.signing, pss=section.signs_with_pss)


def _entity_attributes(root: Element) -> None:
    extensions = etree.SubElement(root, tag(MD, "Extensions"))
    all_ = etree.SubElement(extensions, tag(MDATTR, "EntityAttributes"), nsmap={"mdattr": MDATTR})
    for name, values in _ATTRIBUTES.items():
        attribute = etree.SubElement(all_, tag(SAML, "Attribute"), Name=name, NameFormat=URI)
        for value in values:
            etree.SubElement(attribute, tag(SAML, "AttributeValue")).text = value


def _people(root: Element, section: Section, url: str) -> None:
    """Who we are and whom to write to, as far as the scheme's file says."""
    if section.organization:
        organization = etree.SubElement(root, tag(MD, "Organization"))
        parts = {"Name": section.organization, "DisplayName": section.organization, "URL": url}
        for name, said in parts.items():
            part = etree.SubElement(organization, tag(MD, f"Organization{name}"))
            part.set(_LANG, "en")
            part.text = said
    if section.contact:
        for kind in ("technical", "support"):
            person = etree.SubElement(root, tag(MD, "ContactPerson"), contactType=kind)
            etree.SubElement(person, tag(MD, "EmailAddress")).text = f"mailto:{section.contact}"


def _key(role: Element, use: str, credential: Credential) -> Element:
    descriptor = etree.SubElement(role, tag(MD, "KeyDescriptor"), use=use)
    info = etree.SubElement(descriptor, tag(DS, "KeyInfo"))
    data = etree.SubElement(info, tag(DS, "X509Data"))
    der = credential.certificate.public_bytes(Encoding.DER)
    etree.SubElement(data, tag(DS, "X509Certificate")).text = base64.b64encode(der).decode("ascii")
    return descriptor


def _methods(descriptor: Element) -> None:
    for algorithm in _OPENS:
        etree.SubElement(descriptor, tag(MD, "EncryptionMethod"), Algorithm=algorithm)


def _attribute_service(role: Element, scheme: Scheme, index: int) -> None:
    service = etree.SubElement(role, tag(MD, "AttributeConsumingService"), index=str(index))
    name = etree.SubElement(service, tag(MD, "ServiceName"))
    name.set(_LANG, "en")
    name.text = "Miftah"
    for attribute, must in requested(scheme):
        etree.SubElement(
            service,
            tag(MD, "RequestedAttribute"),
            Name=attribute,
            FriendlyName=friendly(attribute),
            isRequired="true" if must else "false",
        )
