"""The enveloped signature of one SAML element, and what exactly it signs (XML Signature 1.1).

Whoever asks for a signature gets back a new element, made of the very octets that were signed:
there is no other way from here to anything that stood in the message.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from broker.errors import EvidenceRejected
from broker.verifiers.eidas.xml import DS, SAML, SAMLP, Element, demanded, only, parsed, tag

# Its debug messages quote what it canonicalises, which is a person's data.
logging.getLogger("signxml").setLevel(logging.WARNING)

EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DS}enveloped-signature"
TRANSFORMS: Final = [ENVELOPED, EXCLUSIVE]
"""The two transforms that SAML Core §5.4.4 allows, in the order that means something."""

METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1, SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1, SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512,
    }
)  # fmt: skip
DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_METHOD_NAMES: Final = frozenset(method.value for method in METHODS)
_DIGEST_NAMES: Final = frozenset(digest.value for digest in DIGESTS)

RSA_BITS: Final = 2048
"""The least that we take; eIDAS asks its nodes for 3072."""

SIGNED_PLACES: Final = frozenset({tag(SAMLP, "Response"), tag(SAML, "Assertion")})


@dataclass(frozen=True, slots=True)
class Signed:
    """An element rebuilt from the octets that a trusted key signed."""

    element: Element


def verify(root: Element, trusted: Iterable[x509.Certificate]) -> Signed:
    """What the signature directly inside `root` signs, which is all of `root`.

    The certificates stand for their keys: trust is in the metadata that named them, not in their
    dates or issuers (SAML Metadata Interoperability Profile §2.6). Raises EvidenceRejected:
    eidas_unsigned, eidas_weak_algorithm, eidas_ambiguous, eidas_signature_wrong.
    """
    if only(root, DS, "Signature") is None:
        raise EvidenceRejected("eidas_unsigned")
    method = demand_simple(root)
    for certificate in trusted:
        if _fits(certificate, method) and (octets := _signed_by(root, certificate)) is not None:
            element = parsed(octets, limit=len(octets), deepest=64, most=len(octets))
            if element.tag != root.tag or element.get("ID") != root.get("ID"):
                break
            return Signed(element)
    raise EvidenceRejected("eidas_signature_wrong")


def demand_simple(root: Element) -> str:
    """The algorithm of the one signature of `root`, which has the one shape that SAML allows.

    Raises EvidenceRejected: eidas_ambiguous, eidas_weak_algorithm.
    """
    signature = demanded(root, DS, "Signature")
    info, value = demanded(signature, DS, "SignedInfo"), demanded(signature, DS, "SignatureValue")
    reference = demanded(info, DS, "Reference")
    transforms = demanded(reference, DS, "Transforms")
    digest = demanded(reference, DS, "DigestValue")
    names = [transform.get("Algorithm") for transform in transforms]
    shape = (
        {child.tag for child in signature}
        <= {tag(DS, name) for name in ("SignedInfo", "SignatureValue", "KeyInfo")},
        len(info) == 3 and len(reference) == 3,  # noqa: PLR2004  as the schema has them
        reference.get("URI") == f"#{root.get('ID')}" and bool(root.get("ID")),
        names == TRANSFORMS and len(transforms[0]) == 0,
        demanded(info, DS, "CanonicalizationMethod").get("Algorithm") == EXCLUSIVE,
        not len(value) and not len(digest) and bool((value.text or "").strip()),
    )
    if not all(shape):
        raise EvidenceRejected("eidas_ambiguous", "a signature of another shape")
    method = str(demanded(info, DS, "SignatureMethod").get("Algorithm"))
    digested = demanded(reference, DS, "DigestMethod").get("Algorithm")
    if method not in _METHOD_NAMES or digested not in _DIGEST_NAMES:
        raise EvidenceRejected("eidas_weak_algorithm")
    return method


def demand_no_others(root: Element) -> None:
    """Raises eidas_ambiguous where a signature stands anywhere but directly in what it signs."""
    for signature in root.iter(tag(DS, "Signature")):
        above = signature.getparent()
        if above is None or above.tag not in SIGNED_PLACES:
            raise EvidenceRejected("eidas_ambiguous", "a signature out of place")


def _fits(certificate: x509.Certificate, method: str) -> bool:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa" in method and key.key_size >= RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and "ecdsa" in method


def _signed_by(root: Element, certificate: x509.Certificate) -> bytes | None:
    """The octets that this certificate's key signed, None where it did not sign them."""
    expected = SignatureConfiguration(
        location="./",
        signature_methods=METHODS,
        digest_algorithms=DIGESTS,
        # Inside its dates: the metadata that names a certificate says until when it is good.
        verification_time=certificate.not_valid_before_utc + timedelta(seconds=1),
        ignore_ambiguous_key_info=True,
    )
    try:
        found = XMLVerifier().verify(
            root, x509_cert=certificate, expect_config=expected, id_attribute="ID"
        )
    except Exception:  # noqa: BLE001  what it raises has no one parent
        return None
    return found.signed_data if isinstance(found, VerifyResult) else None
