"""The pages of the demonstration, and the way there and back."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.integrations.base_client import OAuthError
from flask import Blueprint, current_app, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from broker.demo.guard import TokenRefused, verified_claims

BEYOND_CONTACT = ("basic", "verified-otp", "verified-phr", "verified-phrh")
OFFICIAL = ("official-phr", "official-phrh")

STRONGER: Mapping[str, frozenset[str]] = {
    "contact": frozenset(("contact", *BEYOND_CONTACT, *OFFICIAL)),
    "basic": frozenset((*BEYOND_CONTACT, *OFFICIAL)),
    "verified-phr": frozenset(("verified-phr", "verified-phrh", *OFFICIAL)),
}
"""acr needed → acr values that contain it: pairs are compared, so it is a table, not a ladder."""

ACTS = {"deadlines": "contact", "read": "basic", "file": "verified-phr"}
"""Act → the acr that it needs."""

pages = Blueprint("demo", __name__)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who came, as the verified tokens say; kept in this process's memory only."""

    id_token: Mapping[str, Any]
    userinfo: Mapping[str, Any]

    def acr(self) -> str:
        """The level received, without the issuer's prefix."""
        return str(self.id_token.get("acr", "")).removeprefix(f"{_demo().issuer}/acr/")

    def may(self, act: str) -> bool:
        """Whether this level is enough for the act."""
        return self.acr() in STRONGER[ACTS[act]]


@dataclass(frozen=True, slots=True)
class Demo:
    """The issuer that is trusted, the stock client that speaks to it, and who is here."""

    issuer: str
    client: Any
    visitors: dict[str, Visitor]


class SignInFailed(Exception):
    """The way back from the broker did not end in a token to rely on."""


@pages.get("/")
def home() -> str:
    """The front page, or what a visitor may do."""
    who = _visitor()
    if who is None:
        return render_template("demo/home.html")
    acts = [(act, need, who.may(act)) for act, need in ACTS.items()]
    return render_template("demo/welcome.html", who=who, acr=who.acr(), acts=acts)


@pages.get("/sign-in")
def sign_in() -> Response:
    """Off to the broker, asking for a certain level where one is named."""
    wanted = request.args.get("acr", "")
    more = {"acr_values": f"{_demo().issuer}/acr/{wanted}"} if wanted in STRONGER else {}
    back = url_for("demo.callback", _external=True)
    answer: Response = _demo().client.authorize_redirect(back, ui_locales=g.language, **more)
    return answer


@pages.get("/callback")
def callback() -> Response:
    """Back from the broker: the token is verified twice before anybody is let in."""
    # RFC 9207: the answer of another issuer is not even looked at.
    if request.args.get("iss") != _demo().issuer:
        raise SignInFailed("iss")
    visitor = _received()
    session.clear()
    session["visitor"] = os.urandom(16).hex()
    _demo().visitors[session["visitor"]] = visitor
    return redirect(url_for("demo.home"), code=303)


@pages.post("/act/<act>")
def act(act: str) -> tuple[str, int] | Response:
    """Do it, or refuse it for want of assurance and ask for more."""
    who = _visitor()
    if who is None or act not in ACTS:
        return redirect(url_for("demo.home"), code=303)
    if who.may(act):
        return render_template("demo/done.html", act=act), 200
    return render_template("demo/refused.html", who=who, act=act, needed=ACTS[act]), 403


@pages.post("/leave")
def leave() -> Response:
    """Forget this visitor."""
    _demo().visitors.pop(session.get("visitor", ""), None)
    session.clear()
    return redirect(url_for("demo.home"), code=303)


@pages.app_errorhandler(SignInFailed)
def failed(error: SignInFailed) -> tuple[str, int]:
    """Say that it failed, and by what word."""
    return render_template("demo/failed.html", why=str(error)), 400


def _received() -> Visitor:
    client = _demo().client
    state = client.framework.get_state_data(session, request.args.get("state", "")) or {}
    try:
        tokens = client.authorize_access_token()
        claims = verified_claims(
            tokens["id_token"],
            client.fetch_jwk_set(),
            issuer=_demo().issuer,
            client_id=client.client_id,
            nonce=str(state.get("nonce", "")),
            alg="ES256",
            access_token=tokens["access_token"],
            now=int(time.time()),
        )
        userinfo = dict(client.userinfo(token=tokens))
    except OAuthError as error:
        raise SignInFailed(error.error) from error
    except (TokenRefused, KeyError) as error:
        raise SignInFailed("token") from error
    if userinfo.get("sub") != claims["sub"]:  # Core §5.3.2: a MUST of the relying side
        raise SignInFailed("sub")
    return Visitor(claims, userinfo)


def _visitor() -> Visitor | None:
    return _demo().visitors.get(session.get("visitor", ""))


def _demo() -> Demo:
    held: Demo = current_app.extensions["demo"]
    return held
