"""`flask --app broker logout deliver`: telling relying services that somebody has signed out."""

import time

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from broker.db import reading, transaction
from broker.oidc.logout import queue, telling
from broker.web.tools import tools

commands = AppGroup("logout", help="Tell relying services of sign-outs.")

PAUSE_S = 1.0
"""Between looks at an empty queue; a look takes no lock."""


@commands.command()
@click.option("--once", is_flag=True, help="Stop when nothing is due.")
def deliver(*, once: bool) -> None:
    """Deliver what is due, for ever; several at once never send the same notice twice at a time.

    One such process runs beside the web workers (decision 0023). A database that is away for a
    moment does not end it, unless it was started with --once.
    """
    while True:
        try:
            more = deliver_next()
        except OperationalError:
            if once:
                raise
            more = False
        if not more:
            if once:
                return
            time.sleep(PAUSE_S)


def deliver_next() -> bool:
    """Whether a notice was due; it was tried, and no transaction was open meanwhile.

    A worker that dies in the middle leaves a notice that is due again when its lease is over:
    a service may be told twice, never not at all.
    """
    house, now = tools(), tools().clock()
    with reading() as tx:
        due = queue.next_due(tx, now)
    if due is None:
        return False
    with transaction() as tx:
        notice = queue.take(tx, due, now)
        if notice is None:
            return True
        addressed = telling.address(tx, notice, house, now)
        if addressed is None:
            queue.give_up(tx, notice, "unwanted", now)
            return True
    fault = telling.send(addressed, house)
    with transaction() as tx:
        queue.settle(tx, notice, fault, house.clock())
    return True
