"""What a registration may not say although each of its members could stand alone: one table."""

from collections.abc import Callable
from urllib.parse import urlsplit

from broker.jose import SignatureRejected, public_der, takes
from broker.oidc.client_certificate import distinguished_name, ip_name
from broker.oidc.client_metadata import ClientMetadata

Check = Callable[[ClientMetadata], str | None]
"""metadata → why it is refused, or None."""

_LINKS = (
    "client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri", "jwks_uri",
    "sector_identifier_uri", "backchannel_logout_uri",
)  # fmt: skip
_LISTS = ("redirect_uris", "post_logout_redirect_uris", "request_uris", "contacts")
_TLS_NAMES = tuple(n for n in ClientMetadata.model_fields if n.startswith("tls_client_auth_"))
_LONGEST, _MOST = 2048, 50


def hosts(metadata: ClientMetadata) -> set[str]:
    """The hosts of its redirect URIs."""
    return {urlsplit(uri).hostname or "" for uri in metadata.redirect_uris}


def _subjects(metadata: ClientMetadata) -> str | None:
    if metadata.subject_type == "public":
        return "subject_type: only pairwise subjects are made"
    return None


def _sector(metadata: ClientMetadata) -> str | None:
    # Core §8.1
    if metadata.sector or metadata.sector_identifier_uri or len(hosts(metadata)) < 2:  # noqa: PLR2004
        return None
    return "redirect_uris: several hosts need a sector_identifier_uri"


def _sizes(metadata: ClientMetadata) -> str | None:
    for name in _LISTS:
        if len(getattr(metadata, name)) > _MOST:
            return f"{name}: more than {_MOST}"
    for texts in (metadata.client_name, metadata.purpose):
        if any(not 1 <= len(text) <= _MOST * 10 for text in texts.values()):
            return "client_name, purpose: between 1 and 500 characters"
    if (metadata.default_max_age or 0) > _MOST * 365 * 86_400:
        return "default_max_age: longer than anybody is signed in"
    return None


def _links(metadata: ClientMetadata) -> str | None:
    for name in _LINKS:
        if fault := _link_fault(getattr(metadata, name)):
            return f"{name}: {fault}"
    for uri in metadata.request_uris:
        # Core §6.2: the fragment is the hash of what is there.
        if fault := _link_fault(uri.partition("#")[0]):
            return f"request_uris: {fault}"
    return None


def _link_fault(uri: str | None) -> str | None:
    if uri is None:
        return None
    try:
        parts = urlsplit(uri)
        sane = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        sane = None
    if not sane or len(uri) > _LONGEST or not uri.isascii() or not uri.isprintable() or " " in uri:
        return "it is not a URL"
    local = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return None if parts.scheme == "https" or local else "it must be https"


def _keys(metadata: ClientMetadata) -> str | None:
    if metadata.jwks is None:
        return None
    keys = metadata.jwks.get("keys")
    if not isinstance(keys, list) or len(keys) > _MOST:
        return f"jwks: it must hold at most {_MOST} keys"
    if not all(isinstance(key, dict) and "d" not in key and _is_sound(key) for key in keys):
        return "jwks: one of them is not a sound public key"
    return None


def _is_sound(key: dict[str, object]) -> bool:
    try:
        return bool(public_der(key))
    except SignatureRejected:
        return False


def _certificate_name(metadata: ClientMetadata) -> str | None:
    # RFC 8705 §2.1.2: exactly one of the names.
    named = [n for n in _TLS_NAMES if getattr(metadata, n) is not None]
    expected = 1 if metadata.token_endpoint_auth_method == "tls_client_auth" else 0  # noqa: S105
    if len(named) != expected:
        return f"tls_client_auth: exactly {expected} of its names must be given"
    dn, ip = metadata.tls_client_auth_subject_dn, metadata.tls_client_auth_san_ip
    if dn is not None and not distinguished_name(dn):
        return "tls_client_auth_subject_dn: it is not an RFC 4514 name"
    if ip is not None and ip_name(ip) != ip:
        return "tls_client_auth_san_ip: it is not an address in its usual spelling"
    return None


def _encryption(metadata: ClientMetadata) -> str | None:
    for kind in ("id_token", "userinfo"):
        enc, alg = (getattr(metadata, f"{kind}_encrypted_response_{n}") for n in ("enc", "alg"))
        if enc and not alg:
            return f"{kind}_encrypted_response_enc: needs {kind}_encrypted_response_alg"
        if alg and metadata.jwks_uri is None and not takes(metadata.jwks or {}, alg):
            return f"{kind}_encrypted_response_alg: needs a key to encrypt to, in jwks or jwks_uri"
    return None


CHECKS: tuple[Check, ...] = (
    _subjects, _sector, _sizes, _links, _keys, _certificate_name, _encryption,
)  # fmt: skip
