"""Enrolling a key: the first one makes the account, every further one joins it."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broker import entropy
from broker.accounts import session as sessions
from broker.accounts import store as accounts
from broker.accounts import vault
from broker.audit.log import record
from broker.authentication import challenge, store
from broker.authentication.ceremony import EnrolledKey, creation_options, verify_attestation
from broker.authentication.challenge import Ceremony, Purpose
from broker.authentication.message import parse_attestation
from broker.authentication.models import Authenticator
from broker.authentication.signing_in import way_of
from broker.authentication.standing import ACCESS_CODE, ATTESTED, BY_KEY, Facts, standing
from broker.errors import BrokerError, EvidenceRejected, NotAllowed, TooLarge
from broker.feature import SignedIn
from broker.web.locale import format_date, gettext
from broker.web.tools import tools

RECENT: Final = timedelta(minutes=5)
"""How long ago a person may have used a key to change what keys there are."""

LONGEST_NAME: Final = 60
"""Characters of a key's name."""

NAME_PURPOSE: Final = "authenticator-name"
_USER_HANDLE = 32


def is_recent(person: SignedIn, now: datetime) -> bool:
    """Whether the person used a key recently enough to change what keys there are."""
    return now < person.auth_time + RECENT


def demand_recent(person: SignedIn, now: datetime) -> None:
    """Nothing, if the person used a key recently. Raises NotAllowed sign_in_again."""
    if not is_recent(person, now):
        raise NotAllowed("sign_in_again")


def ask(
    tx: Session, handle: str, person: SignedIn | None, now: datetime, *, attested: bool = False
) -> dict[str, Any]:
    """Options for the page's script: for a new account, or for one more key of this person."""
    return _ask(tx, Purpose.ENROL, handle, person, now, attested=attested)


def offer(tx: Session, handle: str, person: SignedIn, now: datetime) -> dict[str, Any] | None:
    """Options for a key that the browser may make by itself (§5.1.3), None where it may not.

    It may right after a sign-in by a key that counts: the person is there, and was verified.
    """
    if person.authenticator not in BY_KEY or not is_recent(person, now):
        return None
    return _ask(tx, Purpose.SAVE, handle, person, now)


def _ask(  # noqa: PLR0913  each is one tie of the question
    tx: Session,
    purpose: Purpose,
    handle: str,
    person: SignedIn | None,
    now: datetime,
    *,
    attested: bool = False,
) -> dict[str, Any]:
    keys = store.keys_of(tx, person.account_id) if person else ()
    # Random, and the same for all keys of a person: it is all an authenticator learns of them.
    owner = keys[0].user_handle if keys else tools().random(_USER_HANDLE)
    account_id = person.account_id if person else None
    ceremony = challenge.issue(tx, purpose, handle, now, account_id=account_id, user_handle=owner)
    return creation_options(
        ceremony.expected,
        user_handle=owner,
        user_name=gettext("Miftah, %(date)s", date=format_date(now.date())),
        exclude=map(store.known, keys),
        lifetime=tools().settings.authentication.ceremony_lifetime,
        attested=attested,
    )


def accept(  # noqa: PLR0913  the visit, the question and the answer to it
    tx: Session,
    handle: str,
    person: SignedIn | None,
    value: str,
    message: str,
    now: datetime,
    purpose: Purpose = Purpose.ENROL,
) -> Authenticator | BrokerError:
    """The key that was enrolled, with its account if there was none; or the refusal, on record."""
    account_id = person.account_id if person else None
    try:
        ceremony = challenge.redeem(tx, purpose, handle, value, now)
        _demand_same_person(ceremony, account_id)
        made = verify_attestation(parse_attestation(message), ceremony.expected)
        return _file(tx, ceremony, made, _full_from(person, now), now)
    except (EvidenceRejected, TooLarge) as refusal:
        facts = {"ceremony": purpose.value, "reason": refusal.hint}
        told = facts | ({"account": account_id} if account_id else {})
        record(tx, "sign_in.refused", told, now)
        return refusal


def begin_session(tx: Session, key: Authenticator, now: datetime) -> str:
    """The secret of the session of somebody who has just made their access."""
    return sessions.begin(tx, key.account_id, way_of(tx, key, now), now, tools().random)


def _demand_same_person(ceremony: Ceremony, account_id: str | None) -> None:
    if ceremony.account_id != account_id:  # signed in or out in another tab meanwhile
        raise EvidenceRejected("key_too_late", "another_account")


def _full_from(person: SignedIn | None, now: datetime) -> datetime | None:
    # Who came by a code may be its finder: the owner has this long to see it and act.
    if person is None or person.authenticator != ACCESS_CODE:
        return None
    return now + tools().settings.authentication.recovery_cooling


def _file(
    tx: Session,
    ceremony: Ceremony,
    made: EnrolledKey,
    full_from: datetime | None,
    now: datetime,
) -> Authenticator:
    model = store.model_of(tx, made.aaguid)
    if model is not None and model.weakness is not None:
        raise EvidenceRejected("key_model_weak", model.weakness)
    if store.find(tx, made.credential_id) is not None:  # §7.1 step 26
        raise EvidenceRejected("key_known", "key_known")
    try:
        with tx.begin_nested():
            return _insert(tx, ceremony, made, full_from, now)
    except IntegrityError as error:  # enrolled elsewhere in this very moment
        raise EvidenceRejected("key_known", "key_known") from error


def _insert(
    tx: Session,
    ceremony: Ceremony,
    made: EnrolledKey,
    full_from: datetime | None,
    now: datetime,
) -> Authenticator:
    wrapping, draw = tools().keyring.wrapping, tools().random
    account_id = ceremony.account_id
    if account_id is None:
        account_id = accounts.create(tx, wrapping, now, draw)
        record(tx, "account.created", {"account": account_id}, now)
    model = store.model_of(tx, made.aaguid)
    facts = Facts(made.backup_eligible, made.attestation_object, now, full_from)
    way = standing(facts, model, tools().settings.authentication.least_certification, now)
    name = _first_name(len(store.keys_of(tx, account_id)) + 1, now)
    if model is not None and way == ATTESTED:  # a model that is only claimed names nothing
        name = model.name[:LONGEST_NAME].strip() or name
    key = Authenticator(
        id=entropy.token(draw),
        account_id=account_id,
        credential_id=made.credential_id,
        user_handle=ceremony.user_handle,
        public_key=made.public_key,
        sign_count=made.sign_count,
        transports=list(made.transports),
        aaguid=made.aaguid,
        attestation_format=made.attestation_format,
        attestation_object=made.attestation_object,
        client_data=made.client_data,
        backup_eligible=made.backup_eligible,
        backed_up=made.backed_up,
        name=vault.seal(tx, account_id, NAME_PURPOSE, name, wrapping, draw),
        created=now,
        full_from=full_from,
    )
    tx.add(key)
    tx.flush()
    # The model is not said: together with the hour it could tell people apart.
    seen = {"authenticator": way, "synced": made.backup_eligible}
    record(tx, "key.enrolled", {"account": account_id, "key": key.id, **seen}, now)
    return key


def _first_name(number: int, now: datetime) -> str:
    day = format_date(now.date())
    return gettext("Security key %(number)s, %(date)s", number=number, date=day)
