"""Alembic's entry: the tables of every room, against the database that the caller names."""

import os

from alembic import context
from sqlalchemy import create_engine

import broker.app
from broker.db import Base
from broker.settings import read_settings

url = context.config.attributes.get("database_url") or read_settings(os.environ).database_url


def run() -> None:
    """Run the migrations in one transaction, so that a failed one leaves nothing behind."""
    engine = create_engine(broker.app.absolute(url))
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            # SQLite cannot alter most things in place.
            render_as_batch=connection.dialect.name == "sqlite",
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
