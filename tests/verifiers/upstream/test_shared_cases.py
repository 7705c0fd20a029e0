"""Every OpenID Connect case of the developers' folder, decided through `close`."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc.jwk import ECKey, RSAKey

from broker.errors import EvidenceRejected
from broker.identity.evidence import Evidence
from broker.identity.scheme import Scheme, parse
from broker.identity.verifier import Attempt, Reply, Surroundings
from broker.keyring import Keyring
from broker.outbound import Answer, Outbound
from broker.verifiers.upstream import UpstreamVerifier

SHARED = Path(__file__).parents[4] / "shared" / "eid"
MANIFEST = SHARED / "manifest.jsonl"
LINES = MANIFEST.read_text("utf-8").splitlines() if MANIFEST.is_file() else []
ROWS = [json.loads(line) for line in LINES]
CASES = [row for row in ROWS if row["protocol"] == "oidc"]
WORLD = json.loads((SHARED / "world.json").read_text("utf-8")) if ROWS else {}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not ROWS, reason="the shared folder is not beside the repository"),
]

SCHEME = """
enabled = true
protocol = "oidc"
framework = "trial"
countries = ["FR"]
identifier = "sub"
[name]
fr = "XA"
ar = "XA"
en = "XA"
[about]
fr = "XA"
ar = "XA"
en = "XA"
[claims]
given_name = "given_name"
family_name = "family_name"
birthdate = "birthdate"
gender = "gender"
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
issuer = "ISSUER"
client_id = "CLIENT"
max_age = 900
token_endpoint = "ISSUER/token"
userinfo_endpoint = "ISSUER/userinfo"
authorization_endpoint = "ISSUER/authorize"
id_token = "ID_TOKEN"
userinfo = "USERINFO"
decryption_key_files = ["ec.pem", "rsa.pem"]
"""


class Canned(Outbound):
    """The network, on which one provider answers what the case has it answer, a code once."""

    def hear(self, case: Mapping[str, Any], issuer: str, spent: set[str]) -> "Canned":
        answers = {
            f"{issuer}/.well-known/openid-configuration": case.get("discovery")
            or json.loads((SHARED / "oidc" / "discovery.json").read_text("utf-8")),
            f"{issuer}/jwks": json.loads((SHARED / "oidc" / "jwks.json").read_text("utf-8")),
            f"{issuer}/token": case["token_response"],
        }
        object.__setattr__(self, "_answers", (answers, case["userinfo"], spent))
        return self

    def fetch(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002  as Outbound
        limit: int = 64 * 1024,  # noqa: ARG002  as Outbound
    ) -> Answer:
        answers, userinfo, spent = self._answers  # type: ignore[attr-defined]
        assert url.startswith("https://op.xa.test/"), url
        if form is not None:
            if form["code"] in spent:
                return Answer(400, "application/json", False, b'{"error":"invalid_grant"}')
            spent.add(form["code"])
        if url.endswith("/userinfo"):
            body, media = userinfo["body"], userinfo["content_type"]
            raw = body if isinstance(body, str) else json.dumps(body)
            return Answer(200, media, False, raw.encode())
        return Answer(200, "application/json", False, json.dumps(answers[url]).encode())


def scheme(ctx: Mapping[str, Any]) -> Scheme:
    world = WORLD["oidc"]
    text = SCHEME.replace("ISSUER", world["issuer"]).replace("CLIENT", world["client_id"])
    text = text.replace("ID_TOKEN", "encrypted" if ctx.get("require_jwe") else "signed")
    signed = ctx.get("require_signed_userinfo")
    text = text.replace("USERINFO", "signed" if signed else "plain")
    return parse("xa", text.encode())


@pytest.fixture(scope="module")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for jwk in json.loads((SHARED / "keys" / "rp_enc_jwks.json").read_text("utf-8"))["keys"]:
        kind = ECKey if jwk["kty"] == "EC" else RSAKey
        pem = kind.import_key(jwk).as_pem(private=True)
        (folder / f"{jwk['kty'].lower()}.pem").write_bytes(pem)
    return folder


def verifier(
    case: Mapping[str, Any],
    ctx: Mapping[str, Any],
    key_files: Path,
    keyring: Keyring,
    spent: set[str],
) -> UpstreamVerifier:
    network = Canned().hear(case, WORLD["oidc"]["issuer"], spent)
    around = Surroundings(
        "https://broker.ma.test",
        lambda: {"xa": scheme(ctx)},
        lambda: keyring,
        lambda n: b"x" * n,
        network,
        key_files,
    )
    return UpstreamVerifier(around)


def attempt() -> Attempt:
    session = WORLD["oidc"]["session"]
    remembered = {
        "nonce": session["nonce"],
        "code_verifier": "v" * 43,
        "scheme": "xa",
        "least": {"eidas1": "low", "eidas2": "substantial"}[session["acr_values"]],
    }
    return Attempt(session["state"], datetime.fromisoformat(WORLD["now"]), "fr", remembered)


def reply(callback: str) -> Reply:
    pairs = parse_qsl(urlsplit(callback).query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    repeated = frozenset(name for name in names if names.count(name) > 1)
    return Reply(dict(reversed(pairs)), {}, repeated)


def decided(
    row: Mapping[str, Any], key_files: Path, keyring: Keyring
) -> list[Evidence | EvidenceRejected]:
    """What became of each of the case's answers, one after another, at one provider."""
    made: list[Evidence | EvidenceRejected] = []
    spent: set[str] = set()
    for file in row["files"]:
        case = json.loads((SHARED / file).read_text("utf-8"))
        door = verifier(case, row.get("ctx") or {}, key_files, keyring, spent)
        try:
            made.append(door.close(attempt(), reply(case["callback"])))
        except EvidenceRejected as refusal:
            made.append(refusal)
    return made


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["id"])
def test_each_case_is_decided_as_its_manifest_says(
    row: Mapping[str, Any], key_files: Path, keyring: Keyring
) -> None:
    wanted = (row.get("ctx") or {}).get("expect_each") or [row["expect"]]
    made = decided(row, key_files, keyring)
    assert ["accept" if isinstance(m, Evidence) else "refuse" for m in made] == wanted, made
    for evidence in made:
        if isinstance(evidence, EvidenceRejected):
            assert evidence.code in UpstreamVerifier.refusals
        if isinstance(evidence, Evidence):
            assert evidence.value("birthplace_code") == "75056"
            assert evidence.origin is not None
            assert evidence.origin.holder not in (row.get("must_not_yield") or ())
