"""One case in, one verdict out: what our rules say of a message, for anybody's set of test cases.

A case is (`config`, `state`, `response`), as in the format `wa-cases/1`:

    ceremony   "registration" or "authentication"
    config     rp_id, allowed_origins, offered_algs, attestation_policy, min_certification …
    state      expected_challenge, challenge_status, existing_credentials; credentials, flow …
    response   what the browser's toJSON() gave

Of `state`, `credentials` may say of each key what stands in `_authenticate`: id, user_handle,
public_key, sign_count, backup_eligible, and status, aaguid, attested where they matter;
`allow_credentials` are those that were asked for, `session_user_handle` is whose step-up it is.

Octets are base64url. What the case leaves out is what the house does. Pure: the same functions
as behind the pages, without the database.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from webauthn.helpers import parse_cbor

from broker.authentication.attestation import is_attested
from broker.authentication.ceremony import (
    EnrolledKey,
    KnownKey,
    demand_for_us,
    verify_assertion,
    verify_attestation,
)
from broker.authentication.client_data import Expected
from broker.authentication.message import octets, parse_assertion, parse_attestation, reject
from broker.authentication.metadata import CERTIFICATIONS, Model
from broker.authentication.public_key import ALGORITHMS
from broker.errors import EvidenceRejected, TooLarge

ACCEPT: Final = "accept"

_TRUSTED: Final = "mds-trusted"
_FRESH: Final = "fresh"
_LIVE: Final = "active"
_ALG: Final = 3


def judge(case: Mapping[str, Any], now: datetime, models: Iterable[Model] = ()) -> str:
    """`accept`, or the reason of the refusal: never an exception for what a message says.

    `models` are those of the metadata in force (`metadata.read_blob`); `now` is the moment of the
    ceremony, by which certificates are judged. Raises KeyError where the case is none.
    """
    known = {model.aaguid: model for model in models}
    text, expected = json.dumps(case["response"]), _expected(case)
    try:
        _demand_fresh(case["state"])
        if case["ceremony"] == "registration":
            _register(case, text, expected, known, now)
        else:
            _authenticate(case, text, expected, known)
    except (EvidenceRejected, TooLarge) as refusal:
        return refusal.hint
    return ACCEPT


def _expected(case: Mapping[str, Any]) -> Expected:
    # Ours is one origin. Of several, the one that the message names is held against the rest of it.
    config, origins = case["config"], case["config"]["allowed_origins"]
    challenge = octets(case["state"]["expected_challenge"])
    said = _said_origin(case["response"])
    origin = said if said in origins else origins[0]
    framed_by = tuple(config.get("allowed_top_origins", ()))
    return Expected(
        challenge, origin, config["rp_id"], framed_by if config.get("allow_cross_origin") else None
    )


def _said_origin(response: Mapping[str, Any]) -> Any:
    try:
        return json.loads(octets(response["response"]["clientDataJSON"])).get("origin")
    except (AttributeError, EvidenceRejected, KeyError, TypeError, ValueError):
        return None


def _demand_fresh(state: Mapping[str, Any]) -> None:
    if state.get("challenge_status", _FRESH) != _FRESH:
        raise reject("challenge_spent")


def _register(
    case: Mapping[str, Any],
    text: str,
    expected: Expected,
    known: Mapping[str, Model],
    now: datetime,
) -> None:
    made = verify_attestation(parse_attestation(text), expected)
    taken = {octets(other["id"]) for other in case["state"].get("existing_credentials", [])}
    if made.credential_id in taken:
        raise reject("key_known")
    if parse_cbor(made.public_key)[_ALG] not in case["config"].get("offered_algs", ALGORITHMS):
        raise reject("public_key")
    model = known.get(made.aaguid)
    if model is not None and model.weakness is not None:
        raise reject(model.weakness)
    if case["config"].get("attestation_policy") == _TRUSTED:
        _demand_trusted(made, model, case["config"].get("min_certification"), now)


def _demand_trusted(
    made: EnrolledKey, model: Model | None, least: str | None, now: datetime
) -> None:
    if model is None:
        raise reject("model_unknown")
    if not is_attested(made.attestation_object, model.certificates(), now):
        raise reject("attestation_untrusted")
    if least is not None and not _certified(model, least):
        raise reject("certification_too_low")


def _certified(model: Model, least: str) -> bool:
    level = least.removeprefix("FIDO_CERTIFIED_")
    return level in CERTIFICATIONS and model.reaches(level)


def _authenticate(
    case: Mapping[str, Any], text: str, expected: Expected, known: Mapping[str, Model]
) -> None:
    state, answer = case["state"], parse_assertion(text)
    stored = {octets(key["id"]): key for key in state["credentials"]}
    found = stored.get(answer.credential_id)
    if found is None or found.get("status", _LIVE) != _LIVE:
        demand_for_us(answer, expected)
        raise reject("key_unknown")
    asked = state.get("allow_credentials")
    if asked and answer.credential_id not in {_id(one) for one in asked}:
        raise reject("key_not_asked")
    person = state.get("session_user_handle") or state.get("user_handle")
    if person is not None and person != found["user_handle"]:
        raise reject("another_account")
    key = KnownKey(
        credential_id=answer.credential_id,
        user_handle=octets(found["user_handle"]),
        public_key=octets(found["public_key"]),
        sign_count=found["sign_count"],
        backup_eligible=found["backup_eligible"],
    )
    identified = state.get("flow", "discoverable") != "discoverable"
    verify_assertion(answer, key, expected, identified=identified)
    if case["config"].get("attestation_policy") == _TRUSTED:
        _demand_still_trusted(found, known, case["config"].get("min_certification"))


def _demand_still_trusted(
    found: Mapping[str, Any], known: Mapping[str, Model], least: str | None
) -> None:
    model = known.get(str(UUID(found["aaguid"]))) if found.get("aaguid") else None
    if model is not None and model.weakness is not None:
        raise reject(model.weakness)
    if model is None or not found.get("attested"):
        raise reject("attestation_untrusted")
    if least is not None and not _certified(model, least):
        raise reject("certification_too_low")


def _id(one: str | Mapping[str, Any]) -> bytes:
    return octets(one if isinstance(one, str) else one["id"])
