"""The developers' shared cases, where that folder is present: the stated verdict on each."""

import json
from pathlib import Path
from typing import Any

import pytest

from broker.authentication.ceremony import KnownKey, verify_assertion, verify_attestation
from broker.authentication.client_data import Expected
from broker.authentication.message import parse_assertion, parse_attestation
from broker.errors import EvidenceRejected
from tests.authentication.authenticator import unb64

SHARED = Path(__file__).parents[3] / "shared" / "webauthn"

NEEDS_METADATA = frozenset({"R47-none-when-attested"})
"""Decided by what is known of models, which we do not ask about yet."""

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the shared folder is not here"),
]


def _read(name: str, member: str) -> list[dict[str, Any]]:
    path = SHARED / name
    found: list[dict[str, Any]] = json.loads(path.read_text())[member] if path.is_file() else []
    return found


CASES = [c for c in _read("webauthn_cases.json", "cases") if c["id"] not in NEEDS_METADATA]
REGISTRATIONS = _read("fido2_net_lib_registrations.json", "examples")


def _judge(case: dict[str, Any]) -> str:
    config, state, text = case["config"], case["state"], json.dumps(case["response"])
    expected = Expected(
        unb64(state["expected_challenge"]), config["allowed_origins"][0], config["rp_id"]
    )
    if case["ceremony"] == "registration":
        made = verify_attestation(parse_attestation(text), expected)
        taken = {unb64(known["id"]) for known in state.get("existing_credentials", [])}
        return "refuse" if made.credential_id in taken else "accept"
    answer = parse_assertion(text)
    stored = {unb64(known["id"]): known for known in state["credentials"]}
    known = stored[answer.credential_id]
    key = KnownKey(
        credential_id=answer.credential_id,
        user_handle=unb64(known["user_handle"]),
        public_key=unb64(known["public_key"]),
        sign_count=known["sign_count"],
        backup_eligible=known["backup_eligible"],
    )
    verify_assertion(answer, key, expected, identified=state["flow"] != "discoverable")
    return "accept"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_case_is_decided_as_it_says(case: dict[str, Any]) -> None:
    try:
        verdict = _judge(case)
    except EvidenceRejected as refusal:
        verdict = f"refuse: {refusal.hint}"
    assert verdict.split(":")[0] == case["expected"], case["why"] + verdict


REFUSED = {
    "AndroidKey": "user_not_verified",
    "Apple": "library:InvalidRegistrationResponse",  # its leaf certificate lived three days
    "None": "user_not_verified",
    "None2": "user_not_verified",
    "Packed512": "user_not_verified",
    "U2F": "user_not_verified",
    "TPMSHA1": "user_not_verified",
    "TPMSHA256": "user_not_verified",
}
"""Registrations of another library's tests that we refuse, and why."""


@pytest.mark.parametrize("example", REGISTRATIONS, ids=lambda example: example["name"])
def test_a_registration_of_another_library_is_decided_for_a_reason(example: dict[str, Any]) -> None:
    expected = Expected(unb64(example["challenge"]), example["origin"], example["rp_id"])
    try:
        verify_attestation(parse_attestation(json.dumps(example["registration_json"])), expected)
        verdict = "accept"
    except EvidenceRejected as refusal:
        verdict = refusal.hint
    assert verdict == REFUSED.get(example["name"], "accept")
