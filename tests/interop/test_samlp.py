"""npm samlp as the identity provider: it reads what we ask, and we read what it answers."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.clock import utcnow
from broker.errors import EvidenceRejected
from broker.identity.verifier import Page, Reply
from broker.verifiers.eidas import EidasVerifier
from tests.verifiers.eidas.conftest import Door, abroad
from tests.verifiers.eidas.node import ENTITY, Node
from tests.verifiers.eidas.schemes import (
    LOA,
    NATURAL,
    around,
    pem,
    rsa_key,
    scheme,
    self_signed,
    written,
)

pytestmark = pytest.mark.interop

HERE = Path(__file__).parent
PERSON = {
    f"{NATURAL}/PersonIdentifier": "XA/MA/1",
    f"{NATURAL}/CurrentFamilyName": "Onases",
    f"{NATURAL}/CurrentGivenName": "Sarah",
    f"{NATURAL}/DateOfBirth": "1975-04-20",
}


def make(**said: Any) -> Door:
    """A door to the provider, with requests that it can read."""
    folder = abroad().verifier.around.key_files
    written(folder / "saml-signing.pem", rsa_key("ours-signing"))
    node = Node(rsa_key("samlp"))
    told = node.section | {"encrypted": False, "rsa": "pkcs1"} | said
    verifier = EidasVerifier(around(folder, scheme("xa", saml=told)))
    return Door(verifier, node, now=utcnow())


def answered(door: Door, ours: str = "ours-signing", sign: str = "both") -> tuple[Any, Any, Any]:
    """The attempt, the provider's answer, and what it understood of the question."""
    attempt, opening = door.ask()
    assert isinstance(opening.show, Page)
    key = rsa_key("samlp").private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    said = {
        "request": opening.show.context["saml_request"],
        "ours": pem(self_signed(rsa_key(ours))),
        "cert": pem(door.node.certificate),
        "key": key.decode(),
        "issuer": ENTITY,
        "acs": "https://broker.test/foreign/eidas/xa",
        "attributes": PERSON,
        "sign": sign,
    }
    told = subprocess.run(
        ["node", HERE / "samlp.mjs"],
        input=json.dumps(said),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if told.returncode != 0:
        raise ValueError(told.stderr)
    heard = json.loads(told.stdout)
    return attempt, Reply({"SAMLResponse": heard["response"]}), heard["asked"]


@pytest.mark.parametrize("sign", ["response", "assertion", "both"])
def test_it_understands_us_and_we_understand_it(sign: str) -> None:
    door = make(signed=sign)
    attempt, reply, asked = answered(door, sign=sign)
    assert asked["issuer"] == "https://broker.test/foreign/eidas/xa.xml"
    assert asked["requestedAuthnContext"] == {"authnContextClassRef": f"{LOA}substantial"}
    evidence = door.verifier.close(attempt, reply)
    assert (evidence.kind, evidence.value("family_name")) == ("eidas_substantial", "Onases")


def test_it_sees_when_the_request_is_not_ours() -> None:
    with pytest.raises(ValueError, match="signature"):
        answered(make(), ours="stranger")


def test_its_answer_to_another_question_is_refused() -> None:
    door = make()
    _, reply, _ = answered(door)
    other, _ = door.ask()
    with pytest.raises(EvidenceRejected, match="eidas_not_our_question"):
        door.verifier.close(other, reply)
