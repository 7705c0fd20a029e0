"""An eIDAS-shaped node of the tests' own: it asks nobody who they are, and says what it is told.

It shares no code with the broker. Its answers are sound but for what a test changes: a field of
`Answer`, the tree before it is signed (`before`), or the octets afterwards (`after`).
"""

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.signer import XMLSigner

from tests.conftest import NOON
from tests.verifiers.eidas.schemes import LEGAL, LOA, NATURAL, Key, pem, rsa_key, self_signed

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
DSIG11 = "http://www.w3.org/2009/xmldsig11#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
SPACES = {"saml2p": SAMLP, "saml2": SAML, "xsi": XSI, "eidas-natural": NATURAL, "eidas": LEGAL}
ENTITY = "https://node.xa.test/metadata"

_serial = count(1)

Attributes = tuple[tuple[str, str, bool], ...]
"""Name, value, and whether the value is in Latin letters."""


def person(name: str = NATURAL, **changed: str) -> Attributes:
    """The minimum data set of a natural person, with these attributes changed or added."""
    said = {
        "PersonIdentifier": "XA/MA/02635542Y",
        "CurrentFamilyName": "Onases",
        "CurrentGivenName": "Sarah",
        "DateOfBirth": "1975-04-20",
    } | changed
    return tuple((f"{name}/{key}", value, True) for key, value in said.items() if value)


def company(**changed: str) -> Attributes:
    """The minimum data set of a legal person."""
    said = {"LegalPersonIdentifier": "XA/MA/125457487", "LegalName": "Atlas Textiles"} | changed
    return tuple((f"{LEGAL}/{key}", value, True) for key, value in said.items() if value)


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Answer:
    """What the node says; the two addresses and the request are those of the question."""

    entity_id: str
    acs: str
    request: str
    now: datetime = NOON
    issuer: str = ENTITY
    attributes: Attributes = field(default_factory=person)
    level: str = f"{LOA}substantial"
    status: tuple[str, ...] = (SUCCESS,)
    audiences: tuple[tuple[str, ...], ...] | None = None
    times: Mapping[str, timedelta | None] = field(default_factory=dict)
    sign: str = "response"
    encrypt: str = "oaep"
    algorithm: SignatureMethod = SignatureMethod.RSA_SHA256
    before: Callable[[Any], object] = lambda _: None
    inside: Callable[[Any], object] = lambda _: None
    after: Callable[[bytes], bytes] = lambda document: document
    plain: Callable[[bytes], bytes] = lambda document: document

    def at(self, what: str, usual: timedelta) -> str | None:
        """A moment, unless a test leaves it out."""
        offset = self.times.get(what, usual)
        return None if offset is None else moment(self.now + offset)


@dataclass(frozen=True)
class Node:
    """Signs with `key`; encrypts to the certificate `to`."""

    key: Key = field(default_factory=lambda: rsa_key("node"))
    to: x509.Certificate | None = None

    @property
    def certificate(self) -> x509.Certificate:
        return self_signed(self.key, "node")

    @property
    def section(self) -> dict[str, Any]:
        """How a scheme's file describes this node, without metadata."""
        return {
            "entity_id": ENTITY,
            "sso": "https://node.xa.test/sso",
            "certificates": [pem(self.certificate)],
        }

    def document(self, answer: Answer) -> bytes:
        """The signed Response."""
        response = _response(answer)
        if answer.status == (SUCCESS,):
            assertion = _assertion(answer)
            answer.inside(assertion)
            if answer.sign in {"assertion", "both"}:
                assertion = self.signed(assertion, answer.algorithm)
            if answer.encrypt:
                octets = answer.plain(etree.tostring(assertion))
                assertion = self.encrypted(octets, answer.encrypt)
            response.append(assertion)
        answer.before(response)
        if answer.sign in {"response", "both"}:
            response = self.signed(response, answer.algorithm)
        return answer.after(etree.tostring(response))

    def field(self, answer: Answer) -> str:
        """The Response as a form carries it."""
        return base64.b64encode(self.document(answer)).decode("ascii")

    def signed(self, root: Any, algorithm: SignatureMethod) -> Any:
        place = etree.Element(f"{{{DS}}}Signature", nsmap={"ds": DS}, Id="placeholder")
        root.insert(1, place)
        signer = XMLSigner(
            SignatureConstructionMethod.enveloped,
            algorithm,
            DigestAlgorithm.SHA256,
            CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        made = signer.sign(
            root,
            key=self.key,
            cert=[self.certificate],
            reference_uri=f"#{root.get('ID')}",
            id_attribute="ID",
        )
        return etree.fromstring(etree.tostring(made))

    def encrypted(self, octets: bytes, how: str) -> Any:
        """An EncryptedAssertion, to RSA ("oaep", "oaep11") or by an agreed key ("ecdh")."""
        assert self.to is not None
        secret, nonce = os.urandom(32), os.urandom(12)
        sealed = nonce + AESGCM(secret).encrypt(nonce, octets, None)
        public = self.to.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            wrapped = _transported(secret, public, how)
        else:
            assert isinstance(public, ec.EllipticCurvePublicKey)
            wrapped = _agreed(secret, public)
        return etree.fromstring(
            f'<saml2:EncryptedAssertion xmlns:saml2="{SAML}">'
            f'<xenc:EncryptedData xmlns:xenc="{XENC}" xmlns:ds="{DS}" Type="{XENC}Element">'
            f'<xenc:EncryptionMethod Algorithm="{XENC11}aes256-gcm"/>'
            f"<ds:KeyInfo>{wrapped}</ds:KeyInfo>{_cipher(sealed)}"
            "</xenc:EncryptedData></saml2:EncryptedAssertion>"
        )


def _cipher(octets: bytes) -> str:
    value = base64.b64encode(octets).decode("ascii")
    return f"<xenc:CipherData><xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData>"


def _transported(secret: bytes, public: rsa.RSAPublicKey, how: str) -> str:
    newer = how == "oaep11"
    digest: hashes.HashAlgorithm = hashes.SHA256() if newer else hashes.SHA1()  # noqa: S303  as the standard has it
    box = padding.OAEP(padding.MGF1(digest), digest, None)
    name = f"{XENC11}rsa-oaep" if newer else f"{XENC}rsa-oaep-mgf1p"
    inner = (
        f'<ds:DigestMethod Algorithm="{XENC}sha256"/>'
        f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{XENC11}mgf1sha256"/>'
        if newer
        else f'<ds:DigestMethod Algorithm="{DS}sha1"/>'
    )
    method = f'<xenc:EncryptionMethod Algorithm="{name}">{inner}</xenc:EncryptionMethod>'
    return f"<xenc:EncryptedKey>{method}{_cipher(public.encrypt(secret, box))}</xenc:EncryptedKey>"


_OIDS = {"secp256r1": "1.2.840.10045.3.1.7", "secp384r1": "1.3.132.0.34"} | {
    "brainpoolP256r1": "1.3.36.3.3.2.8.1.1.7"
}


def _agreed(secret: bytes, public: ec.EllipticCurvePublicKey) -> str:
    ours = ec.generate_private_key(public.curve)
    shared = ours.exchange(ec.ECDH(), public)
    wrapping = ConcatKDFHash(hashes.SHA256(), 32, b"miftahAB").derive(shared)
    point = ours.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return (
        f'<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{XENC}kw-aes256"/>'
        f'<ds:KeyInfo><xenc:AgreementMethod Algorithm="{XENC11}ECDH-ES">'
        f'<xenc11:KeyDerivationMethod xmlns:xenc11="{XENC11}" Algorithm="{XENC11}ConcatKDF">'
        f'<xenc11:ConcatKDFParams AlgorithmID="00{b"miftah".hex()}" PartyUInfo="0041" '
        f'PartyVInfo="0042"><ds:DigestMethod Algorithm="{XENC}sha256"/></xenc11:ConcatKDFParams>'
        "</xenc11:KeyDerivationMethod><xenc:OriginatorKeyInfo><ds:KeyValue>"
        f'<dsig11:ECKeyValue xmlns:dsig11="{DSIG11}">'
        f'<dsig11:NamedCurve URI="urn:oid:{_OIDS[public.curve.name]}"/>'
        f"<dsig11:PublicKey>{base64.b64encode(point).decode('ascii')}</dsig11:PublicKey>"
        "</dsig11:ECKeyValue></ds:KeyValue></xenc:OriginatorKeyInfo></xenc:AgreementMethod>"
        f"</ds:KeyInfo>{_cipher(aes_key_wrap(wrapping, secret))}</xenc:EncryptedKey>"
    )


def _element(parent: Any, space: str, name: str, said: str = "", /, **attributes: Any) -> Any:
    known = {key: value for key, value in attributes.items() if value is not None}
    made = etree.SubElement(parent, f"{{{space}}}{name}", known)
    made.text = said or None
    return made


def _response(answer: Answer) -> Any:
    root = etree.Element(f"{{{SAMLP}}}Response", nsmap=SPACES)
    told = {
        "ID": f"_response-{next(_serial)}",
        "Version": "2.0",
        "IssueInstant": answer.at("issued", timedelta()),
        "Consent": "urn:oasis:names:tc:SAML:2.0:consent:obtained",
        "Destination": answer.acs,
        "InResponseTo": answer.request,
    }
    for name, value in told.items():
        if value is not None:
            root.set(name, value)
    _element(root, SAML, "Issuer", answer.issuer)
    above = _element(root, SAMLP, "Status")
    for code in answer.status:
        above = _element(above, SAMLP, "StatusCode", Value=code)
    return root


def _assertion(answer: Answer) -> Any:
    minutes = timedelta(minutes=5)
    root = etree.Element(f"{{{SAML}}}Assertion", nsmap=SPACES)
    root.set("ID", f"_assertion-{next(_serial)}")
    root.set("Version", "2.0")
    root.set("IssueInstant", answer.at("issued", timedelta()) or "")
    _element(root, SAML, "Issuer", answer.issuer)
    subject = _element(root, SAML, "Subject")
    _element(subject, SAML, "NameID", "s-1")
    confirmation = _element(subject, SAML, "SubjectConfirmation", Method=BEARER)
    _element(
        confirmation,
        SAML,
        "SubjectConfirmationData",
        InResponseTo=answer.request,
        Recipient=answer.acs,
        NotOnOrAfter=answer.at("confirmed_until", minutes),
    )
    conditions = _element(
        root,
        SAML,
        "Conditions",
        NotBefore=answer.at("not_before", -timedelta(seconds=5)),
        NotOnOrAfter=answer.at("until", minutes),
    )
    for audiences in ((answer.entity_id,),) if answer.audiences is None else answer.audiences:
        restriction = _element(conditions, SAML, "AudienceRestriction")
        for audience in audiences:
            _element(restriction, SAML, "Audience", audience)
    statement = _element(
        root, SAML, "AuthnStatement", AuthnInstant=answer.at("authenticated", timedelta())
    )
    context = _element(statement, SAML, "AuthnContext")
    _element(context, SAML, "AuthnContextClassRef", answer.level)
    _attributes(root, answer.attributes)
    return root


def _attributes(root: Any, said: Attributes) -> None:
    statement = _element(root, SAML, "AttributeStatement")
    made: dict[str, Any] = {}
    for name, value, is_latin in said:
        if name not in made:
            made[name] = _element(statement, SAML, "Attribute", Name=name, NameFormat=URI)
        element = _element(made[name], SAML, "AttributeValue", value)
        if not is_latin:
            element.set(f"{{{NATURAL}}}LatinScript", "false")


def variations(answer: Answer, **changes: Any) -> Iterator[Answer]:
    """The answer with one change at a time."""
    for name, value in changes.items():
        yield replace(answer, **{name: value})
