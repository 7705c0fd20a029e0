"""`flask --app broker client …`: registering relying services, and inviting them to register."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from broker import entropy
from broker.audit.log import record
from broker.db import reading, transaction
from broker.errors import OAuthError, UpstreamUnavailable
from broker.oidc import registering, registration, store
from broker.oidc.client_metadata import AUTH_METHODS, GRANT_TYPES, ClientMetadata
from broker.oidc.models import ClientRow
from broker.oidc.strict_json import JsonRefused
from broker.oidc.strict_json import read as read_json
from broker.web.tools import tools

clients = AppGroup("client", help="Register relying services.")

_NAMED = {"ignore_unknown_options": True}
"""One in 64 of the names that we make begins with a hyphen, and is no option for that."""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LARGEST = 1024 * 1024


@clients.command()
@click.option("--id", "client_id", help="Client identifier; default: an unguessable one.")
@click.option("--metadata", "file", type=_FILE, help="JSON of the registration (RFC 7591 §2).")
@click.option("--name", multiple=True, help="fr=…, ar=…, en=…: shown to people.")
@click.option("--purpose", multiple=True, help="fr=…, ar=…, en=…: why data is asked for.")
@click.option("--redirect-uri", multiple=True, help="Exact address; several times for several.")
@click.option("--scope", help="Space-separated.  [default: openid]")
@click.option("--grant", multiple=True, type=click.Choice(GRANT_TYPES))
@click.option("--method", type=click.Choice(AUTH_METHODS), help="[default: client_secret_basic]")
@click.option("--alg", help="Of the ID token's signature.  [default: ES256]")
@click.option("--sector", help="Host that pairwise subjects are made for (Core §8.1).")
def register(  # noqa: PLR0913  one per option
    client_id: str | None,
    file: Path | None,
    name: tuple[str, ...],
    purpose: tuple[str, ...],
    redirect_uri: tuple[str, ...],
    scope: str | None,
    grant: tuple[str, ...],
    method: str | None,
    alg: str | None,
    sector: str | None,
) -> None:
    """Register a relying service and show its secret, once. Options override the file."""
    now, draw = tools().clock(), tools().random
    said = _file(file) | _texts("client_name", name) | _texts("purpose", purpose)
    options = {
        "redirect_uris": list(redirect_uri),
        "grant_types": list(grant),
        "scope": scope,
        "sector": sector,
        "token_endpoint_auth_method": method,
        "id_token_signed_response_alg": alg,
    }
    metadata = _read(said | {option: value for option, value in options.items() if value})
    with transaction() as tx:
        if client_id and tx.get(ClientRow, client_id):
            raise click.UsageError("a client with this identifier exists, or existed")
        made = registering.register(tx, metadata, draw, now, client_id=client_id)
    click.echo(f"client_id {made.client_id}")
    if made.secret is not None:
        click.echo(f"client_secret {made.secret}")


@clients.command(context_settings=_NAMED)
@click.argument("client_id")
@click.option("--metadata", "file", type=_FILE, required=True, help="The whole new registration.")
def change(client_id: str, file: Path) -> None:
    """Replace a client's registration by the one in the file."""
    metadata, now = _read(_file(file)), tools().clock()
    with transaction() as tx:
        made = registering.change(tx, _row(tx, client_id), metadata, tools().random, now)
    if made.secret is not None:
        click.echo(f"client_secret {made.secret}")


@clients.command(context_settings=_NAMED)
@click.argument("client_id")
def show(client_id: str) -> None:
    """Show a client's registration as JSON, which --metadata understands."""
    with reading() as tx:
        metadata = store.metadata_of(_row(tx, client_id))
    said = registration.written(metadata)
    if metadata.sector:
        said["sector"] = metadata.sector
    click.echo(json.dumps(said, ensure_ascii=False, indent=2))


@clients.command(context_settings=_NAMED)
@click.argument("client_id")
def remove(client_id: str) -> None:
    """Remove a client and make worthless all that it was given."""
    now = tools().clock()
    with transaction() as tx:
        registering.remove(tx, _row(tx, client_id), now)


@clients.command(context_settings=_NAMED)
@click.argument("client_id")
def secret(client_id: str) -> None:
    """Give a client a new secret, shown once; the old one ends at once."""
    fresh, now = entropy.token(tools().random), tools().clock()
    with transaction() as tx:
        row = store.find_row(tx, client_id)
        if row is None or row.secret is None:
            raise click.UsageError("no client with a secret has this identifier")
        row.secret = store.digest(fresh)
        record(tx, "client.changed", {"client": client_id, "what": "secret"}, now)
    click.echo(f"client_secret {fresh}")


@clients.command()
@click.option("--uses", default=1, show_default=True, type=click.IntRange(1, 1000))
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 365))
def invite(uses: int, days: int) -> None:
    """Show, once, an initial access token with which a service registers itself (RFC 7591 §3)."""
    now = tools().clock()
    with transaction() as tx:
        token = registering.invite(tx, tools().random, uses, timedelta(days=days), now)
    click.echo(f"initial_access_token {token}")


@clients.command("list")
def every() -> None:
    """List the registered clients."""
    with reading() as tx:
        for row in tx.scalars(
            select(ClientRow).where(ClientRow.removed.is_(None)).order_by(ClientRow.id)
        ):
            said = store.metadata_of(row)
            click.echo(f"{row.id}\t{' '.join(sorted(said.scope))}\t{said.redirect_uris}")


def _row(tx: Session, client_id: str) -> ClientRow:
    row = store.find_row(tx, client_id)
    if row is None:
        raise click.UsageError("no client has this identifier")
    return row


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        said = read_json(path.read_text("utf-8"), size=_LARGEST)
    except (JsonRefused, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(said, dict):
        raise click.UsageError(f"{path.name} must hold an object")
    return said


def _read(said: dict[str, Any]) -> ClientMetadata:
    try:
        metadata = registration.read_as_operator(said)
        if metadata.sector_identifier_uri is not None:
            document = tools().outbound.get(metadata.sector_identifier_uri)
            registration.check_sector(metadata, document)
    except OAuthError as error:
        raise click.UsageError(error.hint) from None
    except UpstreamUnavailable as error:
        raise click.UsageError(f"sector_identifier_uri: {error.code}") from None
    return metadata


def _texts(member: str, pairs: tuple[str, ...]) -> dict[str, str]:
    texts = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(texts) != len(pairs):
        raise click.UsageError("texts are given as fr=…, ar=…, en=…")
    return {f"{member}#{language}": text for language, text in texts.items()}
