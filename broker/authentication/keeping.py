"""Keeping one's keys: seeing, renaming and removing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broker.accounts import session as sessions
from broker.accounts import vault
from broker.audit.log import record
from broker.authentication import challenge, enrolling, recovering, store, totp
from broker.authentication.enrolling import LONGEST_NAME, NAME_PURPOSE
from broker.authentication.message import base64url
from broker.authentication.models import Authenticator
from broker.authentication.signing_in import way_of
from broker.authentication.standing import ATTESTED, demand_a_key
from broker.errors import Conflict, Malformed, NotFound
from broker.feature import Panel, SignedIn
from broker.interaction.store import ACCOUNT, signed_in
from broker.web.tools import tools


@dataclass(frozen=True, slots=True)
class Shown:
    """A key as its owner sees it.

    `synced`: it may live on several devices; `weak`: a weakness of its model is known;
    `attested`: its maker vouches for it, so `model` is proved.
    """

    id: str
    name: str
    created: datetime
    last_used: datetime | None
    synced: bool
    full_from: datetime | None
    model: str
    weak: bool
    attested: bool
    has_icon: bool


def panel(tx: Session, account_id: str, now: datetime) -> Panel:
    """The keys' part of the account page, and what there is to get back in without them."""
    keys = [shown(tx, key, now) for key in store.keys_of(tx, account_id)]
    sheet = recovering.sheet(tx, account_id)
    accepted = _accepted(tx, account_id, keys)
    context: dict[str, Any] = {"keys": keys, "sheet": sheet, "now": now, "accepted": accepted}
    context["app"] = totp.is_proved(tx, account_id)
    person = signed_in(tx, now)
    context["saving"] = enrolling.offer(tx, ACCOUNT, person, now) if person else None
    return Panel("authentication/panel.html", context)


def _accepted(tx: Session, account_id: str, known: Sequence[Shown]) -> dict[str, object]:
    """What the browser's store of keys is told (WebAuthn Level 3 §5.1.10.3 and §5.1.10.4).

    The name is that of the key last used: of all, it is most likely the one in this browser.
    """
    keys = store.keys_of(tx, account_id)
    latest = max(known, key=lambda key: key.last_used or key.created, default=None)
    return {
        "rpId": tools().settings.rp_id,
        "userId": base64url(keys[0].user_handle) if keys else "",
        "name": latest.name if latest else "",
        "allAcceptedCredentialIds": [base64url(key.credential_id) for key in keys],
    }


def shown(tx: Session, key: Authenticator, now: datetime) -> Shown:
    """The key as its owner sees it."""
    wrapping = tools().keyring.wrapping
    name = str(vault.unseal(tx, key.account_id, NAME_PURPOSE, key.name, wrapping))
    model = store.model_of(tx, key.aaguid)
    attested = way_of(tx, key, now) == ATTESTED
    return Shown(
        id=key.id,
        name=name,
        created=key.created,
        last_used=key.last_used,
        synced=key.backup_eligible,
        full_from=key.full_from,
        model=model.name if model and attested else "",
        weak=model is not None and model.weakness is not None,
        attested=attested,
        has_icon=bool(model and attested and model.icon),
    )


def icon(tx: Session, key: Authenticator, now: datetime) -> bytes:
    """The picture of the key's model, PNG. Raises NotFound where the model is not proved."""
    model = store.model_of(tx, key.aaguid)
    if model is None or not model.icon or way_of(tx, key, now) != ATTESTED:
        raise NotFound("not_found", "no picture of this key")
    return model.icon


def rename(tx: Session, key: Authenticator, name: str, now: datetime) -> None:
    """Give the key another name. Raises Malformed where it has no letters, or too many."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Malformed("malformed", "name of a key")
    wrapping, draw = tools().keyring.wrapping, tools().random
    key.name = vault.seal(tx, key.account_id, NAME_PURPOSE, name, wrapping, draw)
    record(tx, "key.renamed", {"account": key.account_id, "key": key.id}, now)


def remove(tx: Session, person: SignedIn, key: Authenticator, now: datetime) -> None:
    """Remove the key and end every other session. Raises Conflict last_key, NotAllowed.

    The sessions end because whoever found the lost key may have opened one of them.
    """
    demand_a_key(person)
    if store.lock_keys(tx, person.account_id) <= 1:
        raise Conflict("last_key")
    tx.delete(key)
    sessions.end_others(tx, person.account_id, person.session_id)
    record(tx, "key.removed", {"account": person.account_id, "key": key.id}, now)


def erase(tx: Session, account_id: str) -> None:
    """Remove all that this room holds of the account."""
    challenge.forget(tx, account_id)
    store.erase(tx, account_id)
