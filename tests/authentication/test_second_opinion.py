"""python-fido2 as a second opinion: every disagreement has its reason here.

It is asked about honest messages and about thousands with one octet changed.
"""

import json
from collections.abc import Mapping
from random import Random
from typing import Any, Final

import cbor2
import pytest
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    PublicKeyCredentialRpEntity,
    UserVerificationRequirement,
)

from broker.authentication.judge import judge
from broker.authentication.message import base64url
from tests.authentication.authenticator import SoftAuthenticator, unb64
from tests.conftest import ISSUER, NOON

RP: Final = "broker.test"
CHALLENGE: Final = base64url(bytes(range(32)))
OWNER: Final = b"o" * 32

STRICTER: Final[Mapping[str, str]] = {
    "credential_id_differs": "the ID of the envelope is not held against the one in the message",
    "public_key": "whether a point is on its curve is not asked at enrolment",
    "user_handle_differs": "whose key it is, is the caller's business",
}
"""Our reason for a refusal → why the second opinion may have none."""

LIBRARY: Final = "library:"
"""Refused by py_webauthn, which wants an empty statement where the format is `none`, and knows the
kinds of key that it may verify; python-fido2 leaves both to whoever asks for attestation."""


def options() -> dict[str, Any]:
    return {
        "rp": {"id": RP, "name": "x"},
        "rpId": RP,
        "user": {"id": base64url(OWNER), "name": "x", "displayName": "x"},
        "challenge": CHALLENGE,
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "excludeCredentials": [],
        "allowCredentials": [],
    }


def config() -> dict[str, Any]:
    return {"rp_id": RP, "allowed_origins": [ISSUER]}


def enrolment(key: SoftAuthenticator) -> dict[str, Any]:
    state = {"expected_challenge": CHALLENGE}
    response = key.create(options())
    return {"ceremony": "registration", "config": config(), "state": state, "response": response}


def sign_in(key: SoftAuthenticator, enrolled: SoftAuthenticator) -> dict[str, Any]:
    held = enrolled.credentials[0]
    known = {
        "id": base64url(held.credential_id),
        "user_handle": base64url(held.user_handle),
        "public_key": base64url(public_key(enrolled)),
        "sign_count": 0,
        "backup_eligible": False,
    }
    state = {"expected_challenge": CHALLENGE, "credentials": [known]}
    return {
        "ceremony": "authentication",
        "config": config(),
        "state": state,
        "response": key.get(options()),
    }


ENROLLED: dict[int, bytes] = {}


def public_key(enrolled: SoftAuthenticator) -> bytes:
    return ENROLLED[id(enrolled)]


def enrolled_key() -> SoftAuthenticator:
    """A key that is enrolled, whose public key is remembered."""
    key = SoftAuthenticator(ISSUER, RP)
    made = key.create(options())
    data = cbor2.loads(unb64(made["response"]["attestationObject"]))["authData"]
    length = int.from_bytes(data[53:55], "big")
    ENROLLED[id(key)] = data[55 + length :]
    return key


def second(case: Mapping[str, Any]) -> str:
    """`accept`, or what python-fido2 has against the message."""
    entity = PublicKeyCredentialRpEntity(id=RP, name="x")
    server = Fido2Server(entity, verify_origin=lambda origin: origin == ISSUER)
    state = {"challenge": CHALLENGE, "user_verification": UserVerificationRequirement.REQUIRED}
    try:
        if case["ceremony"] == "registration":
            server.register_complete(state, case["response"])
        else:
            server.authenticate_complete(state, _known(case), case["response"])
    except Exception as error:  # noqa: BLE001  whatever it raises is a refusal
        return type(error).__name__
    return "accept"


def _known(case: Mapping[str, Any]) -> list[AttestedCredentialData]:
    return [
        AttestedCredentialData.create(
            bytes(16), unb64(key["id"]), CoseKey.parse(cbor2.loads(unb64(key["public_key"])))
        )
        for key in case["state"]["credentials"]
    ]


def disagreement(case: Mapping[str, Any]) -> str | None:
    """What nobody has explained: our verdict and theirs; None where there is nothing."""
    ours, theirs = judge(case, NOON), second(case)
    if (ours == "accept") is (theirs == "accept"):
        return None
    if ours != "accept" and (ours in STRICTER or ours.startswith(LIBRARY)):
        return None
    return f"ours: {ours}, theirs: {theirs}"


def test_both_accept_an_honest_key() -> None:
    key = enrolled_key()
    for case in (enrolment(SoftAuthenticator(ISSUER, RP)), sign_in(key, key)):
        assert (judge(case, NOON), second(case)) == ("accept", "accept")


def mutants(case: Mapping[str, Any], member: str, count: int) -> list[dict[str, Any]]:
    """The case with one octet of this member changed, so many times; always the same ones."""
    octets, made = unb64(case["response"]["response"][member]), []
    chance = Random(7)  # noqa: S311  the same changes every time
    for _ in range(count):
        changed = bytearray(octets)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        response = json.loads(json.dumps(case["response"]))
        response["response"][member] = base64url(bytes(changed))
        made.append({**case, "response": response})
    return made


@pytest.mark.parametrize("member", ["clientDataJSON", "attestationObject"])
def test_of_changed_enrolments_both_say_the_same_but_for_reasons_we_know(member: str) -> None:
    case = enrolment(SoftAuthenticator(ISSUER, RP))
    unexplained = [disagreement(one) for one in mutants(case, member, 600)]
    assert [why for why in unexplained if why] == []


@pytest.mark.parametrize(
    "member", ["clientDataJSON", "authenticatorData", "signature", "userHandle"]
)
def test_of_changed_sign_ins_both_say_the_same_but_for_reasons_we_know(member: str) -> None:
    key = enrolled_key()
    unexplained = [disagreement(one) for one in mutants(sign_in(key, key), member, 300)]
    assert [why for why in unexplained if why] == []
