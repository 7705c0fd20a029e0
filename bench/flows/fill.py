"""`python -m bench.flows.fill PERSONS CLIENTS ENTRIES`: fill our database as years of use would.

Rows are written many a statement, sealed and digested as the pages do it, so that any of these
persons can sign in, and any of their evidence be opened. Entries go through `record`.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bench.flows.people import AUTHENTICATOR, SHOWN
from broker import entropy
from broker.accounts import models, vault
from broker.accounts.subject import pairwise
from broker.app import create_app
from broker.audit.log import record
from broker.authentication.enrolling import NAME_PURPOSE
from broker.authentication.models import Authenticator
from broker.consent.models import Consent
from broker.db import Base, transaction
from broker.identity.evidence import Evidence, to_json
from broker.oidc import registering
from broker.oidc.client_metadata import ClientMetadata
from broker.oidc.grant import Assurance, Grant, weigh
from broker.oidc.minting import issuance
from broker.oidc.models import GrantRow
from broker.oidc.store import name_of
from broker.proofing import store as proofing
from broker.proofing.models import FiledEvidence
from broker.web import cookies
from broker.web.tools import Tools, tools

BATCH = 2_000
SIGNED_IN = 20
"""One person in so many has a session."""
DAY = 50_000
"""Grants of the last day, which are still kept."""

Row = dict[str, Any]


class Service(NamedTuple):
    """Whom people go to; subjects are made for its sector."""

    id: str
    sector: str


class Person(NamedTuple):
    """Whom entries are about."""

    account: str
    reference: str


def main(persons: int, clients: int, entries: int) -> None:
    """Fill the database of the settings."""
    with create_app().test_request_context():
        house = tools()
        now = house.clock()
        services = _services(house, clients, now)
        people = list(_people(house, persons, services, now))
        for start in range(0, entries, BATCH):
            _record(house, people, services, range(start, min(start + BATCH, entries)), entries)


def _services(house: Tools, count: int, now: datetime) -> list[Service]:
    with transaction() as tx:
        made = (
            registering.register(tx, _metadata(number), house.random, now)
            for number in range(count)
        )
        return [Service(each.client_id, each.metadata.sector_host) for each in made]


def _metadata(number: int) -> ClientMetadata:
    host = f"service-{number}.example"
    said: Row = {
        "client_name": {"en": f"Service {number}"},
        "purpose": {"en": "To be there."},
        "redirect_uris": [f"https://{host}/callback"],
        "scope": "openid profile assurance",
        "sector": host,
    }
    return ClientMetadata.model_validate(said)


def _people(
    house: Tools, count: int, services: Sequence[Service], now: datetime
) -> Iterator[Person]:
    shown = SHOWN.shown(now)
    if shown is None:
        raise LookupError(SHOWN.name)
    made = (_person(house, n, services[n % len(services)].id, shown, now) for n in range(count))
    while batch := list(islice(made, BATCH)):
        by_table: dict[type[Base], list[Row]] = {}
        for _, rows in batch:
            for table, row in rows:
                by_table.setdefault(table, []).append(row)
        with transaction() as tx:
            for table, those in by_table.items():
                tx.connection().execute(insert(table), those)
        yield from (person for person, _ in batch)


def _person(
    house: Tools, number: int, client: str, shown: Evidence, now: datetime
) -> tuple[Person, list[tuple[type[Base], Row]]]:
    draw, account, key = house.random, entropy.token(house.random), house.random(32)
    wrapped = vault._seal(house.keyring.wrapping, key, f"account-key:{account}", draw)  # noqa: SLF001
    evidence = _evidence(house, account, key, shown, now)
    rows: list[tuple[type[Base], Row]] = [
        (models.Account, {"id": account, "created": now}),
        (models.AccountKey, {"account_id": account, "wrapped": wrapped}),
        (FiledEvidence, evidence),
        (Authenticator, _authenticator(house, account, key, now)),
        (Consent, _consent(account, client, now)),
    ]
    if number % SIGNED_IN == 0:
        rows.append((models.Session, _session(house, account, now)))
    return Person(account, evidence["id"]), rows


def _evidence(house: Tools, account: str, key: bytes, shown: Evidence, now: datetime) -> Row:
    named = replace(shown, reference=entropy.token(house.random))
    salt = entropy.token(house.random)
    body = {"salt": salt, "evidence": to_json(named)}
    return {
        "id": named.reference,
        "account_id": account,
        "kind": named.kind,
        "body": _sealed(house, account, key, f"evidence:{named.reference}", body),
        "at": named.at,
        "filed": now,
        "expires": named.expires,
        "digest": proofing.digest(salt, named),
    }


def _authenticator(house: Tools, account: str, key: bytes, now: datetime) -> Row:
    return {
        "id": entropy.token(house.random),
        "account_id": account,
        "credential_id": house.random(32),
        "user_handle": house.random(64),
        "public_key": house.random(77),
        "sign_count": 0,
        "transports": ["internal"],
        "aaguid": "00000000-0000-0000-0000-000000000000",
        "attestation_format": "none",
        "attestation_object": house.random(180),
        "client_data": house.random(130),
        "backup_eligible": True,
        "backed_up": True,
        "name": _sealed(house, account, key, NAME_PURPOSE, "Key"),
        "created": now,
        "last_used": now,
        "full_from": None,
    }


def _consent(account: str, client: str, now: datetime) -> Row:
    return {
        "account_id": account,
        "client_id": client,
        "client_name": {"en": "Service"},
        "scope": ["openid"],
        "claims": [],
        "details": [],
        "at": now,
    }


def _session(house: Tools, account: str, now: datetime) -> Row:
    return {
        "id": entropy.token(house.random),
        "secret": cookies.digest(entropy.token(house.random)),
        "account_id": account,
        "authenticator": AUTHENTICATOR,
        "auth_time": now,
        "seen": now,
    }


def _sealed(house: Tools, account: str, key: bytes, purpose: str, value: Any) -> bytes:
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return vault._seal(key, plain, f"{purpose}:{account}", house.random)  # noqa: SLF001


def _record(
    house: Tools, people: Sequence[Person], services: Sequence[Service], places: range, end: int
) -> None:
    now, grants = house.clock(), list[Row]()
    weighed = weigh([SHOWN.shown(now)], AUTHENTICATOR, house.policy, now, ())  # type: ignore[list-item]
    with transaction() as tx:
        for place in places:
            person = people[(place // 2) * 7919 % len(people)]
            service = services[(place // 2) % len(services)]
            then = now - timedelta(seconds=end // 2 - place // 2)
            grant = _grant(house, person, service, weighed, place, then)
            _issue(tx, grant, place, now)
            if place % 2 and place >= end - 2 * DAY:
                grants.append(
                    {
                        "id": grant.id,
                        "account_id": person.account,
                        "client_id": service.id,
                        "body": grant.to_json(),
                        "created": now,
                    }
                )
        if grants:
            tx.connection().execute(insert(GrantRow), grants)


def _issue(tx: Session, grant: Grant, place: int, now: datetime) -> None:
    if place % 2:
        record(tx, "token.issued", issuance(grant, f"token-{place}"), now)
        return
    facts = {"account": grant.account_id, "client": grant.client_id, "grant": grant.id}
    told = {"subject": grant.subject, "acr": grant.assurance.acr}
    record(tx, "code.issued", facts | told, now)


def _grant(  # noqa: PLR0913  who, to whom, how sure, which and when
    house: Tools, person: Person, service: Service, weighed: Assurance, place: int, now: datetime
) -> Grant:
    # A code and its token are of one grant.
    code = entropy.dated(lambda _: sha256(f"grant-{place // 2}".encode()).digest(), now)
    return Grant(
        id=name_of(code),
        account_id=person.account,
        client_id=service.id,
        subject=pairwise(house.keyring.pairwise, service.sector, person.account),
        scope=("openid",),
        authenticator=AUTHENTICATOR,
        auth_time=int(now.timestamp()),
        assurance=replace(weighed, evidence=person.reference),
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
