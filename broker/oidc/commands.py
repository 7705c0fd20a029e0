"""`flask --app broker client …`: registering relying services."""

from urllib.parse import urlsplit

import click
from flask.cli import AppGroup
from pydantic import ValidationError
from sqlalchemy import select

from broker import entropy
from broker.audit.log import record
from broker.db import reading, transaction
from broker.oidc import store
from broker.oidc.client_metadata import GRANT_TYPES, SECRET_METHODS, ClientMetadata
from broker.oidc.models import ClientRow
from broker.web.tools import tools

clients = AppGroup("client", help="Register relying services.")


@clients.command()
@click.option("--id", "client_id", help="Client identifier; default: an unguessable one.")
@click.option("--name", multiple=True, required=True, help="fr=…, ar=…, en=…: shown to people.")
@click.option("--purpose", multiple=True, help="fr=…, ar=…, en=…: why data is asked for.")
@click.option("--redirect-uri", multiple=True, help="Exact address; several times for several.")
@click.option("--scope", default="openid", show_default=True, help="Space-separated.")
@click.option("--grant", multiple=True, type=click.Choice(GRANT_TYPES))
@click.option(
    "--method",
    default="client_secret_basic",
    show_default=True,
    type=click.Choice([*sorted(SECRET_METHODS), "none"]),
)
@click.option("--alg", default="ES256", show_default=True, type=click.Choice(["ES256", "RS256"]))
@click.option("--sector", help="Host that pairwise subjects are made for (Core §8.1).")
def register(  # noqa: PLR0913  one per option
    client_id: str | None,
    name: tuple[str, ...],
    purpose: tuple[str, ...],
    redirect_uri: tuple[str, ...],
    scope: str,
    grant: tuple[str, ...],
    method: str,
    alg: str,
    sector: str | None,
) -> None:
    """Register a relying service and show its secret, once."""
    now, draw = tools().clock(), tools().random
    metadata = _metadata(
        client_name=_texts(name),
        purpose=_texts(purpose),
        redirect_uris=redirect_uri,
        grant_types=grant or ("authorization_code",),
        scope=scope,
        sector=sector or _sector(redirect_uri),
        token_endpoint_auth_method=method,
        id_token_signed_response_alg=alg,
    )
    secret = None if method == "none" else entropy.token(draw)
    row = ClientRow(
        id=client_id or entropy.token(draw, bits=128),
        secret=None if secret is None else store.digest(secret),
        metadata_text=metadata.model_dump_json(exclude_defaults=True),
        created=now,
    )
    with transaction() as tx:
        if store.find_client(tx, row.id):
            raise click.UsageError("a client with this identifier exists")
        tx.add(row)
        client_id = row.id
        record(tx, "client.registered", {"client": client_id}, now)
    click.echo(f"client_id {client_id}")
    if secret is not None:
        click.echo(f"client_secret {secret}")


@clients.command()
@click.argument("client_id")
def secret(client_id: str) -> None:
    """Give a client a new secret, shown once; the old one ends at once."""
    fresh, now = entropy.token(tools().random), tools().clock()
    with transaction() as tx:
        row = tx.get(ClientRow, client_id)
        if row is None or row.secret is None:
            raise click.UsageError("no client with a secret has this identifier")
        row.secret = store.digest(fresh)
        record(tx, "client.changed", {"client": client_id, "what": "secret"}, now)
    click.echo(f"client_secret {fresh}")


@clients.command("list")
def show() -> None:
    """List the registered clients."""
    with reading() as tx:
        for row in tx.scalars(select(ClientRow).order_by(ClientRow.id)):
            client = store.find_client(tx, row.id)
            if client is not None:
                said = client.metadata
                click.echo(f"{row.id}\t{' '.join(sorted(said.scope))}\t{said.redirect_uris}")


def _metadata(**said: object) -> ClientMetadata:
    try:
        return ClientMetadata.model_validate(said)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise click.UsageError("; ".join(faults)) from None


def _texts(pairs: tuple[str, ...]) -> dict[str, str]:
    texts = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(texts) != len(pairs):
        raise click.UsageError("texts are given as fr=…, ar=…, en=…")
    return texts


def _sector(uris: tuple[str, ...]) -> str:
    hosts = {urlsplit(uri).hostname or "" for uri in uris}
    if len(hosts) > 1:
        raise click.UsageError("several hosts: name the --sector (Core §8.1)")
    return next(iter(hosts), "")
