"""What only its service may read: tokens within encryption to the client's key (Core §10.2)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from broker import jose
from broker.errors import UpstreamUnavailable
from broker.keyring import Keyring
from broker.oidc.client import Client
from broker.oidc.client_keys import keys_of
from broker.oidc.client_metadata import ClientMetadata

Kind = Literal["id_token", "userinfo"]


def nested(
    token: str, client: Client, kind: Kind, now: datetime, *, cty: str | None = "JWT"
) -> str:
    """`token` as the client registered to get it: encrypted to its key, or as it is.

    Outside any transaction: the key may have to be fetched. Raises UpstreamUnavailable where the
    client has no such key, or it cannot be had.
    """
    alg = getattr(client.metadata, f"{kind}_encrypted_response_alg")
    if alg is None:
        return token
    enc = getattr(client.metadata, f"{kind}_encrypted_response_enc") or "A256GCM"
    keys = keys_of(client, now)
    if not jose.takes(keys, alg):
        keys = keys_of(client, now, anew=True)
    try:
        return jose.encrypt(token, keys, alg=alg, enc=enc, cty=cty)
    except jose.KeyNotFound as error:
        raise UpstreamUnavailable("upstream_unusable", f"encryption: {error}") from error


def userinfo_is_jwt(metadata: ClientMetadata) -> bool:
    """Whether the client registered to hear of a person in a token (Core §5.3.2)."""
    wanted = metadata.userinfo_signed_response_alg, metadata.userinfo_encrypted_response_alg
    return any(wanted)


def userinfo(
    claims: Mapping[str, Any], client: Client, keyring: Keyring, issuer: str, now: datetime
) -> str:
    """The answer of userinfo as a token: signed, encrypted, or first the one and then the other.

    Raises UpstreamUnavailable, as `nested` does.
    """
    alg = client.metadata.userinfo_signed_response_alg
    if alg is None:
        plain = json.dumps(claims, ensure_ascii=False)
        return nested(plain, client, "userinfo", now, cty=None)
    # Core §5.3.2: a signed answer names who says it, and to whom.
    signed = jose.sign({**claims, "iss": issuer, "aud": client.id}, keyring, alg, now)
    return nested(signed, client, "userinfo", now)
