"""Byte mutation of every request that the desk reads: refused, and never a server error.

`make fuzz` is the long run. MIFTAH_FUZZ is how many requests are sent, all doors together;
MIFTAH_FUZZ_SEED repeats a run.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from broker.db import db
from broker.outbound import Outbound
from broker.web.tools import Tools
from tests.conftest import ISSUER
from tests.fuzz.mutation import Wire
from tests.fuzz.town import Town, doors, found
from tests.oidc.test_client_certificate import behind
from tests.service import CALLBACK

TIMES = int(os.environ.get("MIFTAH_FUZZ", "800"))
SEED = os.environ.get("MIFTAH_FUZZ_SEED", "1")
FRESH = 200
"""Requests after which codes and tokens are made anew: damaged ones use them up."""


def nowhere(_host: str, _port: int) -> Sequence[str]:
    raise OSError


@pytest.fixture
def app(tools: Tools) -> Iterator[Flask]:
    from dataclasses import replace

    from broker import entropy

    app = behind(replace(tools, random=entropy.system))
    app.testing = False
    house = app.extensions["broker"]
    app.extensions["broker"] = replace(house, outbound=Outbound(resolve=nowhere))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def send(town: Town, wire: Wire) -> tuple[int, str]:
    """Status and Location; the header's bytes arrive as a server would hand them over."""
    lines = {
        f"HTTP_{name.upper().replace('-', '_')}": _line(value)
        for name, value in wire.headers.items()
    }
    environ = EnvironBuilder(
        path=wire.path,
        method=wire.method,
        base_url=ISSUER,
        data=wire.body or None,
        content_type=wire.content_type if wire.body else None,
        environ_overrides=lines | {"QUERY_STRING": wire.query.decode("latin-1")},
    ).get_environ()
    response = town.client.open(environ)
    return response.status_code, response.headers.get("Location", "")


def _line(value: bytes) -> str:
    # What no server would take for a header value never reaches the application.
    return "".join(c for c in value[:8000].decode("latin-1") if c not in "\r\n\x00").strip()


def test_no_damaged_request_is_a_server_error_or_leads_elsewhere(app: Flask) -> None:
    town, draw, seen = found(app), Random(SEED), Counter[str]()  # noqa: S311  not a secret
    open_doors = doors(town, town.fresh())
    for number in range(TIMES):
        if number % FRESH == 0:
            open_doors = doors(found_again(town), town.fresh())
        door = sorted(open_doors)[number % len(open_doors)]
        wire = open_doors[door].spoiled(draw)
        status, location = send(town, wire)
        assert status < 500, (number, door, wire)
        assert is_ours(location), (number, door, wire, location)
        seen[f"{status // 100}xx"] += 1
    print(f"{TIMES} damaged requests at {len(open_doors)} doors: {dict(sorted(seen.items()))}")
    assert {"2xx", "4xx"} <= set(seen)


def found_again(town: Town) -> Town:
    """The same town, its person signed in again if a sound request signed them out."""
    from tests.service import settle

    settle(town.app, town.client, agreed=("openid", "offline_access"))
    return town


def is_ours(location: str) -> bool:
    """Whether the browser stays here, or goes to a registered address."""
    rest = location.removeprefix(CALLBACK)
    return location == "" or location.startswith("/") or (rest != location and rest[:1] in "?#")
