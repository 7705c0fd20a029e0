import copy
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.authentication.judge import judge
from broker.authentication.metadata import Model
from tests.authentication.authenticator import SoftAuthenticator, b64, cose_key, unb64
from tests.authentication.maker import AAGUID, MODEL, YEAR, Maker
from tests.conftest import ISSUER, NOON
from tests.people import RP_ID

MAKER = Maker()
CHALLENGE = b64(bytes(32))
CONFIG = {"rp_id": RP_ID, "allowed_origins": [ISSUER]}
GOOD = Model(MODEL, "One", ("FIDO_CERTIFIED_L2",), ("hardware",), (MAKER.root.der,), NOON + YEAR)
WEAK = Model(MODEL, "One", ("REVOKED",), ("hardware",), (MAKER.root.der,), NOON + YEAR)
CREATION = {"challenge": CHALLENGE, "excludeCredentials": [], "user": {"id": b64(b"u" * 32)}}
REQUEST = {"challenge": CHALLENGE, "allowCredentials": []}


def registration(
    config: dict[str, Any] | None = None, state: dict[str, Any] | None = None, **wrong: Any
) -> dict[str, Any]:
    """A case of enrolling."""
    return {
        "ceremony": "registration",
        "config": {**CONFIG, **(config or {})},
        "state": {"expected_challenge": CHALLENGE, **(state or {})},
        "response": SoftAuthenticator(ISSUER, RP_ID, wrong=wrong).create(CREATION),
    }


def authentication(
    state: dict[str, Any] | None = None, config: dict[str, Any] | None = None, **wrong: Any
) -> dict[str, Any]:
    """A case of signing in with a key that is known."""
    key = SoftAuthenticator(ISSUER, RP_ID)
    key.create(CREATION)
    (made,) = key.credentials
    known = {
        "id": b64(made.credential_id),
        "user_handle": b64(made.user_handle),
        "public_key": b64(cbor2.dumps(cose_key(made.private))),
        "sign_count": 0,
        "backup_eligible": False,
    }
    response = key.with_wrong(**wrong).get(REQUEST)
    said = state or {}
    known |= said.pop("known", {})
    held = {"expected_challenge": CHALLENGE, "credentials": [known], **said}
    return {
        "ceremony": "authentication",
        "config": {**CONFIG, **(config or {})},
        "state": held,
        "response": response,
    }


TRUSTED = {"attestation_policy": "mds-trusted"}
L3 = {**TRUSTED, "min_certification": "FIDO_CERTIFIED_L3"}

FRAMED = {"allow_cross_origin": True, "allowed_top_origins": ["https://top.test"]}
VOUCHED = {"aaguid": AAGUID.hex(), "attested": True}


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        (registration(), "accept"),
        (registration(state={"challenge_status": "used"}), "challenge_spent"),
        (registration(origin="https://other.test"), "origin"),
        (registration({"offered_algs": [-8]}), "public_key"),
        (registration(TRUSTED, **MAKER.wrong()), "accept"),
        (registration(TRUSTED, **Maker().wrong()), "attestation_untrusted"),
        (registration(TRUSTED, aaguid=AAGUID), "attestation_untrusted"),
        (registration(TRUSTED), "model_unknown"),
        (registration({**TRUSTED, "min_certification": "L2"}, **MAKER.wrong()), "accept"),
        (registration(L3, **MAKER.wrong()), "certification_too_low"),
        (authentication(), "accept"),
        (authentication({"flow": "identified"}, user_handle=None), "accept"),
        (authentication(user_handle=None), "user_handle_missing"),
        (authentication({"credentials": []}), "key_unknown"),
        (authentication({"known": {"status": "revoked"}}), "key_unknown"),
        (authentication({"allow_credentials": [b64(bytes(32))]}), "key_not_asked"),
        (authentication({"session_user_handle": b64(b"x" * 32)}), "another_account"),
        (authentication({"known": {"sign_count": 9}}), "counter_not_risen"),
        (authentication({"known": VOUCHED}, TRUSTED), "accept"),
        (
            authentication({"known": {**VOUCHED, "attested": False}}, TRUSTED),
            "attestation_untrusted",
        ),
        (authentication({}, TRUSTED), "attestation_untrusted"),
        (authentication({"known": VOUCHED}, L3), "certification_too_low"),
        (authentication(crossOrigin=True), "cross_origin"),
        (authentication({}, FRAMED, crossOrigin=True), "accept"),
        (authentication({}, FRAMED, crossOrigin="true"), "cross_origin"),
        (authentication({}, FRAMED, crossOrigin=True, topOrigin="https://top.test"), "accept"),
        (authentication({}, FRAMED, crossOrigin=True, topOrigin="https://x.test"), "top_origin"),
        (authentication({}, FRAMED, topOrigin="https://top.test"), "top_origin"),
    ],
)
def test_a_case_is_accepted_or_refused_for_a_reason(case: dict[str, Any], verdict: str) -> None:
    assert judge(case, NOON, [GOOD]) == verdict


def test_a_weak_model_and_a_known_key_are_refused() -> None:
    assert judge(registration(**MAKER.wrong()), NOON, [WEAK]) == "REVOKED"
    weak = authentication({"known": VOUCHED}, TRUSTED)
    assert judge(weak, NOON, [WEAK]) == "REVOKED"
    case = registration()
    case["state"]["existing_credentials"] = [{"id": case["response"]["id"]}]
    assert judge(case, NOON) == "key_known"


ATTESTED = registration(TRUSTED, **MAKER.wrong())
"""Made once: signatures differ in length from one to the next."""


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutated_attestation_raises(data: st.DataObject) -> None:
    """The short version of bench/webauthn_mutations.py."""
    case = copy.deepcopy(ATTESTED)
    octets = bytearray(unb64(case["response"]["response"]["attestationObject"]))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    case["response"]["response"]["attestationObject"] = b64(bytes(octets))
    assert judge(case, NOON, [GOOD])
