"""Runs the sequencer: beside the web workers, and for whoever is about to read the record."""

import logging

from broker.audit import numbering, sequencer, turn
from broker.audit.tree import RecordAltered
from broker.db import reading, transaction
from broker.web.tools import tools

_log = logging.getLogger("broker")


def sequence_next() -> bool:
    """Whether a whole batch was sequenced, so that more may wait; a look takes no lock.

    Of several workers the one that gets the lock leads for a batch. Where the record refuses to
    grow, it goes on waiting and says so: the other rooms' work must not stop for it.
    """
    now = tools().clock()
    try:
        with reading() as tx:
            if not sequencer.is_due(tx, now):
                return False
        with transaction() as tx:
            turn.never_idle(tx.connection())
            is_leader = turn.is_free(tx.connection())
            return is_leader and sequencer.sequence(tx, now) == numbering.BATCH
    except RecordAltered as error:
        _log.error("the record is not sequenced: %s: %s", error.code, error.hint)
        return False


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
