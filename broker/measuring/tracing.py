"""Spans of requests and of outgoing calls; off unless the operator has a collector."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

ATTRIBUTES: Final = frozenset(
    {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "server.address",
        "error.type",
        "miftah.request_id",
    }
)
"""All that a span may say; every value is from a closed set but the host and the number."""


class Span(Protocol):
    """Something that takes time."""

    def tell(self, name: str, facts: Mapping[str, str | int]) -> None:
        """What it was, known at its end. Raises ValueError for a fact not of ATTRIBUTES."""
        ...


class Tracer(Protocol):
    """Makes spans; one that is made inside another belongs to it."""

    @property
    def is_on(self) -> bool:
        """Whether anybody is told."""
        ...

    def incoming(self, parent: str = "") -> AbstractContextManager[Span]:
        """A request of ours; `parent` is what the proxy sent as `traceparent`, if anything."""
        ...

    def outgoing(self) -> AbstractContextManager[Span]:
        """A call to somebody else, who is told nothing of the trace."""
        ...


class Untold:
    """A span that nobody hears of."""

    def tell(self, name: str, facts: Mapping[str, str | int]) -> None:
        """Nothing."""


class Untraced:
    """Makes such spans."""

    is_on = False
    _span = Untold()

    @contextmanager
    def incoming(self, parent: str = "") -> Iterator[Span]:  # noqa: ARG002  the protocol's
        """Nothing."""
        yield self._span

    @contextmanager
    def outgoing(self) -> Iterator[Span]:
        """Nothing."""
        yield self._span


UNTRACED = Untraced()
