"""What stands between a page of this room and a Verifier: its page, its reply, its place."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from broker.errors import EvidenceRejected, NotFound, TooLarge
from broker.feature import Asked
from broker.identity.assurance import Policy, reachable
from broker.identity.verifier import Attempt, Opening, Redirect, Reply, Verifier
from broker.interaction.store import ACCOUNT
from broker.proofing.doors import Outlook
from broker.web import csrf, shown
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
    page = render_template(
        opening.show.template,
        **{
            **opening.show.context,
            "action": request.path,
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
        "doors": [_entry(handle, verifier, policy) for verifier in view.doors],
    }


def door_path(handle: str, kind: str) -> str:
    """Where a door is, in this interaction."""
    return url_for("proofing.open_door", handle=handle, kind=kind)


def review_path(handle: str, kind: str, attempt: str) -> str:
    """Where the person looks at what was read."""
    return url_for("proofing.review", handle=handle, kind=kind, attempt=attempt)


def _entry(handle: str, verifier: Verifier, policy: Policy) -> dict[str, str]:
    level = policy.identity_levels[reachable(verifier.produces, policy)]
    return {
        "path": door_path(handle, verifier.kind),
        "title": gettext(verifier.title),
        "summary": gettext(verifier.summary),
        "level": shown.level(level.label),
    }
