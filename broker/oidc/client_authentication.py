"""The proof that a request comes from a registered client (RFC 6749 §2.3, Core §9, RFC 8705).

Each client proves itself by the one method that it registered. What a key proves is verified
before any transaction is open: its key set may have to be fetched, and signatures take time.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote_plus

from cryptography import x509
from sqlalchemy.orm import Session

from broker.errors import OAuthCode, OAuthError, UpstreamUnavailable
from broker.interaction.replay import first_use
from broker.jose import SignatureRejected, unverified_claims
from broker.oidc import client_assertion as assertion
from broker.oidc import store
from broker.oidc.client import Client
from broker.oidc.client_certificate import is_named, is_of
from broker.oidc.client_keys import keys_of, verify_of
from broker.oidc.client_metadata import SECRET_METHODS
from broker.web.cookies import digest

BARE = "none"
_BY_CERTIFICATE = frozenset({"tls_client_auth", "self_signed_tls_client_auth"})
_FAILED = "client authentication failed"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request says about who sends it; nothing of it is proved but the certificate's key.

    `method` is what the request looks like; "none" with a certificate may be mutual TLS.
    """

    client_id: str
    method: str
    unverified_secret: str = field(default="", repr=False)
    unverified_assertion: str = field(default="", repr=False)
    certificate: x509.Certificate | None = None
    chain_holds: bool = False

    @property
    def by_key(self) -> bool:
        """Whether a key may have to be looked at, which is done before any transaction."""
        return self.method == "private_key_jwt" or (
            self.method == BARE and self.certificate is not None
        )


@dataclass(frozen=True, slots=True)
class KeyProof:
    """What a key proved, for which registration; `jti` may be used once until `expires`."""

    client: Client
    jti: str = ""
    expires: datetime | None = None


def read_credentials(
    authorization: str | None,
    form: Mapping[str, str],
    certificate: x509.Certificate | None = None,
    *,
    chain_holds: bool = False,
) -> Credentials:
    """The credentials of a request (RFC 6749 §2.3.1, RFC 7521 §4.2).

    Raises OAuthError: invalid_request for two methods at once, invalid_client for none.
    """
    asserted = "client_assertion" in form or "client_assertion_type" in form
    if bool(authorization) + ("client_secret" in form) + asserted > 1:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "two client authentication methods")
    if authorization:
        found = _basic(authorization)
    elif asserted:
        found = _asserted(form)
    elif not form.get("client_id"):
        raise OAuthError(OAuthCode.INVALID_CLIENT, "no client authentication")
    elif "client_secret" in form:
        found = Credentials(form["client_id"], "client_secret_post", form["client_secret"])
    else:
        found = Credentials(
            form["client_id"], BARE, certificate=certificate, chain_holds=chain_holds
        )
    if form.get("client_id", found.client_id) != found.client_id:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "client_id differs from the credentials'")
    return found


def prove_by_key(
    client: Client | None, shown: Credentials, issuer: str, now: datetime
) -> KeyProof | None:
    """What the client's key proves; None where its registered method knows no keys.

    Outside any transaction. Raises OAuthError invalid_client.
    """
    if shown.method == "private_key_jwt":
        return _prove_by_assertion(client, shown, issuer, now)
    if client is None or client.metadata.token_endpoint_auth_method not in _BY_CERTIFICATE:
        return None
    return _prove_by_certificate(client, shown, now)


def authenticate(tx: Session, shown: Credentials, proof: KeyProof | None, now: datetime) -> Client:
    """The client, proved by the one method it registered. Raises OAuthError invalid_client."""
    client = store.find_client(tx, shown.client_id)
    presented = digest(shown.unverified_secret)
    expected = (client and client.secret) or digest("")
    # Compared for unknown clients as well, so that time tells nothing.
    same = hmac.compare_digest(presented, expected)
    if client is None:
        raise OAuthError(OAuthCode.INVALID_CLIENT, _FAILED)
    if proof is not None:
        _check_still_good(tx, client, proof, now)
        return client
    if shown.method != client.metadata.token_endpoint_auth_method:
        raise OAuthError(OAuthCode.INVALID_CLIENT, _FAILED)
    if shown.method in SECRET_METHODS and (client.secret is None or not same):
        raise OAuthError(OAuthCode.INVALID_CLIENT, _FAILED)
    return client


def _prove_by_assertion(
    client: Client | None, shown: Credentials, issuer: str, now: datetime
) -> KeyProof:
    claims = _claims(shown.unverified_assertion)
    if fault := assertion.fault(claims, shown.client_id, issuer, now):
        raise OAuthError(OAuthCode.INVALID_CLIENT, fault)
    if client is None or client.metadata.token_endpoint_auth_method != shown.method:
        raise OAuthError(OAuthCode.INVALID_CLIENT, _FAILED)
    try:
        signed = verify_of(
            client,
            shown.unverified_assertion,
            now,
            algorithms=assertion.algorithms(client.metadata),
        )
    except SignatureRejected:
        raise OAuthError(OAuthCode.INVALID_CLIENT, _FAILED) from None
    except UpstreamUnavailable as error:
        raise OAuthError(OAuthCode.INVALID_CLIENT, f"jwks_uri: {error.code}") from None
    if fault := assertion.kind_fault(signed.header):
        raise OAuthError(OAuthCode.INVALID_CLIENT, fault)
    return KeyProof(client, signed.claims["jti"], assertion.expiry(signed.claims))


def _prove_by_certificate(client: Client, shown: Credentials, now: datetime) -> KeyProof:
    held = False
    if shown.certificate is not None:
        if client.metadata.token_endpoint_auth_method == "tls_client_auth":  # noqa: S105  a name
            held = shown.chain_holds and is_named(shown.certificate, client.metadata)
        else:
            held = is_of(shown.certificate, _keys(client, now))
            held = held or is_of(shown.certificate, _keys(client, now, anew=True))
    if not held:
        raise OAuthError(OAuthCode.INVALID_CLIENT, _FAILED)
    return KeyProof(client)


def _keys(client: Client, now: datetime, *, anew: bool = False) -> Mapping[str, object]:
    try:
        return keys_of(client, now, anew=anew)
    except UpstreamUnavailable as error:
        raise OAuthError(OAuthCode.INVALID_CLIENT, f"jwks_uri: {error.code}") from None


def _check_still_good(tx: Session, client: Client, proof: KeyProof, now: datetime) -> None:
    if client != proof.client:  # registered anew since the proof
        raise OAuthError(OAuthCode.INVALID_CLIENT, _FAILED)
    if proof.expires is None:
        return
    if now >= proof.expires or not first_use(
        tx, "client-assertion", client.id, proof.jti, proof.expires
    ):
        raise OAuthError(OAuthCode.INVALID_CLIENT, "the assertion was used before")


def _claims(unverified_assertion: str) -> Mapping[str, object]:
    try:
        return unverified_claims(unverified_assertion)
    except SignatureRejected:
        raise OAuthError(OAuthCode.INVALID_CLIENT, "malformed client_assertion") from None


def _asserted(form: Mapping[str, str]) -> Credentials:
    if form.get("client_assertion_type") != assertion.TYPE:
        raise OAuthError(OAuthCode.INVALID_CLIENT, "client_assertion_type")
    token = form.get("client_assertion", "")
    name = form.get("client_id") or _claims(token).get("sub")
    if not isinstance(name, str) or not name:
        raise OAuthError(OAuthCode.INVALID_CLIENT, "malformed client_assertion")
    return Credentials(name, "private_key_jwt", unverified_assertion=token)


def _basic(authorization: str) -> Credentials:
    scheme, _, encoded = authorization.partition(" ")
    refused = OAuthError(OAuthCode.INVALID_CLIENT, "malformed Authorization header")
    if scheme.lower() != "basic":
        raise refused
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise refused from None
    client_id, colon, secret = text.partition(":")
    if not colon or not client_id:
        raise refused
    # RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    return Credentials(unquote_plus(client_id), "client_secret_basic", unquote_plus(secret))
