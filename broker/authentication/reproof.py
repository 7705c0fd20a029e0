"""Proving again who one is ends the cooling of a key that came by a recovery code."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from broker.audit.log import record
from broker.authentication import store
from broker.feature import evidence_of
from broker.identity.assurance import Policy, assess, reaches
from broker.identity.evidence import Evidence
from broker.web.tools import tools

PROOF = "evidence.accepted"


def listen(tx: Session, account_id: str, event: str, now: datetime) -> None:
    """End the cooling of the account's keys, if what was just proved is as good as what was before.

    Whether it is the same person was decided where the evidence was accepted: what contradicts
    what is filed is not.
    """
    if event != PROOF:
        return
    cooling = [k for k in store.keys_of(tx, account_id) if k.full_from and now < k.full_from]
    if not cooling:
        return
    since = min(key.created for key in cooling)
    filed = evidence_of(tools().features, tx, account_id)
    if _is_as_good(filed, since, tools().policy, now):
        for key in cooling:
            key.full_from = now
        tx.flush()
        record(tx, "recovery.confirmed", {"account": account_id, "keys": len(cooling)}, now)


def _is_as_good(filed: Sequence[Evidence], since: datetime, policy: Policy, now: datetime) -> bool:
    """Whether what was filed since reaches the level of before, and that level proves somebody.

    A level that verifies nothing is reached by anybody with a photograph: it ends no cooling.
    """
    before = [e for e in filed if e.at < since]
    newest = max((e.at for e in before), default=now)
    was = assess(before, policy, newest).level
    new = assess([e for e in filed if e.at >= since], policy, now).level
    return policy.identity_levels[was].verified and reaches(new, was, policy)
