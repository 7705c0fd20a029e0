"""Moments as SAML writes them: UTC, to the second or finer (SAML Core §1.3.3)."""

import re
from datetime import UTC, datetime
from typing import Final

from broker.errors import EvidenceRejected

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")


def written(moment: datetime) -> str:
    """The moment, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str | None) -> datetime:
    """The moment that an attribute says. Raises EvidenceRejected: incomplete, malformed."""
    if text is None:
        raise EvidenceRejected("eidas_incomplete", "no moment where one is due")
    match = _MOMENT.fullmatch(text)
    try:
        if match is not None and match[0].isascii():
            micro = (match[2] or "0")[:6].ljust(6, "0")
            return datetime.fromisoformat(match[1]).replace(microsecond=int(micro), tzinfo=UTC)
    except ValueError:
        pass
    raise EvidenceRejected("eidas_malformed", "not a moment in UTC")
