"""Spans: of requests and of calls to others, with six facts and no other, to one collector."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from broker.errors import UpstreamUnavailable
from broker.measuring import UNTRACED
from broker.measuring.tracing import ATTRIBUTES
from broker.settings import Settings
from broker.web.tools import Tools
from tests import metering, servers
from tests.conftest import ISSUER
from tests.servers import document, serving

sdk = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")

from broker.measuring.collector import Collector, to_collector  # noqa: E402  after the skip

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "s3cret"


@pytest.fixture
def exporter() -> Any:
    return sdk.InMemorySpanExporter()


@pytest.fixture
def collector(exporter: Any) -> Iterator[Collector]:
    made = Collector(exporter, 1.0)
    yield made
    made.stop()


@pytest.fixture
def app(tools: Tools, collector: Collector) -> Iterator[Flask]:
    with metering.measured(replace(tools, tracer=collector)) as app:
        yield app


def spans(collector: Collector, exporter: Any) -> list[Any]:
    collector.flush()
    return list(exporter.get_finished_spans())


def test_a_request_is_a_span_by_its_template(
    app: Flask, collector: Collector, exporter: Any
) -> None:
    answer = app.test_client().get("/problems/not_found?x=1", base_url=ISSUER)
    (span,) = spans(collector, exporter)
    assert span.name == "GET /problems/<code>"
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "http.route": "/problems/<code>",
        "http.response.status_code": 200,
        "miftah.request_id": answer.headers["X-Request-ID"],
    }
    assert dict(span.resource.attributes) == {"service.name": "miftah"}


def test_a_span_tells_nothing_that_was_sent(
    app: Flask, collector: Collector, exporter: Any
) -> None:
    client = app.test_client()
    said = {"Authorization": f"Bearer {SECRET}", "Cookie": SECRET, "User-Agent": SECRET}
    client.get(f"/authorize?client_id={SECRET}&code={SECRET}", base_url=ISSUER, headers=said)
    client.post("/token", data={"code": SECRET, "client_id": SECRET}, base_url=ISSUER)
    client.open(f"/{SECRET}", method=SECRET.upper(), base_url=ISSUER, headers=said)
    found = spans(collector, exporter)
    assert len(found) == 3
    assert SECRET not in " ".join(span.to_json() for span in found).lower()
    for span in found:
        assert set(span.attributes) <= ATTRIBUTES
        assert not span.events


def test_the_trace_of_a_stranger_is_not_gone_on_with(
    app: Flask, collector: Collector, exporter: Any
) -> None:
    app.test_client().get("/jwks", base_url=ISSUER, headers={"traceparent": PARENT})
    (span,) = spans(collector, exporter)
    assert span.parent is None


def test_the_trace_of_the_proxy_is(tools: Tools, collector: Collector, exporter: Any) -> None:
    settings = tools.settings.model_copy(update={"trusted_proxies": 1})
    with metering.measured(replace(tools, tracer=collector, settings=settings)) as app:
        app.test_client().get("/jwks", base_url=ISSUER, headers={"traceparent": PARENT})
    (span,) = spans(collector, exporter)
    assert format(span.parent.span_id, "016x") == "b7ad6b7169203331"


def test_a_call_to_somebody_else_is_a_span_and_they_hear_nothing_of_it(
    collector: Collector, exporter: Any
) -> None:
    heard: list[dict[str, str]] = []

    def answer(handler: Any) -> None:
        heard.append({name.lower(): value for name, value in handler.headers.items()})
        document(b"{}")(handler)

    with serving(answer) as url, collector.incoming() as request:
        client = replace(servers.outbound(), tracer=collector)
        client.get(f"{url}/keys?{SECRET}=1")
        request.tell("GET /x", {})
    call, whole = spans(collector, exporter)
    assert call.parent.span_id == whole.context.span_id
    assert dict(call.attributes) == {"http.request.method": "GET", "server.address": "keys.test"}
    assert "traceparent" not in heard[0]


def test_a_call_that_fails_says_by_which_code(collector: Collector, exporter: Any) -> None:
    client = replace(servers.outbound(local=False), tracer=collector)
    with pytest.raises(UpstreamUnavailable):
        client.get(f"https://user:{SECRET}@127.0.0.1/{SECRET}")
    (span,) = spans(collector, exporter)
    assert span.attributes["error.type"] == "address_refused"
    assert not span.status.is_ok
    assert SECRET not in span.to_json()


def test_a_span_refuses_any_other_fact(collector: Collector) -> None:
    with collector.incoming() as span, pytest.raises(ValueError, match=r"url\.full"):
        span.tell("x", {"url.full": "https://service.test/?code=1"})


def test_spans_are_sent_to_the_collector_that_is_named_and_to_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    sent: list[tuple[str, str, bytes]] = []

    def answer(handler: Any) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        sent.append((handler.path, handler.headers["Content-Type"], body))
        document(b"", "application/x-protobuf")(handler)

    with serving(answer, tls=False) as url:
        made = to_collector(f"{url}/v1/traces", 1.0)
        with made.incoming() as span:
            span.tell("GET /jwks", {"http.route": "/jwks"})
        made.flush()
        made.stop()
    ((path, kind, body),) = sent
    assert (path, kind) == ("/v1/traces", "application/x-protobuf")
    assert b"GET /jwks" in body


def test_none_is_kept_where_none_is_wanted(exporter: Any) -> None:
    made = Collector(exporter, 0.0)
    with made.incoming() as span:
        span.tell("GET /jwks", {})
    assert spans(made, exporter) == []
    made.stop()


def test_by_default_there_are_none(tools: Tools) -> None:
    assert Settings().traces.endpoint == ""
    assert tools.tracer is UNTRACED
    with UNTRACED.incoming() as span, UNTRACED.outgoing():
        span.tell("anything", {"url.full": "not told"})
