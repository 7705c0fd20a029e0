"""Packing the exports that wait, one at a time."""

from broker.audit.worker import catch_up
from broker.db import reading, transaction
from broker.desk import exports
from broker.web.tools import tools


def pack_next() -> bool:
    """Whether an export waited; while it is packed nothing else waits for a lock.

    A worker that dies in the middle leaves an export that waits again when its lease is over.
    """
    house, now = tools(), tools().clock()
    with reading() as tx:  # a look takes no lock
        if not exports.waits(tx, now):
            return False
    catch_up()
    with transaction() as tx:
        job = exports.take(tx, now)
    if job is None:
        return False
    with reading() as tx:
        content = exports.packed(tx, job, house, now)
    with transaction() as tx:
        exports.settle(tx, job, content, house.clock())
    return True
