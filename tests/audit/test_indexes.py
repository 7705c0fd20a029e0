"""Every question that pages ask of the record is answered out of an index made for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from broker.audit import store
from broker.audit.entry import ISSUED
from broker.audit.event import REFUSED
from broker.audit.log import record
from broker.audit.query import EntryQuery
from broker.db import reading, transaction
from broker.desk import assertions
from broker.desk.assertion_query import AssertionQuery
from tests.conftest import NOON
from tests.recording import sequenced

on_both = pytest.mark.parametrize(
    "database_url",
    [
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres),
    ],
    indirect=True,
)


@pytest.fixture
def filled(disk_app: Flask) -> Flask:
    """A few entries of every kind: which index fits does not depend on how many there are."""
    with disk_app.app_context(), transaction() as tx:
        for n in range(40):
            facts: dict[str, object] = {"client": f"c{n % 3}", "grant": f"g{n}", "acr": "basic"}
            whom = {"account": f"a{n}", "subject": f"s{n}"}
            record(tx, "code.issued", facts | whom, NOON)
            record(tx, "token.issued", facts | whom | {"kind": "k", "evidence": f"e{n}"}, NOON)
            record(tx, "session.ended", {}, NOON)
        record(tx, "code.refused", {"client": "c0", "reason": "login_required"}, NOON)
    sequenced(disk_app)
    return disk_app


@contextmanager
def plans(tx: Session) -> Iterator[list[str]]:
    """How the database answers each question about entries that is asked meanwhile."""
    connection, asked = tx.connection(), []
    found: list[str] = []

    def heard(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if "audit_entry" in sql and sql.lstrip().startswith("SELECT"):
            asked.append((sql, values))

    event.listen(connection, "before_cursor_execute", heard)
    yield found
    event.remove(connection, "before_cursor_execute", heard)
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:  # with so few entries it would read all of them
        for dear in ("seqscan", "bitmapscan", "sort"):
            connection.execute(text(f"SET LOCAL enable_{dear} = off"))
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN (COSTS OFF)"
    for sql, values in asked:
        rows = connection.exec_driver_sql(f"{explain} {sql}", values).all()
        found.append("\n".join(str(row[-1]) for row in rows))


BY_ENTRY = {
    "event": (EntryQuery(event="code.issued"), "audit_entry_event"),
    "client": (EntryQuery(client="c1"), "audit_entry_client"),
    "client, from a place on": (EntryQuery(client="c1", after=7), "audit_entry_client"),
}
BY_ASSERTION = {
    "refused": (AssertionQuery(outcome=REFUSED), "audit_entry_refused"),
    "client": (AssertionQuery(client="c1"), "audit_entry_client"),
    "client, issued": (AssertionQuery(client="c1", outcome=ISSUED), "audit_entry_client"),
    "client, refused": (
        AssertionQuery(client="c1", outcome=REFUSED),
        "audit_entry_refused_client",
    ),
    "client, level": (
        AssertionQuery(client="c1", level="basic"),
        "audit_entry_told_client_level",
    ),
    "level": (AssertionQuery(level="basic"), "audit_entry_told_level"),
    "kind": (AssertionQuery(kind="k"), "audit_entry_told_kind"),
    "grant": (AssertionQuery(grant="g1"), "audit_entry_grant"),
    "evidence": (AssertionQuery(evidence="e1"), "audit_entry_evidence"),
    "subject": (AssertionQuery(subject="s1"), "audit_subject_subject"),
}


def rests_on(plan: str, index: str) -> bool:
    """Whether it looks there, sorts nothing and reads no table from end to end."""
    words = plan.replace("(", " ").split()
    return index in words and "TEMP B-TREE" not in plan and "Sort" not in plan


@on_both
@pytest.mark.parametrize(("query", "index"), BY_ENTRY.values(), ids=BY_ENTRY)
def test_a_list_of_entries_rests_on_an_index(filled: Flask, query: EntryQuery, index: str) -> None:
    with filled.app_context(), reading() as tx:
        with plans(tx) as found:
            store.page(tx, store.conditions(query), 50)
        assert [plan for plan in found if not rests_on(plan, index)] == []
        assert found


@on_both
@pytest.mark.parametrize(("query", "index"), BY_ASSERTION.values(), ids=BY_ASSERTION)
def test_a_list_of_assertions_rests_on_an_index(
    filled: Flask, query: AssertionQuery, index: str
) -> None:
    with filled.app_context(), reading() as tx:
        with plans(tx) as found:
            told, _ = assertions.find(tx, query, None, None)
        assert [plan for plan in found if not rests_on(plan, index)] == []
        assert found
    assert told or query.outcome == REFUSED
    assert all(each["entry"]["event"] in {"token.issued", "code.refused"} for each in told)


@on_both
def test_the_latest_assertions_of_all_are_read_in_the_order_of_the_record(filled: Flask) -> None:
    with filled.app_context(), reading() as tx:
        with plans(tx) as found:
            told, _ = assertions.find(tx, AssertionQuery(), None, None)
        assert all("B-TREE" not in plan and "Sort" not in plan for plan in found)
    assert len(told) == 41
