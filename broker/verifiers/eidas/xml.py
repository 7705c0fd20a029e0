"""XML from strangers, parsed so that there is only one way to read it (XML 1.0, SAML Core §5).

Two programs that read one document differently are how signatures are wrapped: so whatever could
be read twice (document types, comments, processing instructions, entities, inclusion, one ID on
two elements) is refused before anything is looked at.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from broker.errors import EvidenceRejected
from broker.verifiers.eidas.promise import MESSAGE_LIMIT

Element = Any
"""An lxml element: the library has no types of its own."""

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
MD: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
MDATTR: Final = "urn:oasis:names:tc:SAML:metadata:attribute"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
DSIG11: Final = "http://www.w3.org/2009/xmldsig11#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
EIDAS: Final = "http://eidas.europa.eu/saml-extensions"
NATURAL: Final = "http://eidas.europa.eu/attributes/naturalperson"
LEGAL: Final = "http://eidas.europa.eu/attributes/legalperson"

DEEPEST: Final = 24
MOST: Final = 4_000
"""Elements within one another, and all together: a real response has some 12 and 150."""

_INCLUDING: Final = frozenset(
    {"http://www.w3.org/2001/XInclude", "http://www.w3.org/2003/XInclude"}
)
_FETCHING: Final = frozenset({f"{{{XENC}}}CipherReference", f"{{{DS}}}RetrievalMethod"})
_IDS: Final = frozenset({"ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id"})
_DECLARED: Final = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


def tag(namespace: str, name: str) -> str:
    """The name as lxml writes it."""
    return f"{{{namespace}}}{name}"


def decoded(text: str, limit: int = MESSAGE_LIMIT) -> bytes:
    """The bytes of a form field in base64; folded lines are allowed (SAML Bindings §3.5.4).

    Raises EvidenceRejected: eidas_too_large, eidas_malformed.
    """
    if len(text) > limit * 3 // 2:
        raise EvidenceRejected("eidas_too_large")
    try:
        found = base64.b64decode(re.sub(r"[\r\n]+", "", text).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise EvidenceRejected("eidas_malformed", "not base64") from None
    return found


def parsed(
    document: bytes, limit: int = MESSAGE_LIMIT, deepest: int = DEEPEST, most: int = MOST
) -> Element:
    """The root element of a document that can be read in one way only.

    Raises EvidenceRejected: eidas_too_large, eidas_malformed, eidas_forbidden_xml.
    """
    if len(document) > limit:
        raise EvidenceRejected("eidas_too_large")
    encoding = _DECLARED.match(document)
    if encoding and encoding[1].lower() != b"utf-8":
        raise EvidenceRejected("eidas_forbidden_xml", "not in UTF-8")
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise EvidenceRejected("eidas_forbidden_xml", "a document type")
    try:
        document.decode("utf-8")
        root = etree.fromstring(document, parser=_parser())
    except (UnicodeDecodeError, etree.XMLSyntaxError, ValueError):
        raise EvidenceRejected("eidas_malformed", "not XML") from None
    _demand_plain(root, deepest, most)
    return root


def _parser() -> Any:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )


def _demand_plain(root: Element, deepest: int, most: int) -> None:
    """Raises EvidenceRejected, eidas_forbidden_xml: comments and all that is not plain elements."""
    beside = root.itersiblings(preceding=True), root.itersiblings()
    if any(True for siblings in beside for _ in siblings):
        raise EvidenceRejected("eidas_forbidden_xml", "something beside the root")
    names: set[str] = set()
    for count, (element, depth) in enumerate(_walk(root)):
        if not isinstance(element.tag, str):
            raise EvidenceRejected("eidas_forbidden_xml", "comment, instruction or entity")
        if depth > deepest or count >= most:
            raise EvidenceRejected("eidas_too_large", "too deep, or too many elements")
        if etree.QName(element).namespace in _INCLUDING or element.tag in _FETCHING:
            raise EvidenceRejected("eidas_forbidden_xml", "something to be fetched from elsewhere")
        for name in {element.get(attribute) for attribute in _IDS} - {None}:
            if name in names:
                raise EvidenceRejected("eidas_ambiguous", "one ID on two elements")
            names.add(name)


def _walk(root: Element) -> Iterator[tuple[Element, int]]:
    """Every node and how deep it lies; no recursion, whose limit a deep document would reach."""
    waiting = [(root, 1)]
    while waiting:
        element, depth = waiting.pop()
        yield element, depth
        waiting.extend((child, depth + 1) for child in element)


def only(parent: Element, namespace: str, name: str) -> Element | None:
    """The one child of this name, None where there is none. Raises eidas_ambiguous if two."""
    found = parent.findall(tag(namespace, name))
    if len(found) > 1:
        raise EvidenceRejected("eidas_ambiguous", f"two {name}")
    return found[0] if found else None


def demanded(parent: Element, namespace: str, name: str) -> Element:
    """The one child of this name. Raises EvidenceRejected: eidas_incomplete, eidas_ambiguous."""
    found = only(parent, namespace, name)
    if found is None:
        raise EvidenceRejected("eidas_incomplete", f"no {name}")
    return found


def text(element: Element) -> str:
    """The whole text of an element that holds nothing else. Raises eidas_ambiguous."""
    if len(element):
        raise EvidenceRejected("eidas_ambiguous", "an element inside a text")
    return element.text or ""


def content(element: Element) -> bytes:
    """The bytes of an element that holds base64. Raises eidas_malformed."""
    try:
        return base64.b64decode("".join(text(element).split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise EvidenceRejected("eidas_malformed", "not base64") from None
