"""The operator's commands: `flask --app broker audit checkpoint | verify | key`."""

import click
from flask.cli import AppGroup

from broker.audit import checkpoint, fsck, mark
from broker.db import reading, transaction
from broker.web.tools import tools

commands = AppGroup("audit", help="The record: sign its head, check it, show its key.")

_SHOWN = 20


@commands.command("checkpoint")
def sign_head() -> None:
    """Print the signed checkpoint over every entry up to now."""
    with transaction() as tx:
        signed = checkpoint.latest(tx, tools().clock())
    click.echo(signed, nl=False)


@commands.command("key")
def show_key() -> None:
    """Print the line that auditors verify checkpoints with; hand it over by another way."""
    click.echo(str(checkpoint.log_key()))


@commands.command("verify")
@click.pass_context
def verify(context: click.Context) -> None:
    """Check every entry, tile and checkpoint; exit 1 and name the first entry at fault."""
    with reading() as tx:
        report = fsck.check(tx.connection(), checkpoint.log_key(), mark.read())
    click.echo(f"{report.entries} entries, {report.checkpoints} checkpoints")
    if report.first_bad is None:
        click.echo("The record holds.")
        return
    click.echo(f"first bad index: {report.first_bad}")
    for fault in report.faults[:_SHOWN]:
        where = f"{fault.first}" if fault.first == fault.last else f"{fault.first}-{fault.last}"
        click.echo(f"  {where}: {fault.what}")
    if (more := len(report.faults) - _SHOWN) > 0:
        click.echo(f"  and {more} more")
    context.exit(1)
