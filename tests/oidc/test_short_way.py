"""The short way says, byte for byte, what the plain way says, and leaves to it what is rare."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from flask import Flask, Request, request
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import create_environ

from broker.audit.entry import read_leaf
from broker.audit.models import AuditStaged
from broker.brief import NotBrief
from broker.db import reading, transaction
from broker.identity.evidence import Claim, Evidence
from broker.oidc import grading
from broker.oidc.signing import takeover
from broker.proofing import store as proofing
from broker.web.lane import LONGEST_BODY, query
from broker.web.tools import Tools
from tests.conftest import ISSUER, NOON, in_memory
from tests.service import VERIFIER, Person, Service, register, settle

Heard = tuple[str, list[tuple[str, str]], bytes]

PLAIN: dict[str, dict[str, Any]] = {
    "/authorize": {"query": "&x"},
    "/token": {"content_type": "application/x-www-form-urlencoded; charset=utf-8"},
    "/userinfo": {"headers": {"DPoP": "of no use to a bearer"}},
    "/introspect": {"content_type": "application/x-www-form-urlencoded; charset=utf-8"},
}
"""Path → what takes a request past the short way and changes nothing else."""


@dataclass
class House:
    """An application, asked so that it answers by the short way, or `plainly` by the other."""

    app: Flask
    plainly: bool

    def ask(self, method: str, path: str, query: str = "", **said: Any) -> Heard:
        """What the server would send: status, headers, body."""
        past = dict(PLAIN[path]) if self.plainly else {}
        headers = said.pop("headers", {}) | past.pop("headers", {})
        if "data" in said:
            said["data"] = urlencode(said["data"])
            said["content_type"] = past.pop("content_type", "application/x-www-form-urlencoded")
        environ = create_environ(
            path, ISSUER, method=method, query_string=query + past.pop("query", ""),
            headers=headers, **said,
        )  # fmt: skip
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_error: Any) -> None:
            told.append((status, headers))

        body: Iterable[bytes] = self.app.wsgi_app(environ, start)  # type: ignore[arg-type]
        # An ECDSA signature is another one each time.
        return *told[-1], re.sub(rb"(\.[\w-]+\.)[\w-]{86}", rb"\1", b"".join(body))


def story(house: House, service: Service) -> dict[str, Heard]:
    """A sign-in and all that comes of it."""
    client = house.app.test_client()
    person = settle(house.app, client, agreed=("openid", "profile", "assurance"))
    name = Claim("family_name", "ERIKSSON", "line 1, 6-44")
    with house.app.test_request_context(), transaction() as tx:
        shown = Evidence("mrz_photo", (name,), (), NOON)
        proofing.file(tx, person.account_id, shown, NOON)
    cookie = {"Cookie": f"other=1; __Host-miftah_session={person.session_secret}; last=2"}
    asked = urlencode(service.arguments(scope="openid profile assurance"))
    heard = {"authorize": house.ask("GET", "/authorize", asked, headers=cookie)}
    location = dict(heard["authorize"][1])["Location"]
    form = {
        "grant_type": "authorization_code",
        "code": re.findall("code=([^&]+)", location)[0],
        "redirect_uri": service.redirect_uri,
        "code_verifier": VERIFIER,
    }
    basic = service.basic()
    heard["token"] = house.ask("POST", "/token", data=form, headers=basic)
    token = re.findall(rb'"access_token":"([^"]+)"', heard["token"][2])[0].decode()
    bearer = {"Authorization": f"Bearer {token}"}
    heard["userinfo"] = house.ask("GET", "/userinfo", headers=bearer)
    heard["introspect"] = house.ask("POST", "/introspect", data={"token": token}, headers=basic)
    own = {"grant_type": "client_credentials", "scope": "audit:read"}
    heard["own"] = house.ask("POST", "/token", data=own, headers=basic)
    heard["again"] = house.ask("POST", "/token", data=form, headers=basic)
    heard["void"] = house.ask("GET", "/userinfo", headers=bearer)
    heard["nobody"] = house.ask("POST", "/token", data=own | {"client_id": "x"})
    return heard


def told(tools: Tools, *, plainly: bool) -> tuple[dict[str, Heard], list[str]]:
    """The story at a house of its own, and the paths that Flask heard of."""
    plain: list[str] = []
    with in_memory(counting(tools)) as app:
        service = register(app)
        settled(app)
        app.before_request_funcs.setdefault(None, []).insert(0, lambda: plain.append(request.path))
        return story(House(app, plainly), service), plain


def counting(tools: Tools) -> Tools:
    """The same tools, whose chance begins anew: two houses draw alike."""
    draws = count(1)
    return replace(tools, random=lambda n: next(draws).to_bytes(n, "big"))


def settled(app: Flask) -> None:
    """What the first requests of a process do by the plain way is done."""
    with app.test_request_context(), transaction() as tx:
        now = app.extensions["broker"].clock()
        keyring = app.extensions["broker"].keyring
        grading.note(tx, app.extensions["broker"].policy.version, now)
        takeover.note(tx, keyring, "ES256", now)
    with app.test_request_context(), transaction() as tx:
        grading.note(tx, app.extensions["broker"].policy.version, now)
        takeover.note(tx, keyring, "ES256", now)


def test_the_short_way_and_the_plain_way_answer_byte_for_byte_alike(tools: Tools) -> None:
    short, rare = told(tools, plainly=False)
    plain, every = told(tools, plainly=True)
    assert short == plain
    assert {name: heard[0][:3] for name, heard in short.items()} == {
        "authorize": "303",
        "token": "200",
        "userinfo": "200",
        "introspect": "200",
        "own": "200",
        "again": "400",
        "void": "401",
        "nobody": "401",
    }
    assert every == [
        "/authorize",
        *("/token", "/userinfo", "/introspect"),
        *(["/token"] * 2),
        "/userinfo",
        "/token",
    ]
    assert rare == ["/token", "/userinfo", "/token"]  # the refusals


def test_a_refusal_that_is_on_record_is_there_once(
    app: Flask, client: FlaskClient, service: Service, person: Person
) -> None:
    assert person
    code = service.code(client)
    assert service.redeem(client, code, changed={"code_verifier": "w" * 43}).status_code == 400
    assert events(app)[-1:] == ["token.refused"]
    assert events(app).count("token.refused") == 1


@pytest.mark.parametrize(
    ("query", "headers", "data"),
    [
        ("", {}, {"grant_type": "client_credentials", "scope": "é"}),
        ("", {}, {"grant_type": "client_credentials", "unheard_of": ""}),
        ("grant_type=client_credentials", {}, {"grant_type": "client_credentials"}),
        ("", {"DPoP": "no proof"}, {"grant_type": "client_credentials"}),
        ("", {}, {"grant_type": "password"}),
        ("", {}, {"grant_type": "client_credentials", "client_secret": "x"}),
    ],
)
def test_what_is_odd_is_answered_as_flask_answers_it(
    tools: Tools, query: str, headers: dict[str, str], data: dict[str, str]
) -> None:
    heard = []
    for plainly in (False, True):
        with in_memory(counting(tools)) as app:
            house, service = House(app, plainly), register(app)
            settled(app)
            said = {"headers": service.basic() | headers, "data": data}
            heard.append(house.ask("POST", "/token", query, **said))
    assert heard[0] == heard[1]


def check_alike(sent: str) -> None:
    try:
        mine = query({"QUERY_STRING": sent})
    except NotBrief:
        return
    theirs = Request(create_environ("/", ISSUER, query_string=sent)).args
    assert mine == theirs.to_dict(flat=False)


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.binary(max_size=20))
def test_parameters_are_read_as_werkzeug_reads_them_or_not_at_all(text: str, raw: bytes) -> None:
    sent = f"a={quote(text)}&b={quote_plus(text)}&{quote(text)}=c&d={quote(raw)}"
    check_alike(sent)


@given(st.text("=&%+ab;é", max_size=30))
def test_no_query_is_read_otherwise_than_werkzeug_reads_it(sent: str) -> None:
    check_alike(sent)


def test_a_length_beyond_all_numbers_is_no_server_error(app: Flask, service: Service) -> None:
    length = {"CONTENT_LENGTH": "9" * 5000}
    response = app.test_client().post(
        "/token", data="x=y", headers=service.basic(), environ_overrides=length
    )
    assert response.status_code in {400, 401, 413}


def test_a_body_that_is_too_long_for_the_short_way_is_read_by_the_plain_one(
    app: Flask, service: Service
) -> None:
    form = {"grant_type": "client_credentials", "x": "x" * (LONGEST_BODY + 1)}
    response = app.test_client().post("/token", data=form, headers=service.basic())
    assert response.status_code == 200


def events(app: Flask) -> list[str]:
    with app.app_context(), reading() as tx:
        return [read_leaf(row)["event"] for row in tx.scalars(select(AuditStaged.leaf))]
