"""A client's public keys: by value, or fetched from its jwks_uri, remembered for a while.

Fetching takes seconds at worst, so nothing here is called while a transaction is open.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from broker import serving
from broker.errors import UpstreamUnavailable
from broker.jose import KeyNotFound, SignedClaims, verify_with
from broker.oidc.client import Client
from broker.web.tools import tools

KEPT = timedelta(minutes=10)
"""How long a fetched key set is used without asking again: a withdrawn key ends by then."""
PATIENCE = timedelta(seconds=30)
"""How long nobody is asked again after a failure, or for a key that was not there."""
_MOST_SETS, _MOST_KEYS = 1024, 64
_EXTENSION = "broker.client_keys"

JwkSet = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Fetched:
    at: datetime
    keys: JwkSet | None
    """None: it could not be had, because of `failure`."""
    failure: str = ""


@dataclass(slots=True)
class KeyCache:
    """Key sets by address, for one process; at most one fetch per address at a time."""

    _held: OrderedDict[str, _Fetched] = field(default_factory=OrderedDict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def keys(self, url: str, now: datetime, *, anew: bool = False) -> JwkSet:
        """The key set at `url`; `anew`: fetched again, unless that was just done.

        Raises UpstreamUnavailable.
        """
        with self._guard:
            lock = self._locks.setdefault(url, threading.Lock())
        with lock:
            held = self._held.get(url)
            if held is None or now - held.at >= _lasts(held, anew=anew):
                held = _fetch(url, now)
                self._keep(url, held)
        if held.keys is None:
            raise UpstreamUnavailable(held.failure, "a client's key set")
        return held.keys

    def _keep(self, url: str, fetched: _Fetched) -> None:
        with self._guard:
            self._held[url] = fetched
            self._held.move_to_end(url)
            while len(self._held) > _MOST_SETS:
                forgotten, _ = self._held.popitem(last=False)
                self._locks.pop(forgotten, None)


def keys_of(client: Client, now: datetime, *, anew: bool = False) -> JwkSet:
    """The client's public keys; an empty set where it registered none.

    Outside any transaction. Raises UpstreamUnavailable.
    """
    if client.metadata.jwks_uri is None:
        return client.metadata.jwks or {"keys": []}
    cache: KeyCache = serving.extensions().setdefault(_EXTENSION, KeyCache())
    return cache.keys(client.metadata.jwks_uri, now, anew=anew)


def verify_of(
    client: Client,
    unverified_token: str,
    now: datetime,
    *,
    algorithms: Collection[str],
    typ: Collection[str] | None = None,
) -> SignedClaims:
    """The claims of what the client signed; a key that is unknown is looked for once more.

    Outside any transaction. Raises SignatureRejected, UpstreamUnavailable.
    """
    keys = keys_of(client, now)
    try:
        return verify_with(unverified_token, keys, algorithms=algorithms, typ=typ)
    except KeyNotFound:
        newer = keys_of(client, now, anew=True)
        if newer is keys:
            raise
        return verify_with(unverified_token, newer, algorithms=algorithms, typ=typ)


def _lasts(held: _Fetched, *, anew: bool) -> timedelta:
    return PATIENCE if anew or held.keys is None else KEPT


def _fetch(url: str, now: datetime) -> _Fetched:
    try:
        return _Fetched(now, _key_set(tools().outbound.get(url)))
    except UpstreamUnavailable as error:
        return _Fetched(now, None, error.code)


def _key_set(document: bytes) -> JwkSet:
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        found = None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise UpstreamUnavailable("upstream_unusable", "not a JWK Set")
    return {"keys": keys}
