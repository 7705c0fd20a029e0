"""Whose key a token belongs to: a DPoP proof or a client certificate, named as `cnf` (RFC 7800)."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, request
from sqlalchemy.orm import Session

from broker.errors import OAuthCode, OAuthError
from broker.oidc import dpop, mtls
from broker.oidc.client import Client
from broker.web.tools import Presented, Tools, tools

pages = Blueprint("possession", __name__)

_NONCE_OWED = "dpop_nonce_owed"


def proved(tx: Session, client: Client, tools: Tools, now: datetime) -> dict[str, str]:
    """The keys that this request of a proved client shows to hold, as `cnf`; {} for none.

    Raises OAuthError: invalid_dpop_proof, use_dpop_nonce, or invalid_request for a client that
    must prove a key and did not (RFC 9449 §5.2, RFC 8705 §3).
    """
    said, cnf = client.metadata, {}
    unverified_proof = request.headers.get("DPoP")
    if unverified_proof is not None:
        cnf["jkt"] = _jkt(tx, unverified_proof, None, client, tools, now)
    elif said.dpop_bound_access_tokens:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "a DPoP proof is needed")
    if said.tls_client_certificate_bound_access_tokens:
        thumbprint = mtls.presented_thumbprint()
        if thumbprint is None:
            raise OAuthError(OAuthCode.INVALID_REQUEST, "a client certificate is needed")
        cnf["x5t#S256"] = thumbprint
    return cnf


def shown_key(tx: Session, client: Client, tools: Tools, now: datetime) -> str | None:
    """The key of the DPoP proof that this request brings, by its thumbprint; None without one.

    Raises OAuthError: invalid_dpop_proof, use_dpop_nonce.
    """
    unverified_proof = request.headers.get("DPoP")
    if unverified_proof is None:
        return None
    return _jkt(tx, unverified_proof, None, client, tools, now)


def held(  # noqa: PLR0913  what was brought, what it is bound to, and whose it is
    tx: Session,
    brought: Presented,
    cnf: Mapping[str, str],
    client: Client | None,
    tools: Tools,
    now: datetime,
) -> None:
    """Nothing, where the sender of an access token holds the key that it is bound to.

    A bound token sent as Bearer is refused, and so is an unbound one sent as DPoP (RFC 9449
    §7.1, RFC 8705 §3). Raises OAuthError.
    """
    if (brought.scheme == "dpop") != ("jkt" in cnf):
        raise OAuthError(OAuthCode.INVALID_TOKEN, "the token is of another type")
    if "jkt" in cnf:
        if brought.unverified_proof is None:
            raise OAuthError(OAuthCode.INVALID_DPOP_PROOF, "a DPoP proof is needed")
        token = brought.unverified_token
        jkt = _jkt(tx, brought.unverified_proof, token, client, tools, now)
        if not hmac.compare_digest(jkt, cnf["jkt"]):
            raise OAuthError(OAuthCode.INVALID_TOKEN, "the token is bound to another key")
    if "x5t#S256" in cnf and mtls.presented_thumbprint() != cnf["x5t#S256"]:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "the token is bound to another certificate")


def _jkt(  # noqa: PLR0913  the proof, and all that it must fit
    tx: Session,
    unverified_proof: str,
    token: str | None,
    client: Client | None,
    tools: Tools,
    now: datetime,
) -> str:
    owed = client is not None and client.metadata.owes_dpop_nonce
    setattr(g, _NONCE_OWED, owed)
    try:
        return dpop.check(
            tx,
            unverified_proof,
            dpop.Expected(
                method=request.method,
                url=_address(tools),
                nonce_key=tools.keyring.browser,
                nonce_owed=owed,
                access_token=token,
            ),
            now,
        )
    except OAuthError as error:
        setattr(g, _NONCE_OWED, owed or error.code == OAuthCode.USE_DPOP_NONCE)
        raise


def _address(tools: Tools) -> str:
    """The door as the sender called it: at the issuer, or where certificates are asked for."""
    mtls_origin = tools.settings.tls.mtls_origin
    if mtls_origin and request.host == urlsplit(mtls_origin).netloc:
        return mtls_origin + request.path
    return tools.settings.issuer + request.path


@pages.after_app_request
def _give_nonce(response: Response) -> Response:
    # RFC 9449 §8: with the refusal for want of one, and with every answer, so that the next
    # request need not be refused.
    if g.get(_NONCE_OWED):
        house = tools()
        response.headers["DPoP-Nonce"] = dpop.nonce(house.keyring.browser, house.clock())
        response.headers["Cache-Control"] = "no-store"
    return response
