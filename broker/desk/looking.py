"""One page of assertions for one auditor: the same from the API and at the desk."""

from typing import Any

from broker.desk import assertions, cursor
from broker.desk.assertion_query import AssertionQuery
from broker.desk.door import Visit
from broker.web.tools import tools


def look(
    here: Visit, wanted: AssertionQuery
) -> tuple[list[dict[str, Any]], str | None, dict[str, Any]]:
    """The assertions, the cursor of the next page, and what the record keeps of the question.

    Raises Malformed for a cursor that is not this auditor's, not this question's, or over.
    """
    asked, key = wanted.facts(), cursor.key(tools().keyring.browser)
    after = None
    if wanted.unverified_cursor is not None:
        after = cursor.unseal(wanted.unverified_cursor, here.reader.name, asked, here.now, key)
    found, following = assertions.find(here.tx, wanted, after, here.sight)
    facts: dict[str, Any] = {"filter": wanted.on_record(), "count": len(found)}
    if after is not None:
        facts["after"] = after
    if wanted.subject and (account := assertions.whose(here.tx, wanted.subject)):
        facts["account"] = account
    if following is None:
        return found, None, facts
    return found, cursor.seal(following, here.reader.name, asked, here.now, key), facts
