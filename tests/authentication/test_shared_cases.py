"""The developers' shared cases, where that folder is present: the stated verdict on each."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from broker.authentication.ceremony import verify_attestation
from broker.authentication.client_data import Expected
from broker.authentication.judge import judge
from broker.authentication.message import parse_attestation
from broker.authentication.metadata import MetadataRejected, Model, read_blob
from broker.errors import EvidenceRejected
from tests.authentication.authenticator import unb64
from tests.conftest import NOON

SHARED = Path(__file__).parents[3] / "shared" / "webauthn"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the shared folder is not here"),
]


def _read(name: str, member: str) -> list[dict[str, Any]]:
    path = SHARED / name
    found: list[dict[str, Any]] = json.loads(path.read_text())[member] if path.is_file() else []
    return found


CASES = _read("webauthn_cases.json", "cases")
REGISTRATIONS = _read("fido2_net_lib_registrations.json", "examples")


def _metadata() -> dict[str, Any]:
    path = SHARED / "webauthn_cases.json"
    found: dict[str, Any] = json.loads(path.read_text())["mds"] if path.is_file() else {}
    return found


METADATA = _metadata()


def _root() -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(METADATA["root_der_b64"]))


@cache
def _models() -> tuple[Model, ...]:
    return read_blob(METADATA["blobs"][0]["jwt"], _root(), NOON, signer="").models


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_case_is_decided_as_it_says(case: dict[str, Any]) -> None:
    verdict = judge(case, NOON, _models())
    assert (verdict == "accept") is (case["expected"] == "accept"), f"{case['why']}: {verdict}"


@pytest.mark.parametrize("blob", METADATA.get("blobs", []), ids=lambda blob: blob["id"])
def test_the_metadata_is_believed_or_not_as_it_says(blob: dict[str, Any]) -> None:
    newest = blob.get("stored_no", 0)
    if blob["expected"] == "refuse":
        with pytest.raises(MetadataRejected):
            read_blob(blob["jwt"], _root(), NOON, signer="", newest=newest)
        return
    read = read_blob(blob["jwt"], _root(), NOON, signer="", newest=newest)
    assert read.models
    assert (read.next_update <= NOON) is (blob["expected"] == "warn")


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
