"""A token request whose client is proved, and the answers that it may get."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broker.audit.log import record
from broker.errors import OAuthCode, OAuthError
from broker.oidc import store
from broker.oidc.client import Client
from broker.oidc.grant import Grant
from broker.web.tools import Tools

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a proved client asks for; `cnf` names the key that it proved besides (RFC 7800).

    `form` holds what may be sent once; `resources` and `audiences` may be several (RFC 8707 §2.2,
    RFC 8693 §2.1).
    """

    client: Client
    form: Form
    resources: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    cnf: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal whose trace must be committed before anyone hears of it."""

    code: OAuthCode
    hint: str

    def error(self) -> OAuthError:
        """The same, to raise."""
        return OAuthError(self.code, self.hint)


Answer = dict[str, Any] | Refusal

Answerer = Callable[[Session, TokenRequest, Tools, datetime], Answer]
"""(tx, asked, tools, now) → the tokens, or a refusal that must persist."""


def refused(  # noqa: PLR0913  who, why, when, about what
    tx: Session,
    client: Client,
    hint: str,
    now: datetime,
    grant: Grant | None = None,
    code: OAuthCode = OAuthCode.INVALID_GRANT,
) -> Refusal:
    """The refusal, with its trace in the record."""
    facts = {"client": client.id, "reason": hint}
    if grant is not None:
        facts |= {"account": grant.account_id, "grant": grant.id}
    record(tx, "token.refused", facts, now)
    return Refusal(code, hint)


def seen_before(tx: Session, client: Client, hint: str, now: datetime, grant: Grant) -> Refusal:
    """The refusal of what was used before: two hold it, so all that it bought is revoked.

    RFC 6749 §4.1.2, RFC 9700 §4.14.2.
    """
    store.revoke_grant(tx, grant.id, now)
    facts = {"account": grant.account_id, "client": client.id, "grant": grant.id, "reason": hint}
    record(tx, "token.revoked", facts, now)
    return refused(tx, client, hint, now, grant)
