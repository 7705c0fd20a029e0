"""Opening what somebody encrypted to a key of ours: a nested JWT (RFC 7516, RFC 7519 §5.2)."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from broker.jose.compact import SIZE_LIMIT, SignatureRejected, json_object, unbase64
from broker.keyring import SealBroken, Unlock, read_private_pem

OPENED: Mapping[str, type[ECKey | RSAKey]] = {
    "ECDH-ES": ECKey,
    "ECDH-ES+A128KW": ECKey,
    "ECDH-ES+A256KW": ECKey,
    "RSA-OAEP": RSAKey,
    "RSA-OAEP-256": RSAKey,
}
"""How a content's key may reach us. No PBES2 (its sender sets our work), no RSA1_5 (oracles)."""

CONTENTS = frozenset({"A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"})
"""Content encryption that we open: each one authenticates what it hides."""

_REFUSED = frozenset({"zip", "crit", "jku", "x5u"})
_SEGMENTS = 5

DecryptionKey = ECKey | RSAKey


class NotForUs(SignatureRejected):
    """No key of ours opens it, or it is encrypted in a way that we do not open."""


@lru_cache(maxsize=16)
def decryption_key(pem: bytes, unlock: Unlock) -> DecryptionKey:
    """The private key in a PEM file, with the `kid` that we publish. Raises SealBroken.

    Kept by its content: proving that an RSA key is one costs more than opening with it.
    """
    private = read_private_pem(pem, unlock.passphrase)
    kinds: Mapping[type, type[DecryptionKey]] = {
        ec.EllipticCurvePrivateKey: ECKey,
        rsa.RSAPrivateKey: RSAKey,
    }
    make = next((make for kind, make in kinds.items() if isinstance(private, kind)), None)
    if make is None or not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SealBroken("neither an RSA nor an EC private key")
    raw = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    parameters: KeyParameters = {"use": "enc", "kid": make.import_key(raw).thumbprint()}
    return make.import_key(raw, parameters)


def published(keys: Iterable[DecryptionKey]) -> list[dict[str, object]]:
    """The public halves, as a JWK Set lists them."""
    return [dict(key.as_dict(private=False)) for key in keys]


def is_encrypted(token: str) -> bool:
    """Whether it has the five segments of a compact JWE."""
    return token.count(".") == _SEGMENTS - 1


def decrypt(token: str, keys: Iterable[DecryptionKey], contents: Collection[str] = CONTENTS) -> str:
    """The text inside, which nobody has vouched for yet. Raises NotForUs.

    The header may repeat claims (RFC 7519 §5.3): they are not read. `kid` is not trusted to find
    our key: there are few.
    """
    if len(token) > 2 * SIZE_LIMIT or not is_encrypted(token):
        raise NotForUs("not a compact JWE that we look at")
    header = json_object(unbase64(token.split(".", 1)[0]))
    alg, enc = header.get("alg"), header.get("enc")
    known = isinstance(alg, str) and alg in OPENED and isinstance(enc, str) and enc in contents
    if not known or _REFUSED & header.keys():
        raise NotForUs("encrypted in a way that we do not open")
    registry = JWERegistry(algorithms=[str(alg), str(enc)], strict_check_header=False)
    for key in keys:
        if isinstance(key, OPENED[str(alg)]):
            try:
                opened = jwe.decrypt_compact(token, key, registry=registry)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            return _text(opened.plaintext)
    raise NotForUs("no key of ours opens it")


def _text(raw: bytes | None) -> str:
    try:
        return (raw or b"").decode("ascii")
    except UnicodeDecodeError:
        raise NotForUs("no token inside") from None
