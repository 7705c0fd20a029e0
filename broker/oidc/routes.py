"""The OpenID desk's endpoints: HTTP in, HTTP out, one transaction each."""

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from broker import jose
from broker.db import reading, transaction
from broker.errors import OAuthCode, OAuthError
from broker.feature import ClaimsAsked, claims_of
from broker.oidc import authorize as desk
from broker.oidc import store
from broker.oidc.claims import told_to, userinfo_claims
from broker.oidc.client_authentication import authenticate, read_credentials
from broker.oidc.discovery import metadata
from broker.oidc.request import ReplyAddress, parse, prove_client, prove_reply_address
from broker.oidc.token import GRANTS, Refusal, granted
from broker.web import csrf, errors
from broker.web.bearer import bearer_token
from broker.web.locale import LANGUAGES
from broker.web.tools import tools

pages = Blueprint("oidc", __name__)

for door in ("authorize_by_form", "token", "userinfo"):
    csrf.exempt(f"oidc.{door}")

_CROSS_ORIGIN = frozenset(f"oidc.{e}" for e in ("discovery", "keys", "token", "userinfo"))


@pages.get("/authorize")
def authorize() -> BaseResponse:
    """The authorization endpoint (Core §3.1.2): to a step, or back to the service."""
    if request.method == "HEAD":  # Flask answers HEAD with GET's view; a code must not be minted
        return Response()
    app, now, arguments = tools(), tools().clock(), request.args.to_dict(flat=False)
    with transaction() as tx:
        client = prove_client(arguments, lambda name: store.find_client(tx, name))
        _errors_go_to(prove_reply_address(arguments, client))
        target = desk.begin(tx, parse(arguments, client), client, app, now)
    return redirect(target, code=303)


@pages.post("/authorize")
def authorize_by_form() -> BaseResponse:
    """The same by POST (Core §3.1.2.1), turned into a GET.

    A form of another site arrives without our SameSite cookies; the redirect brings them.
    """
    query = urlencode(request.form.to_dict(flat=False), doseq=True)
    return redirect(f"/authorize?{query}", code=303)


@pages.get("/authorize/<handle>")
def resume(handle: str) -> BaseResponse:
    """Where every step returns to: to the next step, or back to the service with a code."""
    if request.method == "HEAD":
        return Response()
    app, now = tools(), tools().clock()
    with transaction() as tx:
        target = desk.resume(tx, handle, app, now)
    return redirect(target, code=303)


@pages.get("/authorize/<handle>/decline")
def decline(handle: str) -> BaseResponse:
    """Back to the service with access_denied."""
    app, now = tools(), tools().clock()
    with transaction() as tx:
        target = desk.decline(tx, handle, app, now)
    return redirect(target, code=303)


@pages.post("/token")
def token() -> Response:
    """The token endpoint (Core §3.1.3): all of it in one transaction."""
    app, now = tools(), tools().clock()
    form = _once(request.form.to_dict(flat=False))
    if request.args:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "parameters belong in the body")
    credentials = read_credentials(request.headers.get("Authorization"), form)
    with transaction() as tx:
        client = authenticate(store.find_client(tx, credentials.client_id), credentials)
        grant_type = form.get("grant_type", "")
        if grant_type not in GRANTS:
            raise OAuthError(
                OAuthCode.UNSUPPORTED_GRANT_TYPE if grant_type else OAuthCode.INVALID_REQUEST,
                "grant_type",
            )
        if grant_type not in client.metadata.grant_types:
            raise OAuthError(OAuthCode.UNAUTHORIZED_CLIENT, "grant_type is not registered")
        answer = GRANTS[grant_type](tx, form, client, app, now)
    if isinstance(answer, Refusal):
        raise answer.error()
    return jsonify(answer)


@pages.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Claims about the person behind an access token (Core §5.3)."""
    app, now = tools(), tools().clock()
    with reading() as tx:
        grant = granted(tx, bearer_token(form_too=True), now)
        asked = ClaimsAsked(frozenset(grant.scope))
        said = claims_of(app.features, tx, grant.account_id, asked, now)
    return jsonify(userinfo_claims(grant, told_to(grant, said, app.keyring.pairwise)))


@pages.get("/.well-known/openid-configuration")
def discovery() -> Response:
    """The provider's metadata."""
    app = tools()
    return _published(metadata(app.settings.issuer, app.policy, list(LANGUAGES)))


@pages.get("/jwks")
def keys() -> Response:
    """The public keys, future ones included, so that caches know them before they sign."""
    return _published(jose.jwks(tools().keyring))


@pages.after_request
def _allow_other_origins(response: Response) -> Response:
    # Browser clients read these four; none of them looks at a cookie.
    if request.endpoint in _CROSS_ORIGIN:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate"
    return response


def _published(document: dict[str, Any]) -> Response:
    body = json.dumps(document, separators=(",", ":")).encode()
    response = Response(body, mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response


def _errors_go_to(address: ReplyAddress) -> None:
    def redirected(error: OAuthError) -> BaseResponse:
        url = desk.answer_url(
            address.redirect_uri,
            tools().settings.issuer,
            address.state,
            error=error.code,
            error_description=error.hint,
        )
        return redirect(url, code=303)

    errors.redirect_with(redirected)


def _once(form: dict[str, list[str]]) -> dict[str, str]:
    # RFC 6749 §3.2: no parameter twice; one sent empty is as if absent.
    if any(len(values) > 1 for values in form.values()):
        raise OAuthError(OAuthCode.INVALID_REQUEST, "a parameter was sent more than once")
    return {name: values[0] for name, values in form.items() if values[0]}
