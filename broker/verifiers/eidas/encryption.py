"""Opening an assertion that was encrypted to one of our keys (XML Encryption 1.1).

Only authenticated encryption is opened: with AES-CBC or RSA PKCS #1 v1.5 our very answer would
tell a stranger, try by try, what is inside.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from broker.errors import EvidenceRejected
from broker.verifiers.eidas.xml import (
    DS,
    DSIG11,
    SAML,
    XENC,
    XENC11,
    Element,
    content,
    demanded,
    only,
    parsed,
    tag,
)

_T = TypeVar("_T")

DecryptionKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_NONCE, _TAG = 12, 16
_MGF_DEFAULT: Final = f"{XENC11}mgf1sha1"
CONTENT: Final[Mapping[str, int]] = {
    f"{XENC11}aes128-gcm": 16,
    f"{XENC11}aes192-gcm": 24,
    f"{XENC11}aes256-gcm": 32,
}
"""Content encryption → bytes of its key."""

WRAPS: Final[Mapping[str, int]] = {
    f"{XENC}kw-aes128": 16,
    f"{XENC}kw-aes192": 24,
    f"{XENC}kw-aes256": 32,
}
TRANSPORTS: Final = (f"{XENC}rsa-oaep-mgf1p", f"{XENC11}rsa-oaep")
AGREEMENT: Final = f"{XENC11}ECDH-ES"
_DIGESTS: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {
    f"{DS}sha1": hashes.SHA1,  # within OAEP, where nothing rests on collisions
    f"{XENC}sha256": hashes.SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384,
    f"{XENC}sha512": hashes.SHA512,
    f"{XENC11}mgf1sha1": hashes.SHA1,
    f"{XENC11}mgf1sha256": hashes.SHA256,
    f"{XENC11}mgf1sha384": hashes.SHA384,
    f"{XENC11}mgf1sha512": hashes.SHA512,
}
_CURVES: Final[Mapping[str, type[ec.EllipticCurve]]] = {
    "urn:oid:1.2.840.10045.3.1.7": ec.SECP256R1,
    "urn:oid:1.3.132.0.34": ec.SECP384R1,
    "urn:oid:1.3.132.0.35": ec.SECP521R1,
    "urn:oid:1.3.36.3.3.2.8.1.1.7": ec.BrainpoolP256R1,
    "urn:oid:1.3.36.3.3.2.8.1.1.11": ec.BrainpoolP384R1,
    "urn:oid:1.3.36.3.3.2.8.1.1.13": ec.BrainpoolP512R1,
}


def decrypt(encrypted: Element, keys: Iterable[DecryptionKey]) -> Element:
    """The assertion inside an EncryptedAssertion.

    Raises EvidenceRejected: eidas_weak_algorithm, eidas_undecryptable (one word for whatever was
    wrong inside), and what `parsed` raises.
    """
    data = demanded(encrypted, XENC, "EncryptedData")
    length = _known(CONTENT, _algorithm(data))
    wrapped = _encrypted_key(encrypted, data)
    sealed = _cipher_value(data)
    for key in keys:
        secret = _secret(wrapped, key)
        if secret is not None and len(secret) == length and len(sealed) > _NONCE + _TAG:
            return _assertion(_opened(secret, sealed))
    raise EvidenceRejected("eidas_undecryptable")


def _opened(secret: bytes, sealed: bytes) -> bytes:
    try:
        return AESGCM(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except InvalidTag:
        raise EvidenceRejected("eidas_undecryptable") from None


def _assertion(plain: bytes) -> Element:
    root = parsed(plain)
    if root.tag != tag(SAML, "Assertion"):
        raise EvidenceRejected("eidas_ambiguous", "something else was encrypted")
    return root


def _encrypted_key(encrypted: Element, data: Element) -> Element:
    """The one wrapped key: inside the data's KeyInfo, or beside the data (SAML Core §2.3.4)."""
    info = only(data, DS, "KeyInfo")
    inside = [] if info is None else info.findall(tag(XENC, "EncryptedKey"))
    found = [*inside, *encrypted.findall(tag(XENC, "EncryptedKey"))]
    if len(found) != 1:
        raise EvidenceRejected("eidas_undecryptable")
    return found[0]


def _secret(wrapped: Element, key: DecryptionKey) -> bytes | None:
    """The content key, None where this key of ours does not open it."""
    name = _algorithm(wrapped)
    if name not in WRAPS and name not in TRANSPORTS:
        raise EvidenceRejected("eidas_weak_algorithm")
    try:
        if name in TRANSPORTS and isinstance(key, rsa.RSAPrivateKey):
            return key.decrypt(_cipher_value(wrapped), _oaep(wrapped, name))
        if name in WRAPS and isinstance(key, ec.EllipticCurvePrivateKey):
            return aes_key_unwrap(_agreed(wrapped, key, WRAPS[name]), _cipher_value(wrapped))
    except (ValueError, InvalidUnwrap):
        return None
    return None


def _oaep(wrapped: Element, name: str) -> padding.OAEP:
    method = demanded(wrapped, XENC, "EncryptionMethod")
    digest, mgf = only(method, DS, "DigestMethod"), only(method, XENC11, "MGF")
    label = only(method, XENC, "OAEPparams")
    # rsa-oaep-mgf1p fixes the mask's hash; the newer name lets it be chosen (§5.5.2).
    mask = _MGF_DEFAULT if name == TRANSPORTS[0] or mgf is None else mgf.get("Algorithm")
    hashed = f"{DS}sha1" if digest is None else digest.get("Algorithm")
    return padding.OAEP(
        padding.MGF1(_known(_DIGESTS, mask)()),
        _known(_DIGESTS, hashed)(),
        None if label is None else content(label),
    )


def _agreed(wrapped: Element, key: ec.EllipticCurvePrivateKey, length: int) -> bytes:
    """The key that wraps, agreed on with the sender's ephemeral one (§5.4.1, §5.6.2.2)."""
    agreement = demanded(demanded(wrapped, DS, "KeyInfo"), XENC, "AgreementMethod")
    derivation = demanded(agreement, XENC11, "KeyDerivationMethod")
    parameters = demanded(derivation, XENC11, "ConcatKDFParams")
    names = agreement.get("Algorithm"), derivation.get("Algorithm")
    if names != (AGREEMENT, f"{XENC11}ConcatKDF"):
        raise EvidenceRejected("eidas_weak_algorithm")
    digest = _known(_DIGESTS, demanded(parameters, DS, "DigestMethod").get("Algorithm"))
    shared = key.exchange(ec.ECDH(), _ephemeral(agreement, key.curve))
    return ConcatKDFHash(digest(), length, _other_info(parameters)).derive(shared)


def _ephemeral(agreement: Element, curve: ec.EllipticCurve) -> ec.EllipticCurvePublicKey:
    """The sender's key. Raises ValueError: of another curve than ours, or no point of it."""
    value = demanded(demanded(agreement, XENC, "OriginatorKeyInfo"), DS, "KeyValue")
    found = demanded(value, DSIG11, "ECKeyValue")
    named = _CURVES.get(demanded(found, DSIG11, "NamedCurve").get("URI") or "")
    if named is None or named().name != curve.name:
        raise ValueError("another curve")
    point = content(demanded(found, DSIG11, "PublicKey"))
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)


def _other_info(parameters: Element) -> bytes:
    """The bit strings that the derivation mixes in; each begins with its count of padding bits."""
    names = ("AlgorithmID", "PartyUInfo", "PartyVInfo", "SuppPubInfo", "SuppPrivInfo")
    given = [bytes.fromhex(parameters.get(name) or "00") for name in names]
    if any(bits[:1] != b"\0" for bits in given):
        raise ValueError("a bit string that is not of whole bytes")
    return b"".join(bits[1:] for bits in given)


def _algorithm(element: Element) -> str:
    return demanded(element, XENC, "EncryptionMethod").get("Algorithm") or ""


def _cipher_value(element: Element) -> bytes:
    return content(demanded(demanded(element, XENC, "CipherData"), XENC, "CipherValue"))


def _known(table: Mapping[str, _T], name: str | None) -> _T:
    found = table.get(name or "")
    if found is None:
        raise EvidenceRejected("eidas_weak_algorithm")
    return found
