"""Where an auditor sits: the desk's pages, for appointed people who signed in strongly enough."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError

from broker.audit.worker import catch_up
from broker.db import reading, transaction
from broker.desk import auditor
from broker.desk.auditor import Reader
from broker.desk.door import Visit
from broker.errors import NotAllowed, RecordUnavailable
from broker.feature import SignedIn
from broker.interaction.store import signed_in
from broker.web.tools import tools

SIGN_IN = "/sign-in/desk"

pages = Blueprint(
    "pages",
    __name__,
    url_prefix="/desk",
    template_folder="templates",
    static_folder="static",
)


@pages.before_request
def show_to_the_seat() -> ResponseReturnValue | None:
    """To the sign-in page, or to what is missing; nothing for an auditor who may stay."""
    if (request.endpoint or "").endswith("static"):
        return None
    with reading() as tx:
        who = signed_in(tx, tools().clock())
        if who is None:
            return redirect(SIGN_IN, 303)
        if not _is_strong(who):
            return render_template("desk/weak.html", again=f"{SIGN_IN}?again=1"), 403
        try:
            g.desk_scope = auditor.of_account(tx, who.account_id).scope
        except NotAllowed:
            return render_template("desk/stranger.html", account=who.account_id), 403
    return None


@contextmanager
def seated(scope: str) -> Iterator[Visit]:
    """A page for the auditor in front of this browser; it commits with its trace, or is not shown.

    Raises NotAllowed, OAuthError insufficient_scope, RecordUnavailable.
    """
    now = tools().clock()
    try:
        catch_up()
        with transaction() as tx:
            who = signed_in(tx, now)
            if who is None or not _is_strong(who):
                raise NotAllowed("not_signed_in")
            reader: Reader = auditor.of_account(tx, who.account_id)
            if scope not in reader.scope:
                raise NotAllowed("out_of_sight", f"the scope {scope} is needed")
            yield Visit(tx, reader, now, {})
    except DBAPIError as error:
        raise RecordUnavailable("record_unavailable", type(error).__name__) from error


def _is_strong(who: SignedIn) -> bool:
    policy = tools().policy
    way = policy.authenticators.get(who.authenticator)
    return way is not None and auditor.is_strong(way.level, policy)
