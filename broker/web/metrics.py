"""/metrics: what Prometheus is told, once it has shown the operator's token."""

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Response, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from broker.db import reading
from broker.errors import OAuthCode, OAuthError
from broker.feature import Feature, Sample
from broker.measuring.catalogue import DATABASE_UP, PROCESSES
from broker.measuring.folder import gathered
from broker.measuring.text import CONTENT_TYPE, exposed
from broker.web import cookies
from broker.web.tools import tools

SHORTEST = 20
"""Bytes of the token: whoever finds the door may try as many as they like."""


class TokenRejected(Exception):
    """The file of the token holds none that would do."""


def door(token_file: Path, folder: Path) -> Blueprint:
    """The page, closed to everybody without the token. Raises TokenRejected, OSError."""
    wanted = _digest(_token(token_file))
    pages = Blueprint("metrics", __name__)

    @pages.get("/metrics")
    def metrics() -> Response:
        """What all processes of this machine have counted, and what is looked up now."""
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(_digest(shown.encode()), wanted):
            raise OAuthError(OAuthCode.INVALID_TOKEN, "not the operator's token")
        values, living = gathered(folder)
        samples = [(PROCESSES, (), float(living)), *_looked_up()]
        return Response(exposed(values, samples), content_type=CONTENT_TYPE)

    @pages.after_request
    def _without_cookies(response: Response) -> Response:
        cookies.forget()
        return response

    return pages


def _token(path: Path) -> bytes:
    token = path.read_bytes().strip()
    if len(token) < SHORTEST:
        raise TokenRejected(f"{path}: fewer than {SHORTEST} bytes")
    return token


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _looked_up() -> Iterator[Sample]:
    """What the rooms say of this moment; a room that cannot be asked says nothing."""
    is_up = 1.0
    try:
        with reading() as tx:
            tx.execute(select(1))
    except SQLAlchemyError:
        is_up = 0.0
    yield DATABASE_UP, (), is_up
    for feature in tools().features if is_up else ():
        yield from _gauges(feature)


def _gauges(feature: Feature) -> list[Sample]:
    if feature.gauges is None:
        return []
    try:
        with reading() as tx:
            return list(feature.gauges(tx, tools().clock()))
    except SQLAlchemyError:
        return []
