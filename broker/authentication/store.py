"""Queries on keys, recovery codes and FIDO metadata."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from broker.authentication.ceremony import KnownKey
from broker.authentication.metadata import Blob, Model, under_policy
from broker.authentication.models import (
    Authenticator,
    MetadataBlob,
    MetadataModel,
    RecoveryCode,
    Totp,
)
from broker.authentication.standing import Facts
from broker.errors import NotFound
from broker.web.tools import tools

_IN_FORCE = 1


def keys_of(tx: Session, account_id: str) -> Sequence[Authenticator]:
    """The account's keys, oldest first."""
    mine = select(Authenticator).where(Authenticator.account_id == account_id)
    return tx.scalars(mine.order_by(Authenticator.created, Authenticator.id)).all()


def find(tx: Session, credential_id: bytes) -> Authenticator | None:
    """The key of this credential ID, if it is enrolled."""
    return tx.scalar(select(Authenticator).where(Authenticator.credential_id == credential_id))


def own(tx: Session, account_id: str, key_id: str) -> Authenticator:
    """The key, if it is of this account. Raises NotFound: no such key, or another person's."""
    # PostgreSQL refuses a NUL in text with an error that is no answer to a wrong address.
    key = tx.get(Authenticator, key_id) if key_id.isprintable() else None
    if key is None or key.account_id != account_id:
        raise NotFound("not_found")
    return key


def lock_keys(tx: Session, account_id: str) -> int:
    """How many keys the account has; none of them comes or goes until the transaction ends."""
    mine = select(Authenticator.id).where(Authenticator.account_id == account_id)
    return len(tx.scalars(mine.order_by(Authenticator.id).with_for_update()).all())


def note_use(
    tx: Session, key: Authenticator, sign_count: int, *, backed_up: bool, now: datetime
) -> bool:
    """Whether the use could be noted: not where another use has moved the counter since."""
    statement = (
        update(Authenticator)
        .where(Authenticator.id == key.id, Authenticator.sign_count == key.sign_count)
        .values(sign_count=sign_count, backed_up=backed_up, last_used=now)
    )
    return cast("CursorResult[Any]", tx.execute(statement)).rowcount == 1


def codes_of(tx: Session, account_id: str) -> Sequence[RecoveryCode]:
    """The account's recovery codes, used ones too."""
    return tx.scalars(select(RecoveryCode).where(RecoveryCode.account_id == account_id)).all()


def spend_code(tx: Session, digest: bytes, now: datetime) -> str | None:
    """The account of this code, which is spent by this call; None if there is none to spend.

    One UPDATE finds and spends it, so of two tries at the same moment one finds nothing.
    """
    statement = (
        update(RecoveryCode)
        .where(RecoveryCode.digest == digest, RecoveryCode.used.is_(None))
        .values(used=now)
        .returning(RecoveryCode.account_id)
    )
    return tx.scalar(statement)


def forget_codes(tx: Session, account_id: str) -> None:
    """Remove every recovery code of the account."""
    tx.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))


def totp_of(tx: Session, account_id: str) -> Totp | None:
    """The account's authenticator app, proved or not yet."""
    return tx.get(Totp, account_id)


def spend_step(tx: Session, account_id: str, step: int) -> bool:
    """Whether the step is newer than any accepted before; it is the newest from now on.

    One UPDATE, so of two answers with one code at the same moment one counts (RFC 6238 §5.2).
    """
    newer = update(Totp).where(Totp.account_id == account_id, Totp.last_step < step)
    done = cast("CursorResult[Any]", tx.execute(newer.values(last_step=step)))
    return done.rowcount == 1


def forget_totp(tx: Session, account_id: str) -> bool:
    """Remove the authenticator app; returns whether there was one that had been proved."""
    gone = delete(Totp).where(Totp.account_id == account_id).returning(Totp.proved)
    return any(proved is not None for proved in tx.scalars(gone).all())


def erase(tx: Session, account_id: str) -> None:
    """Remove every key, every recovery code and the authenticator app of the account."""
    forget_codes(tx, account_id)
    forget_totp(tx, account_id)
    tx.execute(delete(Authenticator).where(Authenticator.account_id == account_id))


def known(key: Authenticator) -> KnownKey:
    """The key as a ceremony judges it."""
    return KnownKey(
        credential_id=key.credential_id,
        user_handle=key.user_handle,
        public_key=key.public_key,
        sign_count=key.sign_count,
        backup_eligible=key.backup_eligible,
        transports=tuple(key.transports),
    )


def blob(tx: Session) -> MetadataBlob | None:
    """The metadata in force, None before the first import."""
    return tx.get(MetadataBlob, _IN_FORCE)


def model_of(tx: Session, aaguid: str) -> Model | None:
    """What the metadata in force and the operator's lists say of a model."""
    settings = tools().settings.authentication
    row = tx.get(MetadataModel, aaguid)
    known = None if row is None else _model(row)
    return under_policy(known, aaguid, settings.forbidden_models, settings.allowed_models)


def weakened_keys(tx: Session, newest: Blob) -> Sequence[Authenticator]:
    """The keys of models whose weakness the BLOB in force did not know and this one does."""
    weak = {model.aaguid for model in newest.models if model.weakness is not None}
    for row in tx.scalars(select(MetadataModel).where(MetadataModel.aaguid.in_(weak))):
        if _model(row).weakness is not None:
            weak.discard(row.aaguid)
    return tx.scalars(select(Authenticator).where(Authenticator.aaguid.in_(weak))).all()


def _model(row: MetadataModel) -> Model:
    return Model(
        aaguid=row.aaguid,
        name=row.name,
        statuses=tuple(row.statuses),
        protection=tuple(row.protection),
        anchors=tuple(base64.b64decode(text) for text in row.anchors),
        fresh_until=row.fresh_until,
        icon=row.icon or b"",
    )


def replace_metadata(tx: Session, newest: Blob, now: datetime) -> None:
    """Put the BLOB in force; models that it no longer names are unknown from now on."""
    tx.execute(delete(MetadataModel))
    tx.merge(
        MetadataBlob(
            id=_IN_FORCE, number=newest.number, next_update=newest.next_update, imported=now
        )
    )
    for model in {model.aaguid: model for model in newest.models}.values():
        row = MetadataModel(
            aaguid=model.aaguid,
            name=model.name,
            statuses=list(model.statuses),
            protection=list(model.protection),
            anchors=[base64.b64encode(der).decode() for der in model.anchors],
            fresh_until=model.fresh_until,
            icon=model.icon or None,
        )
        tx.add(row)


def facts(key: Authenticator) -> Facts:
    """The key as its standing is judged."""
    return Facts(key.backup_eligible, key.attestation_object, key.created, key.full_from)
