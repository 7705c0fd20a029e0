"""The pages that belong to no room: what Miftah is, how sure we are, what is kept."""

from dataclasses import dataclass

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from broker.errors import NotFound
from broker.identity.assurance import Policy, acr_uri, published, reachable
from broker.web.messages import MESSAGES, message
from broker.web.tools import tools

pages = Blueprint("shell", __name__)

HOUR = 3600

IDENTITY_LEVELS = {
    "P0": "You told us, or a document says so that nobody has compared with you.",
    "P1": "A document was checked together with you, or another state vouches for you at its "
    "low level.",
    "P2": "A genuine document was compared with you, or another state vouches for you at its "
    "substantial level.",
    "P3": "An official compared you with a genuine document face to face and a source on fraud "
    "was asked, or another state vouches for you at its high level.",
}
"""Identity level → what it means; English msgids. A level that is not here shows its label only."""

EVIDENCE_KINDS = {
    "mrz_photo": "A photograph of a passport, read by machine",
    "mrz_photo_operator": "The same, compared with you by a member of staff",
    "mrz_photo_operator_affiliate_history": "The same, with years of contributions on file",
    "chip_pa_only": "The signed data of a passport's chip",
    "chip_pa_operator_async": "The same, compared later with a video of you",
    "chip_pa_aa_operator_live": "A passport's chip proved genuine, and you, live before staff",
    "consular_in_person": "Your passport and you, at a consulate",
    "eidas_low": "A European identity, level low",
    "eidas_substantial": "A European identity, level substantial",
    "eidas_high": "A European identity, level high",
    "fc_eidas1": "FranceConnect, level low",
    "fc_eidas2": "FranceConnect, level substantial",
    "fc_eidas3": "FranceConnect, level high",
    "notified_low": "An identity that a European state notified, level low",
    "notified_substantial": "An identity that a European state notified, level substantial",
    "notified_high": "An identity that a European state notified, level high",
    "foreign_low": "Another foreign identity that calls itself low",
    "foreign_substantial": "Another foreign identity that calls itself substantial",
    "foreign_high": "Another foreign identity that calls itself high",
    "qualified_cert": "A qualified certificate",
    "eudi_pid": "A European digital identity wallet",
    "mailed_code": "A code sent to your address by post",
}
"""Evidence kind of the policy → its name; English msgids. A kind not here shows its key."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One line of the table of evidence: `open` where a door for it hangs in this house."""

    kind: str
    level: str
    days: int | None
    open: bool


@pages.get("/")
def home() -> str:
    """What this is, and for whom."""
    return render_template("home.html")


@pages.get("/policy")
def policy() -> str:
    """The assurance policy in words."""
    held = tools().policy
    return render_template(
        "policy.html",
        policy=held,
        meanings=IDENTITY_LEVELS,
        names=EVIDENCE_KINDS,
        evidence=_evidence_rows(held),
        acr=[(acr_uri(a.name, tools().settings.issuer), a) for a in held.acr],
    )


@pages.get("/policy.json")
def policy_document() -> Response:
    """The assurance policy as data, for programs; revalidated by its ETag (RFC 9110 §8.8.3)."""
    response = jsonify(published(tools().policy, tools().settings.issuer))
    response.headers["Cache-Control"] = f"public, max-age={HOUR}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.add_etag()
    conditional: Response = response.make_conditional(request)  # type: ignore[assignment]
    return conditional


@pages.get("/acr/<name>")
def acr(name: str) -> BaseResponse:
    """An `acr` value is a URI of ours: it leads to where the policy explains it."""
    if name not in {known.name for known in tools().policy.acr}:
        raise NotFound("not_found")
    return redirect(f"/policy#acr-{name}", code=303)


@pages.get("/trust-framework")
@pages.get("/check-methods/<_name>")
@pages.get("/document-types/<_name>")
@pages.get("/record-types/<_name>")
def framework(_name: str = "") -> BaseResponse:
    """Our trust framework, check methods and types are URIs of ours: the policy is it."""
    return redirect("/policy", code=303)


@pages.get("/problems/<code>")
def problem(code: str) -> str:
    """A problem's `type` is a URI of ours: it leads to this explanation (RFC 9457 §3.1.1)."""
    known = set(MESSAGES).union(*(verifier.refusals for verifier in tools().verifiers))
    if code not in known:
        raise NotFound("not_found")
    return render_template("problem.html", error=message(code), code=code)


@pages.get("/privacy")
def privacy() -> str:
    """What is kept, for how long, and how to have it destroyed."""
    settings = tools().settings
    return render_template(
        "privacy.html",
        session_hours=_hours(settings.authentication.session_lifetime.total_seconds()),
        idle_minutes=int(settings.authentication.session_idle.total_seconds() // 60),
        attempt_minutes=int(settings.proofing.attempt_lifetime.total_seconds() // 60),
    )


def _hours(seconds: float) -> int:
    return int(seconds // HOUR)


def _evidence_rows(policy: Policy) -> list[EvidenceRow]:
    hung = frozenset().union(*(verifier.produces for verifier in tools().verifiers))
    rows = [
        EvidenceRow(kind, reachable([kind], policy), worth.ttl_days or None, kind in hung)
        for kind, worth in policy.evidence.items()
    ]
    # What is open today first; sorted() keeps the policy's order within both halves.
    return sorted(rows, key=lambda row: not row.open)
