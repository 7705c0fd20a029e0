"""Two doors for whoever keeps the broker running: is the process alive, can it do its work."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, jsonify
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from broker import keyring
from broker.db import reading
from broker.errors import BrokerError
from broker.feature import Feature
from broker.web import cookies
from broker.web.tools import Tools, tools

pages = Blueprint("health", __name__)

_VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
_NOT_READY = 503


@pages.get("/healthz")
def alive() -> Response:
    """The process answers; nothing else is looked at, so a database that is away kills nobody."""
    return jsonify({"status": "ok"})


@pages.get("/readyz")
def ready() -> Response:
    """Whether requests may be sent here; else which parts are not ready, and no more than that."""
    house = tools()
    missing = list(_missing(house, house.clock()))
    if not missing:
        return jsonify({"status": "ok"})
    answer = jsonify({"status": "not ready", "parts": missing})
    answer.status_code = _NOT_READY
    return answer


@pages.after_request
def _without_cookies(response: Response) -> Response:
    cookies.forget()
    return response


def _missing(house: Tools, now: datetime) -> Iterator[str]:
    if not _answers():
        yield "database"
        return
    if not _is_migrated():
        yield "migrations"
        return
    if not _signs(house, now):
        yield "keys"
    for feature in house.features:
        if not _is_ready(feature, now):
            yield feature.name


def _answers() -> bool:
    try:
        with reading() as tx:
            tx.execute(select(1))
    except SQLAlchemyError:
        return False
    return True


def _is_migrated() -> bool:
    """Whether the tables are those of this program, or of a later one.

    While a new release takes over, its migrations come first: the old one goes on until then.
    """
    try:
        with reading() as tx:
            found = set(tx.scalars(text("SELECT version_num FROM alembic_version")))
    except SQLAlchemyError:
        return False
    every, head = _revisions()
    return head in found or bool(found - every)


@cache
def _revisions() -> tuple[frozenset[str], str]:
    """Every migration that we know, and the newest: the one that no other follows."""
    files = "\n".join(path.read_text("utf-8") for path in sorted(_VERSIONS.glob("*.py")))
    every = re.findall(r"^revision\b[^=\n]*= *[\"'](\w+)", files, re.MULTILINE)
    followed = set(re.findall(r"^down_revision\b[^=\n]*= *[\"'](\w+)", files, re.MULTILINE))
    return frozenset(every), next(one for one in every if one not in followed)


def _signs(house: Tools, now: datetime) -> bool:
    try:
        keys = house.keyring
        return all(keys.active(alg, now) for alg in keyring.REQUIRED)
    except keyring.KeysMissing:
        return False


def _is_ready(feature: Feature, now: datetime) -> bool:
    if feature.ready is None:
        return True
    try:
        with reading() as tx:
            return feature.ready(tx, now)
    except (SQLAlchemyError, BrokerError):
        return False
