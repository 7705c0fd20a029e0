"""`flask --app broker desk …`: who audits."""

import click
from flask.cli import AppGroup
from sqlalchemy import select

from broker.accounts.models import Account
from broker.db import reading, transaction
from broker.desk import auditor
from broker.desk.models import Auditor
from broker.desk.scope import ALL
from broker.web.tools import tools

commands = AppGroup("desk", help="The auditors' desk.")

_NAMED = {"ignore_unknown_options": True}
"""One in 64 of the names that we make begins with a hyphen, and is no option for that."""


@commands.command(context_settings=_NAMED)
@click.argument("account_id")
@click.option("--scope", default=" ".join(ALL), show_default=True, help="Space-separated.")
@click.option("--client", "clients", multiple=True, help="Limit to this service's entries.")
def appoint(account_id: str, scope: str, clients: tuple[str, ...]) -> None:
    """Let a person read the record; the desk shows them the identifier to give here."""
    wanted = frozenset(scope.split())
    if not wanted or not wanted <= set(ALL):
        raise click.UsageError(f"scope: of {' '.join(ALL)}")
    now = tools().clock()
    with transaction() as tx:
        if tx.get(Account, account_id) is None:
            raise click.UsageError("no account has this identifier")
        held = tx.scalar(select(Auditor.id).where(Auditor.account_id == account_id))
        if held is not None:
            raise click.UsageError(f"this person is {held} already: dismiss them first")
        limit = frozenset(clients) or None
        name = auditor.appoint(tx, account_id, wanted, limit, now, tools().random)
    click.echo(name)


@commands.command(context_settings=_NAMED)
@click.argument("name")
def dismiss(name: str) -> None:
    """Let an auditor read the record no more."""
    with transaction() as tx:
        if not auditor.dismiss(tx, name, tools().clock()):
            raise click.UsageError("no auditor has this name")


@commands.command("list")
def every() -> None:
    """List the people who may read the record."""
    with reading() as tx:
        for row in tx.scalars(select(Auditor).order_by(Auditor.since)):
            limit = "all services" if row.clients is None else " ".join(row.clients)
            click.echo(f"{row.id}\t{' '.join(row.scope)}\t{limit}")
