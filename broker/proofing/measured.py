"""Opening and closing at a verifier, as its operator sees it: how long, how well."""

from time import perf_counter
from typing import Final

from broker.errors import EvidenceRejected
from broker.identity.evidence import Evidence
from broker.identity.verifier import Attempt, Opening, Reply, SchemeVerifier, Verifier
from broker.measuring.catalogue import PROOFING, PROOFS, UPSTREAM
from broker.web.tools import tools

DOWN: Final = frozenset(
    {"eidas_node_failed", "eidas_node_unknown", "upstream_silent", "upstream_unreadable"}
)
"""Refusals that tell of a scheme's machines, not of a person."""


def opened(verifier: Verifier, attempt: Attempt) -> Opening:
    """What `verifier.open` returns. Raises as it does."""
    try:
        opening = verifier.open(attempt)
    except EvidenceRejected as refusal:
        _contact(verifier, attempt.scheme, refusal.code)
        raise
    _contact(verifier, attempt.scheme)
    return opening


def closed(verifier: Verifier, attempt: Attempt, sent: Reply) -> Evidence:
    """What `verifier.close` returns. Raises as it does."""
    meter, began, scheme = tools().meter, perf_counter(), attempt.remembered.get("scheme", "")
    result = "failed"
    try:
        evidence = verifier.close(attempt, sent)
        result = "accepted"
    except EvidenceRejected as refusal:
        result = "refused"
        _contact(verifier, scheme, refusal.code)
        raise
    finally:
        meter.observe(PROOFING, perf_counter() - began, verifier.kind)
        meter.count(PROOFS, verifier.kind, result)
    _contact(verifier, scheme)
    return evidence


def _contact(verifier: Verifier, scheme: str, code: str = "") -> None:
    if isinstance(verifier, SchemeVerifier) and scheme in tools().foreign:
        tools().meter.note(UPSTREAM, 0 if code in DOWN else 1, scheme)
