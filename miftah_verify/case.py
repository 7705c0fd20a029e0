"""Any case of a file of audit log cases, decided by one function."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from miftah_verify.directory import verify_directory
from miftah_verify.note import parse_key
from miftah_verify.policy import Policy, simple
from miftah_verify.proof import verify_proof, verify_step
from miftah_verify.refused import Refused

KINDS = ("proofs", "consistency", "logs")
"""The lists of a file of cases."""


@dataclass(frozen=True)
class Verdict:
    """Accepted or not, why not, and the first bad index or the range in which it lies."""

    accepted: bool
    why: str = ""
    index: int | None = None
    last: int | None = None


def decide(case: Mapping[str, Any], earlier: Mapping[str, str] | None = None) -> Verdict:
    """The verdict on one case. Never raises.

    A case is a proof (`proof`, `entry_b64`), a step (`old`, `new`, `proof`) or a whole log
    (`files`, by path, base64), with `vkey` and perhaps `witness_vkeys` and `min_witnesses`.
    `earlier` are the `files` of a copy of the same log that was kept from before.
    """
    try:
        if "files" in case:
            _log(case, earlier)
        elif "old" in case:
            verify_step(case["old"], case["new"], case["proof"], _policy(case))
        else:
            verify_proof(case["proof"], _raw(case["entry_b64"]), _policy(case))
    except Refused as error:
        return Verdict(accepted=False, why=error.what, index=error.index, last=error.last)
    except (KeyError, TypeError, AttributeError):
        return Verdict(accepted=False, why="the case has not the form of any")
    return Verdict(accepted=True)


def decide_all(file: Mapping[str, Any]) -> dict[str, Verdict]:
    """The verdict on every case of a file, by its id.

    A whole log that holds is the copy from before for every other one that shows the same
    signed checkpoint: so a history that was written anew is located to the entry. Never raises.
    """
    found = {case["id"]: decide(case) for kind in KINDS for case in file.get(kind, ())}
    logs = file.get("logs", ())
    kept = {_signed(log): log["files"] for log in logs if found[log["id"]].accepted}
    for log in logs:
        if not found[log["id"]].accepted:
            found[log["id"]] = decide(log, kept.get(_signed(log)))
    return found


def _signed(log: Mapping[str, Any]) -> str:
    return str(log["files"].get("checkpoint"))


def _log(case: Mapping[str, Any], earlier: Mapping[str, str] | None) -> None:
    files = {name: _raw(content) for name, content in case["files"].items()}
    kept = {name: _raw(content) for name, content in (earlier or {}).items()}
    verify_directory(
        files.get, _policy(case), names=files.keys(), earlier=kept.get if kept else None
    )


def _policy(case: Mapping[str, Any]) -> Policy:
    witnesses = [parse_key(line) for line in case.get("witness_vkeys", ())]
    return simple(parse_key(case["vkey"]), witnesses, case.get("min_witnesses", 0))


def _raw(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("not base64") from None
