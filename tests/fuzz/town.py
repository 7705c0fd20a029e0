"""What is damaged: a sound request for every door that reads something, at most a little old."""

import json
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from flask.testing import FlaskClient

from broker.oidc.client_assertion import TYPE
from broker.oidc.exchange import ACCESS_TOKEN, GRANT_TYPE
from tests.conftest import ISSUER, NOON
from tests.fuzz.mutation import Signed, Sound
from tests.oidc.test_client_certificate import HEADER, certificate
from tests.proofs import ProofKey, ath
from tests.service import VERIFIER, Service, register, settle
from tests.signing import ClientKey, a_key, assertion_claims

KEY, PROOF = a_key(), ProofKey()
PEM = quote(certificate(KEY).public_bytes(Encoding.PEM).decode())
AT = int(NOON.timestamp())
_serial = count(1)

OFFLINE = "openid offline_access"
CLAIMS = json.dumps(
    {
        "id_token": {"acr": {"values": [f"{ISSUER}/acr/contact"]}, "auth_time": None},
        "userinfo": {
            "name": {"essential": True},
            "verified_claims": {
                "verification": {"trust_framework": None, "evidence": [{"type": {"value": "x"}}]},
                "claims": {"given_name": None},
            },
        },
    }
)
DETAILS = json.dumps([{"type": "identity_verification", "actions": ["verify"]}])
SIGNER = {"alg": "ES256", "kid": KEY.kid}


@dataclass(frozen=True)
class Town:
    """The broker's application, with services in every way of being one, and one person."""

    app: Flask
    client: FlaskClient
    secret: Service
    keyed: Service
    invitation: str

    def fresh(self) -> dict[str, str]:
        """A code, and tokens that are still good."""
        code = self.secret.code(self.client, scope=OFFLINE)
        tokens = self.secret.tokens(self.client, scope=OFFLINE)
        pushed = self.client.post(
            "/par", data=self.secret.arguments(), headers=self.secret.basic()
        ).get_json()
        said = {n: str(tokens[n]) for n in ("access_token", "refresh_token", "id_token")}
        return said | {"code": code, "request_uri": pushed["request_uri"]}


def found(app: Flask) -> Town:
    """The town, its services registered and its person signed in."""
    both: dict[str, Any] = {
        "jwks": KEY.key_set,
        "authorization_details_types": ["identity_verification"],
    }
    grants = ["authorization_code", "refresh_token", "client_credentials", GRANT_TYPE]
    secret = register(app, **both, grant_types=grants)
    keyed = register(
        app,
        Service("keyed"),
        **both,
        token_endpoint_auth_method="private_key_jwt",
        secret=None,
        grant_types=grants,
    )
    mtls = "self_signed_tls_client_auth"
    register(
        app, Service("mtls"), **both, token_endpoint_auth_method=mtls, secret=None,
        tls_client_certificate_bound_access_tokens=True,
    )  # fmt: skip
    client = app.test_client()
    person = settle(app, client, agreed=("openid", "offline_access"))
    settle(app, client, account=person.account_id, agreed=("openid",), service="keyed")
    told = app.test_cli_runner().invoke(args=["client", "invite", "--uses", "1000"]).output
    return Town(app, client, secret, keyed, told.split()[1])


def doors(town: Town, good: dict[str, str]) -> dict[str, Sound]:
    """Door → a request that it would answer kindly."""
    asked = town.secret.arguments(scope=OFFLINE, claims=CLAIMS, authorization_details=DETAILS)
    rich = asked | {"acr_values": f"{ISSUER}/acr/contact", "max_age": "100", "prompt": "none"}
    inside = town.keyed.arguments() | {"iss": "keyed", "aud": ISSUER, "nbf": AT, "exp": AT + 300}
    jar: dict[str, Any] = {
        "client_id": "keyed",
        "request": Signed(KEY, SIGNER | {"typ": "oauth-authz-req+jwt"}, inside),
    }
    basic = {"Authorization": town.secret.basic()["Authorization"]}
    asserted = _asserted(KEY)
    redeem = {"code": good["code"], "redirect_uri": town.secret.redirect_uri}
    code = {"grant_type": "authorization_code", **redeem, "code_verifier": VERIFIER}
    refresh = {"grant_type": "refresh_token", "refresh_token": good["refresh_token"]}
    swap = {
        "grant_type": GRANT_TYPE,
        "subject_token": good["access_token"],
        "subject_token_type": ACCESS_TOKEN,
        "resource": ISSUER,
        "audience": "keyed",
    }
    own = {"grant_type": "client_credentials", "scope": "audit:read"}
    about = {"token": good["access_token"], "token_type_hint": "access_token"}
    hint = {"id_token_hint": good["id_token"], "client_id": "service", "state": "x"}
    bearer = {"Authorization": f"Bearer {good['access_token']}"}
    dpop = {"Authorization": f"DPoP {good['access_token']}"}
    accept = {"Accept": "application/token-introspection+jwt"}
    return {
        "authorize": Sound("GET", "/authorize", query=rich),
        "authorize by form": Sound("POST", "/authorize", form=rich),
        "authorize with hint": Sound("GET", "/authorize", query=asked | hint),
        "request object": Sound("GET", "/authorize", query=jar),
        "pushed": Sound("POST", "/par", form=rich, headers=basic),
        "pushed, signed": Sound("POST", "/par", form=asserted | jar),
        "opened": Sound(
            "GET", "/authorize", query={"client_id": "service", "request_uri": good["request_uri"]}
        ),
        "code": Sound("POST", "/token", form=code, headers=basic | {"DPoP": _proof("/token")}),
        "refresh": Sound("POST", "/token", form=refresh, headers=basic),
        "exchange": Sound("POST", "/token", form=swap, headers=basic),
        "assertion": Sound("POST", "/token", form=asserted | own),
        "proof": Sound("POST", "/token", form=own, headers=basic | {"DPoP": _proof("/token")}),
        "certificate": Sound(
            "POST", "/token", form=own | {"client_id": "mtls"}, headers={HEADER: PEM}
        ),
        "introspect": Sound("POST", "/introspect", form=about, headers=basic | accept),
        "revoke": Sound("POST", "/revoke", form=about | {"token": "x"}, headers=basic),
        "userinfo": Sound("GET", "/userinfo", headers=bearer),
        "userinfo, proved": Sound(
            "POST",
            "/userinfo",
            headers=dpop | {"DPoP": _proof("/userinfo", good["access_token"])},
        ),
        "logout": Sound("GET", "/logout", query=hint),
        "logout by form": Sound("POST", "/logout", form=hint),
        "logout, sealed": Sound("GET", "/logout/request", query={"request": _sealed(town, hint)}),
        "register": Sound(
            "POST",
            "/register",
            headers={"Authorization": f"Bearer {town.invitation}"},
            body=json.dumps(_registration()).encode(),
        ),
    }


def _asserted(key: ClientKey) -> dict[str, Any]:
    claims = assertion_claims(NOON, "keyed", jti=f"assertion-{next(_serial)}")
    return {"client_assertion_type": TYPE, "client_assertion": Signed(key, SIGNER, claims)}


def _proof(path: str, token: str | None = None) -> Signed:
    head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": PROOF.key.as_dict(private=False)}
    said = {"jti": f"proof-{next(_serial)}", "htm": "POST", "htu": ISSUER + path, "iat": AT}
    return Signed(PROOF, head, said | ({} if token is None else {"ath": ath(token)}))


def _sealed(town: Town, hint: dict[str, str]) -> str:
    location = replace(town).app.test_client().post("/logout", data=hint).location
    return str(location).split("request=")[1].split("&")[0]


def _registration() -> dict[str, Any]:
    return {
        "redirect_uris": ["https://new.test/callback"],
        "client_name": "New",
        "client_name#fr": "Nouveau",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": KEY.key_set,
        "scope": "openid profile",
        "grant_types": ["authorization_code", "refresh_token"],
        "sector_identifier_uri": "https://new.test/sector.json",
        "backchannel_logout_uri": "https://new.test/backchannel",
        "id_token_encrypted_response_alg": "ECDH-ES",
        "tls_client_auth_subject_dn": "CN=x",
        "default_max_age": 10,
        "contacts": ["a@new.test"],
    }
