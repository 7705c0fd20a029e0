"""The part of the account page that shows what was read about the person."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from broker.feature import Panel
from broker.identity.assurance import Policy, assess, in_force
from broker.identity.evidence import Evidence
from broker.interaction.store import ACCOUNT
from broker.proofing import store, words
from broker.web import shown
from broker.web.tools import tools


def panel(tx: Session, account_id: str, now: datetime) -> Panel:
    """Every reading on file: its fields, what it proves, and until when it is relied on."""
    policy = tools().policy
    readings = [_reading(e, policy, now) for e in store.evidence(tx, account_id)]
    can_read = bool(tools().verifiers)
    context = {"readings": readings, "read_path": f"/prove/{ACCOUNT}", "can_read": can_read}
    return Panel("proofing/panel.html", context)


def _reading(evidence: Evidence, policy: Policy, now: datetime) -> dict[str, object]:
    level = policy.identity_levels[assess([evidence], policy, now).level]
    return {
        "reference": evidence.reference,
        "rows": words.summary(evidence),
        "level": shown.level(level.label),
        "meaning": shown.meaning(level.label),
        "at": evidence.at.date(),
        "until": _until(evidence, policy),
        "in_force": in_force(evidence, policy, now),
    }


def _until(evidence: Evidence, policy: Policy) -> object:
    """The last day on which the reading is relied on, None where the policy does not know it."""
    kind = policy.evidence.get(evidence.kind)
    if kind is None:
        return None
    fresh = (evidence.at + timedelta(days=kind.ttl_days)).date()
    return fresh if evidence.expires is None else min(fresh, evidence.expires)
