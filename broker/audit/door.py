"""The auditor's door: one read, its caller proved, and an entry made of it before any answer."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from broker.audit.access import READ, require_scope
from broker.audit.log import record
from broker.audit.sight import Sight
from broker.db import transaction
from broker.errors import BrokerError
from broker.web.tools import Caller, tools

FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
RETRY_AFTER = 5
"""Seconds."""

door = Blueprint("v1", __name__)


class RecordUnavailable(BrokerError):
    """The database does not answer, or takes no entry: what cannot be recorded is not shown."""

    status = 503

    def __init__(self, hint: str) -> None:
        super().__init__("record_unavailable", hint)


@dataclass(frozen=True, slots=True)
class Read:
    """One read of the record by an auditor, in its transaction."""

    tx: Session
    caller: Caller
    now: datetime

    @property
    def sight(self) -> Sight:
        """The services this auditor is limited to, or None."""
        return self.caller.audit_clients

    def note(self, what: str, **facts: object) -> None:
        """Record what was asked for and how much of it was given."""
        told = {"client": self.caller.client_id, "what": what, **facts}
        record(self.tx, "auditor.read", told, self.now)


@contextmanager
def reading_record() -> Iterator[Read]:
    """A read by the caller of this request; it commits with its entry, or nothing is answered.

    Raises OAuthError as `require_scope`, RecordUnavailable.
    """
    now = tools().clock()
    try:
        with transaction() as tx:
            yield Read(tx, require_scope(tx, READ, now), now)
    except DBAPIError as error:
        raise RecordUnavailable(type(error).__name__) from error


def tagged(response: Response, caching: str) -> Response:
    """The answer with a strong ETag over its content; 304 to those who have it."""
    response.headers["Cache-Control"] = caching
    response.headers["Vary"] = "Authorization"
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    return response.make_conditional(request.environ)  # type: ignore[return-value]  # itself


@door.after_request
def say_when_to_come_back(response: Response) -> Response:
    """503 with Retry-After (RFC 9110 §10.2.3)."""
    if response.status_code == RecordUnavailable.status:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response
