"""Our own signature on what we ask and publish (XML Signature, SAML Bindings §3.4.4.1)."""

import base64
import zlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.signer import XMLSigner

from broker.verifiers.eidas.credentials import Credential
from broker.verifiers.eidas.xml import DS, SAML, Element, tag

_CURVES: Final[Mapping[str, tuple[SignatureMethod, hashes.HashAlgorithm]]] = {
    "secp256r1": (SignatureMethod.ECDSA_SHA256, hashes.SHA256()),
    "secp384r1": (SignatureMethod.ECDSA_SHA384, hashes.SHA384()),
    "secp521r1": (SignatureMethod.ECDSA_SHA512, hashes.SHA512()),
    "brainpoolP256r1": (SignatureMethod.ECDSA_SHA256, hashes.SHA256()),
    "brainpoolP384r1": (SignatureMethod.ECDSA_SHA384, hashes.SHA384()),
    "brainpoolP512r1": (SignatureMethod.ECDSA_SHA512, hashes.SHA512()),
}


def method(credential: Credential, *, pss: bool) -> SignatureMethod:
    """The algorithm: ECDSA by the curve; RSA-PSS where eIDAS demands it, else PKCS #1 v1.5."""
    if isinstance(credential.key, ec.EllipticCurvePrivateKey):
        return _CURVES[credential.key.curve.name][0]
    return SignatureMethod.SHA256_RSA_MGF1 if pss else SignatureMethod.RSA_SHA256


def signed(root: Element, credential: Credential, *, pss: bool) -> bytes:
    """The document with its enveloped signature, after its Issuer or as the first child."""
    placeholder = etree.Element(tag(DS, "Signature"), nsmap={"ds": DS}, Id="placeholder")
    issuer = root.find(tag(SAML, "Issuer"))
    root.insert(0 if issuer is None else root.index(issuer) + 1, placeholder)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=method(credential, pss=pss),
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    made = signer.sign(
        root,
        key=credential.key,
        cert=[credential.certificate],
        reference_uri=f"#{root.get('ID')}",
        id_attribute="ID",
    )
    return bytes(etree.tostring(made))


def signed_query(root: Element, relay_state: str, credential: Credential, *, pss: bool) -> str:
    """The query of the redirect binding: the request deflated, the signature beside it."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(etree.tostring(root)) + packer.flush()
    query = urlencode(
        {
            "SAMLRequest": base64.b64encode(packed).decode("ascii"),
            "RelayState": relay_state,
            "SigAlg": method(credential, pss=pss).value,
        }
    )
    signature = base64.b64encode(_sign(query.encode("ascii"), credential, pss=pss))
    return f"{query}&{urlencode({'Signature': signature.decode('ascii')})}"


def _sign(message: bytes, credential: Credential, *, pss: bool) -> bytes:
    key = credential.key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(_CURVES[key.curve.name][1]))
    how = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
    return key.sign(message, how if pss else padding.PKCS1v15(), hashes.SHA256())
