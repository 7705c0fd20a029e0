"""Reading pictures, as its operator sees it: how long, and what came of it."""

from collections.abc import Sequence
from time import perf_counter

from broker.errors import EvidenceRejected
from broker.measuring import Meter
from broker.measuring.catalogue import PICTURES
from broker.verifiers.mrz.answer import Answer, ReadUploads
from broker.verifiers.mrz.worker import BUSY, TOO_COSTLY

_RESULTS = {BUSY: "busy", TOO_COSTLY: "too_costly"}


def measured(read: ReadUploads, meter: Meter) -> ReadUploads:
    """`read`, whose every call is measured."""

    def reading(uploads: Sequence[bytes]) -> Answer:
        began, result = perf_counter(), "failed"
        try:
            answer = read(uploads)
            result = "read"
        except EvidenceRejected as refusal:
            result = _RESULTS.get(refusal.code, "refused")
            raise
        finally:
            meter.observe(PICTURES, perf_counter() - began, result)
        return answer

    return reading
