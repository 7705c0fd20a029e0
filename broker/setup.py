"""What must be done once before the broker can start: `python -m broker.setup keys|database`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url, text

from broker import keyring
from broker.audit import numbering
from broker.audit.mark import place_of
from broker.audit.rebuilding import is_unfilled, project_anew
from broker.clock import utcnow
from broker.settings import read_settings

ANNOUNCED = timedelta(minutes=10)
"""From a key's making to its first signature: /jwks may be cached for five minutes."""

_FORGOTTEN = """The record is empty, but {} says that entries were signed: nothing will be appended.
If this is meant as a new beginning, give the record a new name (BROKER_AUDIT__ORIGIN), or remove
that file where nobody relied on it (deploy/backup.md)."""

_LOCK = 0x6D696674_6D69
"""Key of PostgreSQL's advisory lock for migrations."""

MIGRATIONS = Path(__file__).parent.parent / "migrations"


@click.group()
def main() -> None:
    """Prepare this machine: keys and database."""


@main.command()
@click.option(
    "--rotate", type=click.Choice(tuple(keyring.ALGORITHMS)), help="Add a key that takes over."
)
@click.option("--at", type=click.DateTime(), help="When (UTC); default: in ten minutes.")
@click.option("--now", "at_once", is_flag=True, help="At once, after a theft: nobody knows it yet.")
@click.option("--token", help="Make it in this token of the security module (PKCS#11).")
@click.option("--retire", metavar="FILE", help="Put a key file away; its key is out at once.")
def keys(
    *, rotate: str | None, at: datetime | None, at_once: bool, token: str | None, retire: str | None
) -> None:
    """Make the key files that are missing, add one that takes over, or put one away."""
    settings, now = read_settings(os.environ), utcnow()
    folder, unlock = settings.keys_dir, keyring.unlock(settings.keys)
    since = at.replace(tzinfo=UTC) if at else now if at_once else now + ANNOUNCED
    if retire:
        made = [keyring.retire(folder, retire, now, unlock)]
    elif rotate and token:
        made = [keyring.make_in_module(folder, rotate, since, unlock, token)]
    elif rotate:
        made = [keyring.rotate(folder, rotate, since, unlock)]
    else:
        made = keyring.init(folder, now, unlock)
    for path in made:
        click.echo(f"made {path}")


@main.command("saml-keys")
@click.option("--next", "following", is_flag=True, help="Make the signing key that takes over.")
def saml_keys(*, following: bool) -> None:
    """Make the keys for SAML that are missing, each with its certificate."""
    settings, now = read_settings(os.environ), utcnow()
    names = ["saml-signing-next.pem"] if following else ["saml-signing.pem", "saml-encryption.pem"]
    host = settings.rp_id
    for path in (settings.keys_dir / name for name in names):
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            keyring.make_certified(path, host, now, keyring.unlock(settings.keys))
            click.echo(f"made {path}")


@main.command()
@click.option("--to", default="head", show_default=True, help="Revision to reach.")
def database(to: str) -> None:
    """Create the tables, or bring them to the newest shape."""
    settings = read_settings(os.environ)
    url = settings.database_url
    with _alone(url):
        command.upgrade(alembic_config(url), to)
    if to == "head" and not _fill_record(url) and (held := place_of(settings)) and held.exists():
        click.echo(_FORGOTTEN.format(held), err=True)


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Machines that start together migrate one after another; the second finds nothing to do."""
    if make_url(url).get_backend_name() != "postgresql":
        yield
        return
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield
    engine.dispose()


def _fill_record(url: str) -> bool:
    """Whether the record has entries; new index columns of theirs are filled out of them."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if is_unfilled(connection):
            project_anew(connection)
        found = numbering.waits(connection) or numbering.size(connection) > 0
    engine.dispose()
    return found


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = url
    return config


if __name__ == "__main__":
    main()
