"""Any case of the developers' folder `eid/saml`, decided by one function and never by an exception.

A case is a row of `manifest.jsonl`; `world.json` is what the broker is configured with. The
verifier is the real one, asked through its own `close`; the house's memory of what was used up is
a set here.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from broker.errors import EvidenceRejected
from broker.identity.evidence import Evidence
from broker.identity.scheme import Scheme
from broker.identity.verifier import Attempt, Reply
from broker.verifiers.eidas import EidasVerifier
from tests.verifiers.eidas.schemes import around, ec_key, scheme, written

Row = Mapping[str, Any]


def rows(folder: Path) -> list[Row]:
    """Every SAML case, in the order of the file."""
    lines = (folder / "manifest.jsonl").read_text("utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["protocol"] == "saml"]


def decide(folder: Path, row: Row, keys: Path) -> list[str]:
    """For each file of the case "accept", or the code with which it is refused.

    `keys` is a folder for key files.
    """
    return [verdict for verdict, _ in tried(folder, row, keys)]


def tried(folder: Path, row: Row, keys: Path) -> Iterator[tuple[str, Evidence | None]]:
    """As `decide`, each with the evidence where there is one."""
    world = json.loads((folder / "world.json").read_text("utf-8"))
    told = world["saml"] | row.get("ctx", {})
    names = _key_files(folder, told, keys)
    verifier = EidasVerifier(around(keys, *_schemes(told, names)))
    attempt = Attempt(
        handle="h" * 43,
        now=datetime.fromisoformat(world["now"]),
        locale="en",
        remembered={
            "scheme": "n0",
            "country": told["idps"][0]["country"],
            "least": told["requested_loa"].rsplit("/", 1)[-1],
            "request": told["request_id"],
            "at": told["request_time"],
        },
    )
    used: set[str] = set()
    for name in row["files"]:
        document = (folder / name).read_bytes()
        reply = Reply({"SAMLResponse": base64.b64encode(document).decode("ascii")})
        try:
            evidence = verifier.close(attempt, reply)
        except EvidenceRejected as refusal:
            yield refusal.code, None
            continue
        assert evidence.once is not None
        if evidence.once.name in used:
            yield "evidence_replayed", None
            continue
        used.add(evidence.once.name)
        yield "accept", evidence


def _schemes(told: Row, keys: list[str]) -> Iterator[Scheme]:
    """A scheme for each provider of the world: one country, one key holder, one door."""
    for n, idp in enumerate(told["idps"]):
        yield scheme(
            f"n{n}",
            country=idp["country"],
            saml={
                "entity_id": idp["entity_id"],
                "sso": "https://node.test/sso",
                "certificates": idp["certs"],
                "signed": told["signed"],
                "encrypted": told["require_encrypted"],
                "node_country": told.get("own_country", "MA"),
                "skew": told["clock_skew_s"],
                "fresh": told.get("force_authn", True),
                "our_entity_id": told["sp_entity_id"],
                "our_acs": told["acs"],
                "decryption_keys": keys,
            },
        )


def _key_files(folder: Path, told: Row, keys: Path) -> list[str]:
    """The world's keys as files of ours, each with a certificate of its own."""
    names = []
    for path in told["sp_decrypt_keys"]:
        key: Any = load_pem_private_key((folder / path).read_bytes(), None)
        names.append(f"{Path(path).stem}.pem")
        if not (keys / names[-1]).exists():
            written(keys / names[-1], key)
    if not (keys / "saml-signing.pem").exists():
        written(keys / "saml-signing.pem", ec_key("ours"))
    return names
