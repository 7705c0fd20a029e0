"""Runs the sequencer: beside the web workers, and for whoever is about to read the record."""

import logging
from datetime import timedelta

from broker.audit import numbering, sequencer, turn
from broker.audit.tree import RecordAltered
from broker.db import reading, transaction
from broker.feature import Pause
from broker.web.tools import tools
from broker.web.work import AWAY

IDLE, LEAST = timedelta(seconds=1), timedelta(milliseconds=50)
"""Between two looks: where nothing comes, and where very much does."""

_log = logging.getLogger("broker")


def sequence_next() -> bool:
    """Whether a whole batch was sequenced, so that more may wait."""
    return _next()[0] == numbering.BATCH


def keep_sequencing(pause: Pause) -> None:
    """Sequence what comes, at its own pace, until `pause` says that it was enough.

    The more comes, the sooner the next look, so that about as many wait as are cheap to place at
    once (decision 85), and none waits longer than a second.
    """
    after = IDLE
    while True:
        try:
            count, portion = _next()
        except AWAY:
            count, portion = 0, 1
        after = next_look(after, count, portion)
        if pause(after.total_seconds()):
            return


def next_look(waited: timedelta, count: int, portion: int) -> timedelta:
    """When to look again where `count` came while we waited: once about a portion has come.

    At once after a whole batch, for more may wait.
    """
    if count == numbering.BATCH:
        return timedelta()
    wanted = max(waited, LEAST) * portion / max(count, 1)
    return min(max(wanted, LEAST), IDLE)


def catch_up() -> None:
    """Sequence all that was committed before, so that whoever reads next finds it in the tree.

    Transactions of its own, before that of the reader. Raises RecordAltered.
    """
    now = tools().clock()
    with reading() as tx:
        due = sequencer.is_due(tx, now)
    while due:
        with transaction() as tx:
            turn.never_idle(tx.connection())
            due = sequencer.sequence(tx, now) == numbering.BATCH


def _next() -> tuple[int, int]:
    """How many leaves became entries, and how many are well placed at once; a look takes no lock.

    Of several workers the one that gets the lock leads for a batch. Where the record refuses to
    grow, no process may stage anything more; but the other rooms' work must not stop for it.
    """
    now = tools().clock()
    try:
        with reading() as tx:
            portion = turn.portion(tx.connection())
            if not sequencer.is_due(tx, now):
                return 0, portion
        with transaction() as tx:
            turn.never_idle(tx.connection())
            is_leader = turn.is_free(tx.connection())
            return sequencer.sequence(tx, now) if is_leader else 0, portion
    except RecordAltered as error:
        _log.error("the record is not sequenced: %s: %s", error.code, error.hint)
        with transaction() as tx:
            sequencer.refuse(tx, error.hint, now)
        return 0, 1
