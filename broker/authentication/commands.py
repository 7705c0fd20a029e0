"""The operator's commands: `flask --app broker mds import FILE | show`."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click
from cryptography import x509
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from broker.accounts import session as sessions
from broker.audit.log import record
from broker.authentication import store
from broker.authentication.metadata import MetadataRejected, read_blob
from broker.authentication.models import Authenticator
from broker.db import reading, transaction
from broker.web.tools import tools

commands = AppGroup("mds", help="FIDO metadata: what is known of models of security keys.")


@commands.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_blob(file: Path) -> None:
    """Take over a signed BLOB that is newer than the one we have."""
    settings, now = tools().settings.authentication, tools().clock()
    if settings.metadata_root is None:
        raise click.ClickException("BROKER_AUTHENTICATION__METADATA_ROOT names no certificate")
    root = _certificate(settings.metadata_root)
    with transaction() as tx:
        held = store.blob(tx)
        newest = held.number if held else 0
        try:
            text = file.read_text("ascii")
            blob = read_blob(text, root, now, signer=settings.metadata_signer, newest=newest)
        except (MetadataRejected, UnicodeDecodeError) as error:
            raise click.ClickException(f"refused: {error}") from error
        weakened = store.weakened_keys(tx, blob)
        store.replace_metadata(tx, blob, now)
        facts = {"number": blob.number, "models": len(blob.models), "skipped": len(blob.skipped)}
        record(tx, "metadata.imported", facts, now)
        _tell(tx, weakened, now)
    click.echo(f"number {blob.number}, {len(blob.models)} models")
    if weakened:
        click.echo(f"{len(weakened)} keys are of models whose weakness has become known")
    for place in blob.skipped:
        click.echo(f"skipped entry {place}: it makes no sense")
    if blob.next_update <= now:
        click.echo(f"warning: a newer one was due on {blob.next_update:%Y-%m-%d}", err=True)


@commands.command("show")
@click.pass_context
def show(context: click.Context) -> None:
    """Say which BLOB is in force; exit 1 where there is none or a newer one is due."""
    with reading() as tx:
        held = store.blob(tx)
        if held is None:
            click.echo("none")
            context.exit(1)
        click.echo(f"number {held.number}, the next is due on {held.next_update:%Y-%m-%d}")
        if held.next_update <= tools().clock():
            context.exit(1)


def _tell(tx: Session, weakened: Iterable[Authenticator], now: datetime) -> None:
    """The owners by the record's listeners, the relying services by the end of the visits."""
    for key in weakened:
        record(tx, "key.weakened", {"account": key.account_id, "key": key.id}, now)
    for account_id in sorted({key.account_id for key in weakened}):
        sessions.end_all(tx, account_id)


def _certificate(path: Path) -> x509.Certificate:
    octets = path.read_bytes()
    if octets.startswith(b"-----"):
        return x509.load_pem_x509_certificate(octets)
    return x509.load_der_x509_certificate(octets)
