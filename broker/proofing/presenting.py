"""What stands between a page of this room and a Verifier: its page, its reply, its place."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from broker.errors import EvidenceRejected, NotFound, TooLarge
from broker.feature import Asked
from broker.identity.assurance import Policy, reachable
from broker.identity.verifier import (
    Attempt,
    Message,
    Opening,
    Redirect,
    Reply,
    SchemeVerifier,
    Verifier,
)
from broker.interaction.store import ACCOUNT
from broker.proofing.doors import Outlook
from broker.web import csrf, headers, shown
from broker.web.locale import gettext
from broker.web.messages import message
from broker.web.tools import tools

Answer = str | Response | tuple[str, int]


def door(kind: str) -> Verifier:
    """The verifier of this kind. Raises NotFound."""
    found = next((v for v in tools().verifiers if v.kind == kind), None)
    if found is None:
        raise NotFound("verifier_unknown")
    return found


def show(opening: Opening, handle: str, attempt: Attempt, code: str | None = None) -> Answer:
    """The page that the verifier wants shown, status 422 with `code` in words, or the way out."""
    if isinstance(opening.show, Redirect):
        return redirect(opening.show.url, code=303)
    if opening.show.form_target:
        headers.allow_form_target(opening.show.form_target)
    page = render_template(
        opening.show.template,
        **{
            **opening.show.context,
            "action": action(attempt),
            "attempt": attempt.handle,
            "error": None if code is None else message(code),
            "decline": url_for("proofing.decline", handle=handle),
            "hand_over": f"{request.path}/phone",
        },
    )
    return page if code is None else (page, EvidenceRejected.status)


def reply(verifier: Verifier) -> Reply:
    """What was sent; the second file of an input called `x` is `x.1`.

    Raises TooLarge past the verifier's own limit.
    """
    fields = {k: v for k, v in request.form.items() if k != csrf.FIELD}
    files = {
        f"{name}.{n}" if n else name: upload.read()
        for name, several in request.files.lists()
        for n, upload in enumerate(several)
    }
    size = sum(map(len, files.values())) + sum(len(v.encode()) for v in fields.values())
    if size > verifier.size_limit:
        raise TooLarge("too_many_bytes")
    return Reply(fields, files)


def action(attempt: Attempt) -> str:
    """The address of this very page: with the scheme that was chosen, where one was."""
    chosen = {"scheme": attempt.scheme, "country": attempt.country}
    told = urlencode({name: value for name, value in chosen.items() if value})
    return f"{request.path}?{told}" if told else request.path


def choice(handle: str, request_: Asked, view: Outlook, policy: Policy) -> dict[str, object]:
    """What the page of all doors is shown with."""
    levels = policy.identity_levels
    return {
        "handle": handle,
        "client_name": request_.client_name,
        "on_own_account": handle == ACCOUNT,
        "wanted": view.wanted and shown.level(levels[view.wanted].label),
        "is_enough": view.is_enough(policy),
        "may_go_on": view.may_go_on() and handle != ACCOUNT,
        "doors": _entries(handle, view.doors, policy),
    }


def door_path(handle: str, kind: str) -> str:
    """Where a door is, in this interaction."""
    return url_for("proofing.open_door", handle=handle, kind=kind)


def review_path(handle: str, kind: str, attempt: str) -> str:
    """Where the person looks at what was read."""
    return url_for("proofing.review", handle=handle, kind=kind, attempt=attempt)


def _entries(handle: str, doors: Iterable[Verifier], policy: Policy) -> list[Mapping[str, str]]:
    """One entry a door, and one for all doors that lead abroad."""
    here = [v for v in doors if not isinstance(v, SchemeVerifier)]
    abroad = frozenset[str]().union(*(v.produces for v in doors if v not in here))
    made = [
        _entry(door_path(handle, v.kind), v.title, v.summary, _label(v.produces, policy))
        for v in here
    ]
    if abroad:
        path = url_for("proofing.countries", handle=handle)
        made.append(_entry(path, ABROAD.what, ABROAD.advice, _label(abroad, policy)))
    return made


def _entry(path: str, title: str, summary: str, level: str) -> Mapping[str, str]:
    return {"path": path, "title": gettext(title), "summary": gettext(summary), "level": level}


def _label(kinds: Iterable[str], policy: Policy) -> str:
    return shown.level(policy.identity_levels[reachable(kinds, policy)].label)


ABROAD: Final = Message(
    "The electronic identity of another country",
    "You sign in with it at its own service, and come back here.",
)
"""The one door to all schemes, as the list of doors has it."""
