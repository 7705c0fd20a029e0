"""Telling relying services that somebody has signed out, one notice at a time."""

from broker.db import reading, transaction
from broker.oidc.logout import queue, telling
from broker.web.tools import tools


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
