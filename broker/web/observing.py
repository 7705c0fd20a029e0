"""Every request's number, and what its operator learns of it: a measure, a line, a span.

Three keys of the WSGI environment carry it. `broker.request_id` stands there from the start.
`broker.route` is set by whoever answers beside Flask; else it is the template of Flask's rule.
`broker.error` is the code of the refusal, if it was one.
"""

import re
from collections.abc import Callable, Collection, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import Flask
from sqlalchemy import event

from broker import keyring
from broker.db import db
from broker.entropy import RandomBytes
from broker.errors import OAuthCode
from broker.measuring import Known, Meter, Tracer
from broker.measuring.catalogue import (
    CONNECTIONS,
    ERRORS,
    LIMITS,
    METHODS,
    REQUESTS,
)
from broker.measuring.measure import OTHER
from broker.web.messages import MESSAGES
from broker.web.tools import Tools

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID: Final = "broker.request_id"
ROUTE: Final = "broker.route"
ERROR: Final = "broker.error"

HEADER: Final = "X-Request-ID"
NOWHERE: Final = "none"
"""The route of a request that no rule fits."""

_WELL_FORMED = re.compile(r"[0-9a-f-]{32,36}")
"""What nginx calls $request_id, and a UUID: nothing else is believed, so nothing else is kept."""

_CLASS: Final = {digit: f"{digit}xx" for digit in "12345"}
_TOO_MANY: Final = "429"


class Seen(NamedTuple):
    """A request that was answered: all of it from closed sets but the number and the time."""

    request_id: str
    method: str
    route: str
    status: str
    seconds: float
    code: str


Tell = Callable[[Seen], None]


def named(serve: "WSGIApplication", draw: RandomBytes, *, believed: bool) -> "WSGIApplication":
    """Gives every request its number: the proxy's where one is `believed`, else one of ours."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "") if believed else ""
        number = given if given and _WELL_FORMED.fullmatch(given) else draw(16).hex()
        environ[REQUEST_ID] = number

        def started(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers.append((HEADER, number))
            return start_response(status, headers, exc_info)

        return serve(environ, started)

    return answer


def observed(serve: "WSGIApplication", listeners: Collection[Tell]) -> "WSGIApplication":
    """Tells all listeners of every request, once the head of its answer is ready."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began, status = perf_counter(), "500"

        def started(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = line[:3]
            if ROUTE not in environ:
                environ[ROUTE] = _route(environ)
            return start_response(line, headers, exc_info)

        try:
            return serve(environ, started)
        finally:
            seen = _seen(environ, status, perf_counter() - began)
            for tell in listeners:
                tell(seen)

    return answer


def traced(serve: "WSGIApplication", tracer: Tracer, *, believed: bool) -> "WSGIApplication":
    """Makes a span of every request; the trace of a proxy that is `believed` goes on."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        parent = environ.get("HTTP_TRACEPARENT", "") if believed else ""
        with tracer.incoming(parent) as span:

            def tell(seen: Seen) -> None:
                span.tell(f"{seen.method} {seen.route}", _facts(seen))

            return observed(serve, (tell,))(environ, start_response)

    return answer


def measure(meter: Meter) -> Tell:
    """Counts a request."""

    def tell(seen: Seen) -> None:
        status = _CLASS.get(seen.status[:1], OTHER)
        meter.observe(REQUESTS, seen.seconds, seen.route, seen.method, status)
        if seen.code:
            meter.count(ERRORS, seen.code)
        if seen.status == _TOO_MANY:
            meter.count(LIMITS, seen.route)

    return tell


def install(app: Flask, house: Tools, tell: Iterable[Tell]) -> None:
    """Hang it round the whole application; what is off is not there at all."""
    believed = house.settings.trusted_proxies > 0
    listeners = tuple(tell)
    if house.meter.is_on:
        listeners = (measure(house.meter), *listeners)
        with app.app_context():
            _count_connections(house.meter)
    serve: WSGIApplication = app.wsgi_app
    if listeners:
        serve = observed(serve, listeners)
    if house.tracer.is_on:
        serve = traced(serve, house.tracer, believed=believed)
    app.wsgi_app = named(serve, house.random, believed=believed)  # type: ignore[assignment,method-assign]


def known(app: Flask, house: Tools) -> Known:
    """The closed sets of the house: what labels may say, and nothing that anybody sends."""
    routes = {NOWHERE, *(rule.rule for rule in app.url_map.iter_rules())}
    codes = {*MESSAGES, *OAuthCode, *(c for v in house.verifiers for c in v.refusals)}
    acr = {NOWHERE, *(name.name for name in house.policy.acr)}
    ways = {verifier.kind for verifier in house.verifiers}
    return {
        "routes": lambda: routes,
        "codes": lambda: codes,
        "acr": lambda: acr,
        "ways": lambda: ways,
        "schemes": lambda: house.foreign,
        "algorithms": lambda: keyring.ALGORITHMS,
    }


def _seen(environ: "WSGIEnvironment", status: str, seconds: float) -> Seen:
    method = environ["REQUEST_METHOD"]
    return Seen(
        environ.get(REQUEST_ID, ""),
        method if method in METHODS else OTHER,
        environ.get(ROUTE, NOWHERE),
        status,
        seconds,
        environ.get(ERROR, ""),
    )


def _route(environ: "WSGIEnvironment") -> str:
    # Werkzeug leaves the request there, and Flask the rule in it, until the answer has left.
    request = environ.get("werkzeug.request")
    rule = getattr(request, "url_rule", None)
    return NOWHERE if rule is None else str(rule.rule)


def _facts(seen: Seen) -> dict[str, str | int]:
    facts: dict[str, str | int] = {
        "http.request.method": seen.method,
        "http.route": seen.route,
        "http.response.status_code": int(seen.status),
        "miftah.request_id": seen.request_id,
    }
    return facts | ({"error.type": seen.code} if seen.code else {})


def _count_connections(meter: Meter) -> None:
    for name, state, by in (
        ("connect", "open", 1),
        ("close", "open", -1),
        ("checkout", "in_use", 1),
        ("checkin", "in_use", -1),
    ):
        event.listen(db.engine, name, _counting(meter, state, by))


def _counting(meter: Meter, state: str, by: int) -> Callable[..., None]:
    def count(*_: object) -> None:
        meter.count(CONNECTIONS, state, by=by)

    return count
