"""The short way: doors that most requests go through, in front of Flask.

A door answers what is plain and good. For anything else it raises NotBrief, or a refusal, before
anything was done, and Flask answers the same request from the start. What must be told although
it was done, a refusal that is on record or a database that went away, Flask tells.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from flask import Flask, Request

from broker import serving
from broker.brief import NotBrief
from broker.db import in_turn
from broker.errors import BrokerError
from broker.web.headers import NO_STORE, always
from broker.web.observing import ROUTE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LONGEST_BODY: Final = 16 * 1024
"""Bytes of a form that is looked at here."""
_DIGITS: Final = len(str(LONGEST_BODY))
_FORM: Final = "application/x-www-form-urlencoded"
_FAULT: Final = "broker.fault"
_UNREADABLE: Final = "\N{REPLACEMENT CHARACTER}"

Lists = dict[str, list[str]]
"""Parameter name → every value that was sent under it."""

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a door says; the headers of every answer of ours are added to its own.

    `kept`: its own headers say for how long others may keep it. Else they may not.
    """

    status: str
    headers: tuple[Header, ...]
    body: bytes = b""
    kept: bool = False


class Told(Exception):
    """A refusal that was written down: it is told, and nothing is done again."""

    def __init__(self, error: BrokerError) -> None:
        """`error`: what is told."""
        super().__init__(error)
        self.error = error


Door = Callable[["WSGIEnvironment"], Answer]
"""What a request asks → its answer. Raises NotBrief, BrokerError or Told."""

Doors = Mapping[tuple[str, str], Door]
"""Method and path → door."""


def install(app: Flask, doors: Doors, documents: Doors) -> None:
    """Put the doors in front of the application; `documents` ask nothing of the database."""
    plain: WSGIApplication = app.wsgi_app
    fixed = always(app)

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        asked = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        door = doors.get(asked) or documents.get(asked)
        if door is None:
            return plain(environ, start_response)
        try:
            with serving.by(app):
                answer = door(environ) if asked in documents else in_turn(partial(door, environ))
        except (NotBrief, BrokerError):
            return plain(environ, start_response)
        except Told as told:
            environ[_FAULT] = told.error
            return plain(environ, start_response)
        except Exception as error:  # noqa: BLE001  Flask's handlers know what to say to each
            environ[_FAULT] = error
            return plain(environ, start_response)
        environ[ROUTE] = environ["PATH_INFO"]
        head = [*answer.headers, *fixed]
        start_response(answer.status, head if answer.kept else [*head, NO_STORE])
        return [answer.body]

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]  # as Flask would have it done


def fault(request: Request) -> Exception | None:
    """What became of this request before Flask heard of it."""
    found: Exception | None = request.environ.get(_FAULT)
    return found


def query(environ: "WSGIEnvironment") -> Lists:
    """The parameters of the address. Raises NotBrief for what is not plain ASCII."""
    return _lists(environ.get("QUERY_STRING", ""))


def form(environ: "WSGIEnvironment") -> Lists:
    """The parameters of the body; it can be read again. Raises NotBrief for any other body."""
    if environ.get("CONTENT_TYPE") != _FORM or environ.get("QUERY_STRING"):
        raise NotBrief("body")
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal() or len(length) > _DIGITS or int(length) > LONGEST_BODY:
        raise NotBrief("body")
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)  # Flask may have to read it again
    return _lists(body.decode("latin-1"))


def _lists(text: str) -> Lists:
    # As werkzeug reads them, as long as nothing is odd: that is for werkzeug to be right about.
    if not text.isascii():
        raise NotBrief("not ASCII")
    found: Lists = {}
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        if not equals:
            raise NotBrief("no value")
        if "%" in pair or "+" in pair:
            name, value = unquote_plus(name), unquote_plus(value)
            if _UNREADABLE in name or _UNREADABLE in value:
                raise NotBrief("not UTF-8")
        found.setdefault(name, []).append(value)
    return found


def once(lists: Lists, several: Iterable[str] = ()) -> dict[str, str]:
    """The parameters that were sent with a value. Raises NotBrief where one was sent twice."""
    if any(len(values) > 1 for values in lists.values()) or not lists.keys().isdisjoint(several):
        raise NotBrief("several")
    return {name: values[0] for name, values in lists.items() if values[0]}


def headers_absent(environ: "WSGIEnvironment", *names: str) -> None:
    """Raises NotBrief where the request has one of these headers, by their WSGI names."""
    if any(name in environ for name in names):
        raise NotBrief("header")
