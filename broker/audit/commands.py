"""The operator's commands: `flask --app broker audit …`."""

import sys
import time
from pathlib import Path
from threading import Event

import click
from flask.cli import AppGroup

from broker.audit import (
    checkpoint,
    copies,
    feeding,
    fsck,
    mark,
    origin,
    proving,
    pruning,
    rebuilding,
    store,
    tiles,
    witnesses,
)
from broker.audit.log import record
from broker.audit.note import decode
from broker.audit.tree import RecordAltered
from broker.audit.worker import catch_up, keep_sequencing, sequence_next
from broker.db import reading, scrub, transaction
from broker.web.tools import tools
from broker.web.work import AWAY

commands = AppGroup("audit", help="The record: sign its head, check it, publish it, show its key.")

PAUSE_S = 5.0
_SHOWN = 20


@commands.command("checkpoint")
def sign_head() -> None:
    """Print the signed checkpoint over every entry up to now."""
    catch_up()
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
    stuck = _sequence()
    with reading() as tx:
        report = fsck.check(tx.connection(), checkpoint.log_key(), mark.read())
    click.echo(f"{report.entries} entries, {report.checkpoints} checkpoints")
    if stuck:
        click.echo(f"what was recorded since is not sequenced: {stuck}")
    for remark in report.remarks[:_SHOWN]:
        click.echo(f"remark at {remark.first}: {remark.what}")
    if report.first_bad is None:
        click.echo("The entries hold." if stuck else "The record holds.")
        context.exit(1 if stuck else 0)
    click.echo(f"first bad index: {report.first_bad}")
    for fault in report.faults[:_SHOWN]:
        where = f"{fault.first}" if fault.first == fault.last else f"{fault.first}-{fault.last}"
        click.echo(f"  {where}: {fault.what}")
    if (more := len(report.faults) - _SHOWN) > 0:
        click.echo(f"  and {more} more")
    context.exit(1)


def _sequence() -> str | None:
    """Why nothing may be sequenced, None where it may: a check must say what else is wrong."""
    try:
        catch_up()
    except RecordAltered as error:
        return error.hint
    except AWAY:  # a copy that is only read, a standby for example
        click.echo("what waits for its place goes on waiting: nothing can be written here")
    return None


@commands.command("sequence")
@click.option("--once", is_flag=True, help="Stop when nothing is staged.")
def sequence(*, once: bool) -> None:
    """Give what was recorded its place in the tree, and nothing else, for ever.

    `flask --app broker work` does so too, beside all that it owes to others. Several such
    processes take turns; where one dies another leads at once.
    """
    if not once:
        keep_sequencing(Event().wait)
    while sequence_next():
        pass


@commands.command("rebuild")
def rebuild() -> None:
    """Write the index columns anew out of the entries, where they say something else."""
    now = tools().clock()
    with transaction() as tx:
        changed = rebuilding.project_anew(tx.connection())
        record(tx, "operator.acted", {"what": "rebuild", "changed": changed}, now)
    click.echo(f"{changed} entries had other index columns")


@commands.command("proof")
@click.argument("index", type=click.IntRange(min=0))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def proof(index: int, folder: Path) -> None:
    """Write INDEX.entry and INDEX.tlog-proof into FOLDER, for `miftah-verify proof`."""
    now = tools().clock()
    catch_up()
    with transaction() as tx:
        signed = checkpoint.recent(tx, now, covering=index + 1)
        found = store.entry(tx, index)
        path = store.inclusion_proof(tx, decode(found["leaf_hash"]), index, origin.opened(signed))
        record(tx, "operator.acted", {"what": "proof", "index": index}, now)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{index}.entry").write_bytes(decode(found["leaf"]))
    (folder / f"{index}.tlog-proof").write_text(proving.proof_file(index, path, signed), "utf-8")


@commands.command("publish")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def publish(folder: Path) -> None:
    """Write the log into FOLDER as static files that anybody may serve and cache for ever."""
    now = tools().clock()
    catch_up()
    with transaction() as tx:
        record(tx, "operator.acted", {"what": "publish"}, now)
        signed = checkpoint.latest(tx, now)
    with reading() as tx:
        written = tiles.publish(tx.connection(), folder, signed, origin.opened(signed).size)
    click.echo(f"{written} files written")


@commands.command("prune")
@click.argument("below", type=click.IntRange(min=1))
@click.confirmation_option(prompt="Entries below that index will be gone for ever. Go on?")
def prune(below: int) -> None:
    """Delete whole tiles of entries BELOW an index; print the signed statement about it."""
    catch_up()
    try:
        with transaction() as tx:
            statement = pruning.prune(tx, below, tools().clock())
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(statement, nl=False)


@commands.command("watch")
@click.option("--once", is_flag=True, help="One round, and stop.")
def watch(*, once: bool) -> None:
    """Sign a checkpoint when one is owed and ask the witnesses to cosign it, for ever."""
    while True:
        for fault in round_of_witnesses():
            click.echo(fault, err=True)
        if once:
            return
        time.sleep(PAUSE_S)
        sys.stderr.flush()


@commands.command("feed")
@click.argument("position", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--form", type=click.Choice(sorted(copies.FORMS)), default="cloudevents")
@click.option("--to", metavar="HOST:PORT", help="Syslog over TLS there, instead of printing.")
@click.option("--authority", type=click.Path(exists=True, path_type=Path), help="Whom to trust.")
@click.option("--once", is_flag=True, help="Stop when everything was copied.")
def feed(*, position: Path, form: str, to: str | None, authority: Path | None, once: bool) -> None:
    """Copy entries to a SIEM or a collector, each at least once; never the record.

    The file POSITION remembers how far it came; whoever receives knows entries by their index.
    """
    if to is not None:
        form = "syslog"
    with feeding.target(to, authority) as send:
        while True:
            catch_up()
            with reading() as tx:
                found = feeding.waiting(tx, position)
            if feeding.send_on(found, position, copies.FORMS[form], send):
                continue
            if once:
                return
            time.sleep(PAUSE_S)


def round_of_witnesses() -> list[str]:
    """What went wrong in one round; no transaction is open while a witness is asked."""
    house = tools()
    scrub()
    catch_up()
    with transaction() as tx:
        checkpoint.recent(tx, house.clock())
    faults = []
    for witness in witnesses.configured():
        old: int | None = None
        for _ in range(2):  # once more, from where the witness says it is
            with reading() as tx:
                asked = witnesses.question(tx, witness, old)
            if asked is None:
                break
            reply = witnesses.ask(house.outbound, witness, asked)
            with transaction() as tx:
                old = witnesses.settle(tx, witness, asked, reply, house.clock())
            if reply.status != witnesses.COSIGNED and old is None:
                faults.append(f"{witness.key.name}: {reply.status} {reply.text.strip()[:80]}")
            if old is None:
                break
    return faults
