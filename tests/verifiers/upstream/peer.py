"""An OpenID Provider on a network of its own: strict with us, and as wrong as a test wants it."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwe, jws, jwt
from joserfc.jwe import JWERegistry
from joserfc.jwk import ECKey, KeySet, RSAKey

from broker import jose
from broker.errors import UpstreamUnavailable
from broker.identity.scheme import Scheme, parse
from broker.identity.verifier import Attempt, Redirect, Reply, Surroundings
from broker.keyring import Keyring
from broker.outbound import Answer, Outbound
from broker.verifiers.upstream import UpstreamVerifier
from tests.conftest import NOON

ISSUER = "https://op.test"
CLIENT_ID = "miftah"
SECRET = "a secret of forty characters, more or less"
KEY = ECKey.generate_key("P-256", {"kid": "op-1", "use": "sig", "alg": "ES256"})
NEXT_KEY = ECKey.generate_key("P-256", {"kid": "op-2", "use": "sig", "alg": "ES256"})
STRANGER = ECKey.generate_key("P-256", {"kid": "op-1", "use": "sig", "alg": "ES256"})
OURS = ECKey.generate_key("P-256", {"use": "enc"})
OURS_RSA = RSAKey.generate_key(2048, {"use": "enc"})

PERSON = {
    "sub": "u-1",
    "family_name": "Onases",
    "given_name": "Sarah",
    "birthdate": "1975-04-20",
    "gender": "female",
    "birthplace": "75056",
    "birthcountry": "99100",
}

SCHEME = """
enabled = true
protocol = "oidc"
framework = "https://op.test/framework"
countries = ["FR"]
identifier = "sub"
[name]
fr = "Identité d'essai"
ar = "هوية تجريبية"
en = "Trial identity"
[about]
fr = "Vous avez besoin de votre compte d'essai."
ar = "تحتاجون إلى حسابكم التجريبي."
en = "You need your trial account."
[claims]
given_name = "given_name"
family_name = "family_name"
birthdate = "birthdate"
gender = "gender"
nationalities = "nationalities"
birthplace_code = "birthplace"
birthcountry_code = "birthcountry"
[[levels]]
says = "eidas1"
means = "low"
evidence = "fc_eidas1"
[[levels]]
says = "eidas2"
means = "substantial"
evidence = "fc_eidas2"
[[levels]]
says = "eidas3"
means = "high"
evidence = "fc_eidas3"
[oidc]
issuer = "https://op.test"
client_id = "miftah"
"""


def scheme(more: str = "", name: str = "trial", text: str = SCHEME) -> Scheme:
    """The trial scheme, with further lines in its `[oidc]` section."""
    return parse(name, (text + more).encode())


Change = Callable[[dict[str, Any]], None]


@dataclass
class Wrong:
    """What this provider does otherwise than it should; nothing, unless a test says so."""

    id_token: Change = lambda _: None
    userinfo: Change = lambda _: None
    tokens: Change = lambda _: None
    metadata: Change = lambda _: None
    callback: Change = lambda _: None
    key: ECKey = field(default_factory=lambda: KEY)
    header: dict[str, Any] = field(default_factory=dict)
    published: tuple[ECKey, ...] = field(default_factory=lambda: (KEY,))
    encrypt: ECKey | RSAKey | None = None
    userinfo_as: str = "plain"
    userinfo_status: int = 200
    dpop_nonce: str = ""
    silent: str = ""
    instead: dict[str, Answer] = field(default_factory=dict)


class Peer(Outbound):
    """What hears our requests in the place of the network."""

    def __init__(self, keyring: Keyring, wrong: Wrong | None = None) -> None:
        super().__init__()
        set_ = object.__setattr__
        set_(self, "wrong", wrong or Wrong())
        set_(self, "keyring", keyring)
        set_(self, "asked", [])
        set_(self, "pushed", {})
        set_(self, "codes", {})
        set_(self, "now", NOON)

    wrong: Wrong
    keyring: Keyring
    asked: list[str]
    pushed: dict[str, dict[str, str]]
    codes: dict[str, dict[str, str]]
    now: datetime

    def fetch(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 64 * 1024,  # noqa: ARG002  as Outbound
    ) -> Answer:
        path = url.removeprefix(ISSUER)
        self.asked.append(path)
        if self.wrong.silent and path.endswith(self.wrong.silent):
            raise UpstreamUnavailable("upstream_unavailable", "TimeoutError")
        return self.wrong.instead.get(path) or self._answer(path, form, headers or {})

    def _answer(
        self, path: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        if form is not None and (refused := self._demand_client(path, form, headers)):
            return refused
        answers: dict[str, Callable[[], Answer]] = {
            "/.well-known/openid-configuration": lambda: self._json(self._metadata()),
            "/jwks": lambda: self._json(
                {"keys": [key.as_dict(private=False) for key in self.wrong.published]}
            ),
            "/par": lambda: self._push(dict(form or {})),
            "/token": lambda: self._tokens(dict(form or {})),
            "/userinfo": lambda: self._userinfo(headers),
        }
        return answers[path]()

    def authorize(self, url: str) -> dict[str, str]:
        """A person signs in; the fields of the answer that their browser brings back."""
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/authorize"
        sent = dict(parse_qsl(parts.query, strict_parsing=True))
        if "request_uri" in sent:
            assert set(sent) == {"client_id", "request_uri"}
            sent = self.pushed.pop(sent["request_uri"])
        if "request" in sent:
            sent |= self._request_object(sent["request"])
        assert (sent["client_id"], sent["response_type"]) == (CLIENT_ID, "code")
        code = f"code-{len(self.codes)}"
        self.codes[code] = sent
        answer: dict[str, str] = {"code": code, "state": sent["state"], "iss": ISSUER}
        self.wrong.callback(answer)
        return answer

    def _metadata(self) -> dict[str, Any]:
        made: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_response_iss_parameter_supported": True,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "jwks_uri": f"{ISSUER}/jwks",
            "pushed_authorization_request_endpoint": f"{ISSUER}/par",
        }
        self.wrong.metadata(made)
        return made

    def _demand_client(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> Answer | None:
        if "DPoP" in headers:
            proof = jws.extract_compact(headers["DPoP"].encode())
            told = json.loads(proof.payload)
            assert (told["htm"], told["htu"]) == ("POST", f"{ISSUER}{path}")
            assert set(proof.headers()["jwk"]) <= {"kty", "crv", "x", "y"}
            if told.get("nonce", "") != self.wrong.dpop_nonce:
                refused = self._json({"error": "use_dpop_nonce"}, 400)
                return Answer(**{**_members(refused), "nonce": self.wrong.dpop_nonce})
        if "Authorization" in headers:
            sent = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
            assert sent.startswith(f"{CLIENT_ID}:")
            return None
        assert form["client_id"] == CLIENT_ID
        if "client_secret" in form:
            assert form["client_secret"] == SECRET
            return None
        claims = self._of_ours(form["client_assertion"])
        assert claims["iss"] == claims["sub"] == CLIENT_ID
        assert claims["aud"] in {ISSUER, f"{ISSUER}{path}"}
        return None

    def _of_ours(self, token: str) -> dict[str, Any]:
        keys = KeySet.import_key_set(jose.jwks(self.keyring))  # type: ignore[arg-type]
        return dict(jwt.decode(token, keys, algorithms=["ES256", "PS256", "RS256"]).claims)

    def _request_object(self, token: str) -> dict[str, str]:
        claims = self._of_ours(token)
        assert (claims["iss"], claims["aud"]) == (CLIENT_ID, ISSUER)
        return {name: str(value) for name, value in claims.items()}

    def _push(self, form: dict[str, str]) -> Answer:
        name = f"urn:ietf:params:oauth:request_uri:{len(self.pushed)}"
        self.pushed[name] = form
        return self._json({"request_uri": name, "expires_in": 60}, 201)

    def _tokens(self, form: dict[str, str]) -> Answer:
        sent = self.codes.pop(form["code"], None)
        if sent is None or form["redirect_uri"] != sent["redirect_uri"]:
            return self._json({"error": "invalid_grant"}, 400)
        hashed = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        if (sent["code_challenge_method"], sent["code_challenge"]) != ("S256", challenge):
            return self._json({"error": "invalid_grant"}, 400)
        access = "an-access-token"
        moment = int(self.now.timestamp())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "sub": PERSON["sub"],
            "iat": moment,
            "exp": moment + 300,
            "nonce": sent["nonce"],
            "acr": sent["acr_values"],
            "auth_time": moment,
            "at_hash": jose.half_hash(access, "ES256"),
        }
        self.wrong.id_token(claims)
        answer = {"access_token": access, "id_token": self._signed(claims), "token_type": "Bearer"}
        self.wrong.tokens(answer)
        return self._json(answer)

    def _userinfo(self, headers: Mapping[str, str]) -> Answer:
        assert headers["Authorization"].split()[1] == "an-access-token"
        if "DPoP" in headers:
            told = json.loads(jws.extract_compact(headers["DPoP"].encode()).payload)
            assert told["ath"]
            if told.get("nonce", "") != self.wrong.dpop_nonce:
                refused = self._json({"error": "use_dpop_nonce"}, 401)
                return Answer(**{**_members(refused), "nonce": self.wrong.dpop_nonce})
        claims: dict[str, Any] = dict(PERSON)
        if self.wrong.userinfo_as == "signed":
            claims |= {"iss": ISSUER, "aud": CLIENT_ID}
        self.wrong.userinfo(claims)
        if self.wrong.userinfo_as == "plain":
            return self._json(claims)
        body = self._signed(claims).encode()
        return Answer(self.wrong.userinfo_status, "application/jwt", False, body)

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "ES256", "kid": "op-1", **self.wrong.header}
        if self.wrong.key is NEXT_KEY:
            header["kid"] = "op-2"
        token = jwt.encode(header, claims, self.wrong.key, algorithms=["ES256"])
        if self.wrong.encrypt is None:
            return token
        alg = "RSA-OAEP-256" if isinstance(self.wrong.encrypt, RSAKey) else "ECDH-ES+A256KW"
        outer = {"alg": alg, "enc": "A256GCM", "cty": "JWT", "iss": ISSUER, "aud": CLIENT_ID}
        registry = JWERegistry(algorithms=[alg, "A256GCM"], strict_check_header=False)
        return str(jwe.encrypt_compact(outer, token, self.wrong.encrypt, registry=registry))

    @staticmethod
    def _json(body: Mapping[str, Any], status: int = 200) -> Answer:
        return Answer(status, "application/json; charset=utf-8", False, json.dumps(body).encode())


def _members(answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "content_type": answer.content_type,
        "encoded": answer.encoded,
        "body": answer.body,
    }


def door(peer: Peer, *schemes: Scheme, key_files: Path = Path("none")) -> UpstreamVerifier:
    """The verifier, with this peer for a network."""
    held = {scheme_.id: scheme_ for scheme_ in schemes or (scheme(),)}
    draws = iter(range(1, 1000))
    around = Surroundings(
        "https://broker.test",
        lambda: held,
        lambda: peer.keyring,
        lambda n: next(draws).to_bytes(n, "big"),
        peer,
        key_files,
    )
    return UpstreamVerifier(around)


def sent_away(
    verifier: UpstreamVerifier, least: str = "substantial", name: str = "trial"
) -> tuple[str, Attempt]:
    """The address that the person is sent to, and the attempt as it will be resumed."""
    opening = verifier.open(Attempt("handle-1", NOON, "fr", scheme=name, least=least))
    assert isinstance(opening.show, Redirect)
    return opening.show.url, Attempt("handle-1", NOON, "fr", opening.remember)


def came_back(
    verifier: UpstreamVerifier, peer: Peer, least: str = "substantial"
) -> tuple[Attempt, Reply]:
    """A whole detour: the attempt, and the reply to it."""
    url, attempt = sent_away(verifier, least)
    return attempt, Reply(peer.authorize(url))
