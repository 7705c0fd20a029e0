"""What must be done once before the broker can start: `python -m broker.setup keys|database`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click
from alembic import command
from alembic.config import Config

from broker import keyring
from broker.clock import utcnow
from broker.settings import read_settings

MIGRATIONS = Path(__file__).parent.parent / "migrations"


@click.group()
def main() -> None:
    """Prepare this machine: keys and database."""


@main.command()
@click.option("--rotate", type=click.Choice(keyring.ALGORITHMS), help="Add a key that takes over.")
@click.option("--at", type=click.DateTime(), help="When it takes over (UTC); default: now.")
def keys(rotate: str | None, at: datetime | None) -> None:
    """Make the key files that are missing, or add one that takes over from the present one."""
    folder = read_settings(os.environ).keys_dir
    since = at.replace(tzinfo=UTC) if at else utcnow()
    made = [keyring.rotate(folder, rotate, since)] if rotate else keyring.init(folder, since)
    for path in made:
        click.echo(f"made {path}")


@main.command()
@click.option("--to", default="head", show_default=True, help="Revision to reach.")
def database(to: str) -> None:
    """Create the tables, or bring them to the newest shape."""
    command.upgrade(alembic_config(read_settings(os.environ).database_url), to)


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["database_url"] = url
    return config


if __name__ == "__main__":
    main()
