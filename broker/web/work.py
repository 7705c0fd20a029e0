"""`flask --app broker work`: what the rooms owe to others, done beside the web workers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import InternalError, OperationalError

from broker.db import keep_written_back
from broker.feature import Pause, Steady
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
    if once:
        while do_next():
            pass
        return
    with _beside() as enough:
        keep_working(enough.wait)


def keep_working(pause: Pause) -> None:
    """Do what is due until the pause says that it was enough."""
    more = True
    while not pause(0 if more else PAUSE_S):
        try:
            more = do_next(apart=False)
        except AWAY:
            more = False


def do_next(*, apart: bool = True) -> bool:
    """Whether anything was due; then one thing of every room was done.

    One of each, so that a room with much to do keeps no other one waiting. Without `apart`,
    nothing of those that go on in threads of their own.
    """
    rooms = [each for each in tools().features if apart or each.steady is None]
    done = [room.work() for room in rooms if room.work is not None]
    return any(done)


@contextmanager
def _beside() -> Iterator[Event]:
    """What may not wait for other rooms goes on meanwhile; set where one of it fails.

    Raises what it failed with.
    """
    steady = [each.steady for each in tools().features if each.steady is not None]
    steady.append(keep_written_back)
    house: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    enough = Event()

    def run(room: Steady) -> None:
        try:
            with house.app_context():
                room(enough.wait)
        finally:
            enough.set()

    with ThreadPoolExecutor(len(steady)) as pool:
        going = [pool.submit(run, room) for room in steady]
        try:
            yield enough
        finally:
            enough.set()
    for each in going:
        each.result()
