"""The auditors' door: every visit proved, paced and on record before any answer leaves."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

from flask import Blueprint, Response, current_app, g, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from broker.audit import query
from broker.audit.log import record
from broker.audit.worker import catch_up
from broker.db import transaction
from broker.desk import auditor, pace
from broker.desk.auditor import Reader
from broker.desk.models import KeptAnswer
from broker.desk.sight import Sight
from broker.errors import (
    Malformed,
    NotAcceptable,
    OAuthCode,
    OAuthError,
    PreconditionFailed,
    PreconditionRequired,
    RecordUnavailable,
    TooLarge,
    Unprocessable,
    UnsupportedMediaType,
)
from broker.web.bearer import presented
from broker.web.tools import tools

FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
RETRY_AFTER = 5
"""Seconds."""

BODY_LIMIT = 64 * 1024
KEPT = timedelta(days=1)
"""How long the answer to an Idempotency-Key is given again."""

door = Blueprint("api", __name__, url_prefix="/api/v1")

_GIVEN = (
    "application/json",
    "application/problem+json",
    "application/octet-stream",
    "application/zip",
    "text/plain",
)
_KEY = re.compile(r"[!-~]{1,100}")
_LEFT = "desk_left"
_PACE = "desk_pace"


class Body(BaseModel):
    """What a caller sends: known members only."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _whole(value: object) -> object:
    # JSON does not tell 5 from 5.0, and neither does JSON Schema.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number in a body, however it is written."""

_Sent = TypeVar("_Sent", bound=Body)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of an auditor, in its transaction."""

    tx: Session
    reader: Reader
    now: datetime
    asked: Mapping[str, str]
    """The arguments of the query, where `visit` was told which there may be."""

    @property
    def sight(self) -> Sight:
        """The services this auditor is limited to, or None."""
        return self.reader.sight

    def record(self, event: str, facts: Mapping[str, object]) -> None:
        """Record what this auditor did."""
        who = {"auditor": self.reader.name, "client": self.reader.client}
        record(self.tx, event, who | dict(facts), self.now)

    def note(self, what: str, **facts: object) -> None:
        """Record that this auditor was shown a page, and of what."""
        self.record("auditor.read", {"what": what, "desk": True, **facts})

    def told(self, body: object, what: str, caching: str = ASK_AGAIN, **facts: object) -> Response:
        """The answer in JSON; what was asked for and a digest of the answer are on record."""
        return self.given(as_json(body), "application/json", what, caching, **facts)

    def given(
        self, content: bytes, kind: str, what: str, caching: str, **facts: object
    ) -> Response:
        """The same for an answer of any media type."""
        digest = hashlib.sha256(content).hexdigest()
        self.record("auditor.read", {"what": what, "answer": digest, **facts})
        return tagged(Response(content, mimetype=kind), caching)

    def made(self, body: object, location: str, status: int = 201) -> Response:
        """The answer about a thing that has just come to be, or changed."""
        response = Response(as_json(body), status, mimetype="application/json")
        response.headers["Location"] = location
        response.set_etag(tag(as_json(body)))
        return response

    def once(self, work: Callable[[], Response]) -> Response:
        """The answer of `work`; with an Idempotency-Key, the same one again to a repetition.

        Raises Unprocessable where the key came with another request before.
        """
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return work()
        if not _KEY.fullmatch(key):
            raise Malformed("malformed", "Idempotency-Key: 1 to 100 visible characters")
        self.tx.execute(delete(KeptAnswer).where(KeptAnswer.expires <= self.now))
        said = f"{request.method} {request.path}\n".encode() + request.get_data()
        asked = hashlib.sha256(said).hexdigest()
        kept = self.tx.get(KeptAnswer, (self.reader.name, key))
        if kept is None:
            return self._keep(key, asked, work())
        if kept.asked != asked:
            raise Unprocessable("idempotency_key_reused", "another request came with this key")
        return Response(kept.body, kept.status, kept.headers)

    def _keep(self, key: str, asked: str, response: Response) -> Response:
        row = KeptAnswer(
            caller=self.reader.name,
            key=key,
            asked=asked,
            status=response.status_code,
            headers=dict(response.headers),
            body=response.get_data(),
            expires=self.now + KEPT,
        )
        self.tx.add(row)
        return response


@contextmanager
def visit(scope: str, known: frozenset[str] | None = frozenset()) -> Iterator[Visit]:
    """A visit by the caller of this request; it commits with its trace, or nothing is answered.

    `known` are the arguments that its query may have; None: whoever asks reads the query itself.
    Raises OAuthError: invalid_token, insufficient_scope, insufficient_user_authentication;
    NotAllowed not_an_auditor; TooMany; Malformed; RecordUnavailable.
    """
    now, house = tools().clock(), tools()
    if house.read_token is None:
        raise OAuthError(OAuthCode.INVALID_TOKEN, "nobody here reads access tokens")
    brought = presented()
    try:
        catch_up()
        with transaction() as tx:
            reader = auditor.of_caller(tx, house.read_token(tx, brought, now), house.policy)
            reader.need(scope)
            _count(reader, now)
            given = request.args.items(multi=True)
            yield Visit(tx, reader, now, {} if known is None else query.single(given, known))
    except DBAPIError as error:
        raise RecordUnavailable("record_unavailable", type(error).__name__) from error


def sent(kind: type[_Sent]) -> _Sent:
    """The request's JSON body. Raises TooLarge, UnsupportedMediaType, Malformed."""
    if (request.content_length or 0) > BODY_LIMIT:
        raise TooLarge("too_many_bytes", f"at most {BODY_LIMIT} bytes")
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("unsupported_media_type", "application/json is needed")
    try:
        return kind.model_validate_json(request.get_data())
    except ValidationError as error:
        raise _unfit(error) from error


def parsed(kind: type[_Sent], said: Mapping[str, object]) -> _Sent:
    """The same out of a form's fields. Raises Malformed."""
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        raise _unfit(error) from error


def _unfit(error: ValidationError) -> Malformed:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return Malformed("malformed", f"{place}: {first['type']}")


def unchanged(body: object) -> None:
    """Nothing, where If-Match names this state (RFC 9110 §13.1.1).

    Raises PreconditionRequired without it, and PreconditionFailed where it names another.
    """
    if "If-Match" not in request.headers:
        raise PreconditionRequired("precondition_required", "If-Match is needed")
    if not request.if_match.contains(tag(as_json(body))):
        raise PreconditionFailed("precondition_failed", "it was changed meanwhile")


def as_json(body: object) -> bytes:
    """The bytes of an answer."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def tag(content: bytes) -> str:
    """The strong ETag of an answer."""
    return hashlib.sha256(content).hexdigest()[:32]


def tagged(response: Response, caching: str) -> Response:
    """The answer with a strong ETag over its content; 304 to those who have it."""
    response.headers["Cache-Control"] = caching
    response.headers["Vary"] = "Authorization"
    response.set_etag(tag(response.get_data()))
    return response.make_conditional(request.environ)  # type: ignore[return-value]  # itself


@door.before_request
def refuse_other_forms() -> None:
    """Nothing here is XML or HTML. Raises NotAcceptable."""
    wanted = request.accept_mimetypes
    if wanted and not any(wanted[kind] > 0 for kind in _GIVEN):
        raise NotAcceptable("not_acceptable", "application/json")


@door.after_request
def say_how_often(response: Response) -> Response:
    """The quota in every answer, and with a refusal when to come back (RFC 9110 §10.2.3)."""
    left: pace.Left | None = g.get(_LEFT)
    if left is not None:
        response.headers["RateLimit-Policy"] = pace.POLICY
        response.headers["RateLimit"] = pace.Left(max(left.requests, 0), left.seconds).header()
    if response.status_code == RecordUnavailable.status:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    elif response.status_code == 429 and left is not None:  # noqa: PLR2004
        response.headers["Retry-After"] = str(left.seconds)
    return response


def _count(reader: Reader, now: datetime) -> None:
    windows: pace.Pace = current_app.extensions.setdefault(_PACE, pace.Pace())
    left = windows.count(reader.name, now)
    setattr(g, _LEFT, left)
    if left.requests < 0:
        raise pace.refuse()
