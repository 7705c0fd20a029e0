"""Filed evidence: sealed, found again, removed; and the choice to go on without."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, select
from sqlalchemy.orm import Session

from broker import entropy
from broker.accounts import store as accounts
from broker.accounts import vault
from broker.db import read_once
from broker.errors import NotFound
from broker.identity.evidence import Evidence, Origin, confirmed, from_json, to_json
from broker.prepared import Prepared
from broker.proofing.models import FiledEvidence, Handover, OpenAttempt, Try, Waiver
from broker.web.tools import tools

_NEWEST = FiledEvidence.at.desc(), FiledEvidence.filed.desc(), FiledEvidence.id
_MINE = FiledEvidence.account_id == bindparam("of")
_FILED = select(FiledEvidence).where(_MINE).order_by(*_NEWEST)
_OUTLINES = Prepared(
    select(FiledEvidence.id, FiledEvidence.kind, FiledEvidence.at, FiledEvidence.expires)
    .where(_MINE)
    .order_by(*_NEWEST)
)
_SEALED = Prepared(select(FiledEvidence.id, FiledEvidence.body).where(_MINE).order_by(*_NEWEST))


@dataclass(frozen=True, slots=True)
class Filing:
    """Under which name evidence was filed, and the salted digest that the record keeps of it."""

    id: str
    digest: str


def file(tx: Session, account_id: str, evidence: Evidence, now: datetime) -> Filing:
    """Seal the evidence and keep it; the salt of its digest is sealed with it."""
    draw = tools().random
    named = replace(confirmed(evidence), reference=entropy.token(draw))
    salt = entropy.token(draw)
    body = {"salt": salt, "evidence": to_json(named)}
    row = FiledEvidence(
        id=named.reference,
        account_id=account_id,
        kind=named.kind,
        body=vault.seal(
            tx, account_id, _purpose(named.reference), body, tools().keyring.wrapping, draw
        ),
        at=named.at,
        filed=now,
        expires=named.expires,
        digest=digest(salt, named),
    )
    tx.add(row)
    _forget(tx, account_id)
    return Filing(row.id, row.digest)


def digest(salt: str, evidence: Evidence) -> str:
    """SHA-256 of the salt and the evidence as sorted JSON, base64url."""
    text = json.dumps(to_json(evidence), sort_keys=True, separators=(",", ":"))
    hashed = hashlib.sha256(f"{salt}\x00{text}".encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode("ascii")


def evidence(tx: Session, account_id: str) -> tuple[Evidence, ...]:
    """All that the person has filed, newest first, whether still in force or not."""
    rows = _SEALED.all(tx, of=account_id)
    return tuple(_unsealed(tx, account_id, row.id, row.body) for row in rows)


def outlines(tx: Session, account_id: str) -> tuple[Evidence, ...]:
    """As `evidence`, without a word of what it says: enough to grade it, and no seal opened."""
    kept = read_once(tx)
    if _key(account_id) not in kept:
        rows = _OUTLINES.all(tx, of=account_id)
        kept[_key(account_id)] = tuple(
            Evidence(row.kind, (), (), row.at, row.expires, row.id) for row in rows
        )
    outlined: tuple[Evidence, ...] = kept[_key(account_id)]
    return outlined


def remove(tx: Session, account_id: str, reference: str) -> str:
    """The kind of the evidence that is now gone. Raises NotFound: unknown, or another's."""
    row = tx.get(FiledEvidence, reference)
    if row is None or row.account_id != account_id:
        raise NotFound("evidence_unknown")
    tx.delete(row)
    _forget(tx, account_id)
    return row.kind


def remove_all_of(tx: Session, account_id: str, origin: Origin) -> tuple[tuple[str, str], ...]:
    """Take out whatever this foreign identity said: reference and kind of each that is gone."""
    gone = []
    for row in _rows(tx, account_id):
        said = _unsealed(tx, account_id, row.id, row.body).origin
        if said and (said.scheme, said.holder) == (origin.scheme, origin.holder):
            tx.delete(row)
            gone.append((row.id, row.kind))
    _forget(tx, account_id)
    return tuple(gone)


def waive(tx: Session, account_id: str, interaction: str, now: datetime) -> None:
    """Note that the person goes on, in this interaction, with what there is."""
    over = now - tools().settings.oidc.interaction_lifetime
    accounts.one_at_a_time(tx, account_id)
    tx.execute(delete(Waiver).where(Waiver.at <= over))
    tx.merge(Waiver(interaction=interaction, account_id=account_id, at=now))


def been_through(tx: Session, account_id: str, interaction: str | None, since: datetime) -> bool:
    """Whether the person filed anything since the request came, or chose to go on without."""
    if interaction is not None and tx.get(Waiver, (interaction, account_id)) is not None:
        return True
    filed = FiledEvidence.account_id == account_id, FiledEvidence.filed >= since
    return tx.scalar(select(FiledEvidence.id).where(*filed).limit(1)) is not None


def erase(tx: Session, account_id: str) -> None:
    """Remove all rows of this room about the account."""
    for table in (Handover, OpenAttempt, Try, FiledEvidence, Waiver):
        mine: ColumnElement[bool] = table.account_id == account_id
        tx.execute(delete(table).where(mine))
    _forget(tx, account_id)


def _key(account_id: str) -> tuple[str, str]:
    return ("evidence", account_id)


def _forget(tx: Session, account_id: str) -> None:
    read_once(tx).pop(_key(account_id), None)


def _rows(tx: Session, account_id: str) -> tuple[FiledEvidence, ...]:
    return tuple(tx.scalars(_FILED, {"of": account_id}))


def _unsealed(tx: Session, account_id: str, reference: str, body: bytes) -> Evidence:
    wrapping = tools().keyring.wrapping
    plain = vault.unseal(tx, account_id, _purpose(reference), body, wrapping)
    return from_json(plain["evidence"])


def _purpose(reference: str) -> str:
    return f"evidence:{reference}"
