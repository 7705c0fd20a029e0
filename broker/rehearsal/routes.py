"""The page that asks whom to be; and the banner of every page of a test system."""

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from broker.db import reading, transaction
from broker.errors import Malformed
from broker.identity.assurance import acr_of, assess
from broker.interaction.store import asked, resume_path
from broker.rehearsal.arranging import sign_in
from broker.rehearsal.people import PEOPLE, TestPerson
from broker.web import cookies
from broker.web.tools import tools

pages = Blueprint("rehearsal", __name__, url_prefix="/rehearsal", template_folder="templates")


@pages.get("/<handle>")
def choose(handle: str) -> str:
    """The test persons, with what each reaches under today's policy."""
    with reading() as tx:
        asked(tx, handle, tools().clock())
    people = [(person, _reaches(person)) for person in PEOPLE.values()]
    return render_template("rehearsal/choose.html", handle=handle, people=people)


@pages.post("/<handle>")
def be(handle: str) -> ResponseReturnValue:
    """Sign in as the person chosen. Raises Malformed for one who is not in the table."""
    house, now = tools(), tools().clock()
    person = PEOPLE.get(request.form.get("person", ""))
    if person is None:
        raise Malformed("malformed", "no such test person")
    with transaction() as tx:
        asked(tx, handle, now)
        secret = sign_in(tx, person, house, now)
    cookies.write(cookies.SESSION, secret)
    return redirect(resume_path(handle), 303)


@pages.app_context_processor
def _banner() -> dict[str, bool]:
    """Tell every page of the house, errors included, that this is a test system."""
    return {"rehearsal": True}


def _reaches(person: TestPerson) -> str:
    policy, now = tools().policy, tools().clock()
    shown = person.shown(now)
    identity = assess([shown] if shown else [], policy, now).level
    return acr_of(identity, policy.authenticators[person.authenticator].level, policy)
