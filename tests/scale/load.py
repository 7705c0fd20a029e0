"""Relying services that go on and on, and what became of everything they asked."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import cycle
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jws
from sqlalchemy import text

from broker.db import db, reading
from tests.scale.machines import Caller, Machines
from tests.service import VERIFIER

SPENT = text("SELECT count(*) FROM authorization_code WHERE spent IS NOT NULL")
ISSUED = text("SELECT count(*) FROM audit_entry WHERE event = 'token.issued'")


def form(machines: Machines, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": machines.service.redirect_uri,
        "code_verifier": VERIFIER,
    }


def minted(machines: Machines, at: Caller) -> str:
    """A code for the person who is signed in."""
    asked = at.get(
        f"/authorize?{urlencode(machines.service.arguments())}", cookies=machines.cookies
    )
    assert asked.status_code == 303, asked.text
    return parse_qs(urlsplit(asked.headers["Location"]).query)["code"][0]


def redeemed(machines: Machines, at: Caller, code: str) -> requests.Response:
    return at.post("/token", data=form(machines, code), headers=machines.service.basic())


def digest(id_token: str) -> str:
    """By which the record knows this token."""
    payload = jws.extract_compact(id_token.encode()).payload
    return sha256(json.loads(payload)["jti"].encode()).hexdigest()


@dataclass
class Load:
    """`heard` counts what was answered, by door and status; `handed` are the tokens themselves."""

    machines: Machines
    at: list[Caller]
    also: frozenset[int] = frozenset()
    handed: list[str] = field(default_factory=list)
    heard: Counter[tuple[str, int]] = field(default_factory=Counter)
    unfit: list[str] = field(default_factory=list)
    slowest: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Flows, each begun at one machine and ended at the other."""
        turn = cycle(self.at)
        while not self.over.is_set():
            began = time.monotonic()
            try:
                self._once(next(turn), next(turn))
            except requests.RequestException:
                self.heard["refused", 0] += 1
                time.sleep(0.05)
            next(turn)
            self.slowest = max(self.slowest, time.monotonic() - began)

    def _once(self, first: Caller, second: Caller) -> None:
        arguments = urlencode(self.machines.service.arguments())
        asked = first.get(f"/authorize?{arguments}", cookies=self.machines.cookies)
        self._judge("authorize", asked)
        if asked.status_code != 303:
            return
        [code] = parse_qs(urlsplit(asked.headers["Location"]).query).get("code", [""])
        told = redeemed(self.machines, second, code)
        self._judge("token", told)
        if told.status_code == 200:
            self.handed.append(digest(told.json()["id_token"]))

    def _judge(self, door: str, answer: requests.Response) -> None:
        self.heard[door, answer.status_code] += 1
        if answer.status_code in {200, 303, *self.also}:
            return
        if answer.status_code == 503 and "Retry-After" in answer.headers:
            time.sleep(0.1)
        else:
            self.unfit.append(f"{door} {answer.status_code}: {answer.text[:300]}")


@contextmanager
def load(
    machines: Machines, threads: int = 4, *, at: list[Caller] | None = None, also: int = 200
) -> Iterator[Load]:
    """Going on until the block ends; at both machines in turn, unless said otherwise.

    Besides 503 with Retry-After, the status `also` is a fit answer.
    """
    made = Load(machines, at or machines.at, frozenset({also}))
    running = [threading.Thread(target=made.run) for _ in range(threads)]
    for each in running:
        each.start()
    try:
        yield made
    finally:
        made.over.set()
        for each in running:
            each.join()


def more(made: Load, tokens: int = 15) -> None:
    """Wait until so many more have been handed out."""
    goal, end = len(made.handed) + tokens, time.monotonic() + 60
    while len(made.handed) < goal:
        assert time.monotonic() < end, f"no tokens any more: {made.heard} {made.unfit[:3]}"
        time.sleep(0.05)


def settled(machines: Machines, handed: list[str], seconds: float = 10) -> None:
    """Every token that was handed out has its entry under the checkpoint, within the seconds."""
    end = time.monotonic() + seconds
    while True:
        signed = machines.tell("audit", "checkpoint")
        with machines.app.app_context():
            with reading() as tx:
                rows = tx.execute(text("SELECT leaf FROM audit_entry WHERE idx >= 0"))
                leaves = b"\n".join(bytes(row[0]) for row in rows).decode()
                count = tx.scalar(text("SELECT count(*) FROM audit_entry"))
            db.session.remove()
        lost = [each for each in handed if each not in leaves]
        covered = int(signed.splitlines()[1]) >= (count or 0)
        if not lost and covered:
            return
        assert time.monotonic() < end, f"{len(lost)} tokens without an entry, covered: {covered}"
        time.sleep(0.2)


def faults(machines: Machines, handed: list[str]) -> list[str]:
    """What is wrong in the end: nothing, or words."""
    settled(machines, handed)
    found = []
    with machines.app.app_context():
        with reading() as tx:
            spent, issued = tx.scalar(SPENT), tx.scalar(ISSUED)
        db.session.remove()
    if spent != issued:
        found.append(f"{spent} spent codes, {issued} issuances")
    if len(set(handed)) != len(handed):
        found.append("one token was handed out twice")
    if "The record holds." not in (told := machines.tell("audit", "verify")):
        found.append(told)
    return found
