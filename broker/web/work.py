"""`flask --app broker work`: what the rooms owe to others, done beside the web workers."""

import time

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import InternalError, OperationalError

from broker.web.tools import tools

PAUSE_S = 1.0
"""Between looks at empty queues; a look takes no lock."""

AWAY = (OperationalError, InternalError)
"""What a database says that is away for a moment, or that ended a transaction of its own accord."""


@click.command("work")
@click.option("--once", is_flag=True, help="Stop when nothing is due.")
@with_appcontext
def work(*, once: bool) -> None:
    """Do what is due, for ever: tell services of sign-outs, send mail, and so on.

    Several such processes never do the same thing twice at a time (decision 0023). A database
    that is away for a moment does not end one, unless it was started with --once.
    """
    while True:
        try:
            more = do_next()
        except AWAY:
            if once:
                raise
            more = False
        if not more:
            if once:
                return
            time.sleep(PAUSE_S)


def do_next() -> bool:
    """Whether anything was due; then one thing of every room was done.

    One of each, so that a room with much to do keeps no other one waiting.
    """
    done = [feature.work() for feature in tools().features if feature.work is not None]
    return any(done)
