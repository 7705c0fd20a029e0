"""Every migration leaves the version before at work (docs/deployment.md, upgrades without a pause).

While machines are upgraded one by one, and after going back, the older code speaks to the newer
tables: it must find all that it knows, and nothing may be demanded of it that it does not say.
"""

import ast
import inspect as source
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Inspector, create_engine, inspect

from broker import setup

FIRST = "0010"
"""What nobody ran a version before, since none is released; from here on the rule holds."""

UNUSED_SINCE: Mapping[str, str] = {}
"""What a migration took away or narrowed → the released version that no longer used it.

The migration belongs to the version after that one, not to itself.
"""


@dataclass(frozen=True)
class Table:
    """What older code knows of a table: its columns, and what the database demands of a row."""

    columns: Mapping[str, tuple[str, bool, bool]]
    demands: frozenset[str]


Tables = Mapping[str, Table]


def read(found: Inspector) -> Tables:
    return {name: table(found, name) for name in found.get_table_names()}


def table(found: Inspector, name: str) -> Table:
    columns = {
        column["name"]: (str(column["type"]), column["nullable"], column["default"] is not None)
        for column in found.get_columns(name)
    }
    unique: list[Any] = [c["column_names"] for c in found.get_unique_constraints(name)]
    unique += [i["column_names"] for i in found.get_indexes(name) if i["unique"]]
    pointing = [
        (f["constrained_columns"], f["referred_table"]) for f in found.get_foreign_keys(name)
    ]
    checks = [c["sqltext"] for c in found.get_check_constraints(name)]
    key = found.get_pk_constraint(name)["constrained_columns"]
    demands = (("unique", unique), ("reference", pointing), ("check", checks), ("key", [key]))
    return Table(columns, frozenset(f"{kind} {one}" for kind, all_ in demands for one in all_))


def narrowed(before: Tables, after: Tables) -> Iterator[str]:
    """What the older code would stumble over, in words."""
    for name, old in before.items():
        if name not in after:
            yield f"{name} is gone"
            continue
        new = after[name]
        yield from (
            f"{name}.{column} is gone" for column in old.columns.keys() - new.columns.keys()
        )
        yield from (f"{name} demands {demand}" for demand in new.demands - old.demands)
        for column, (kind, may_lack, has_default) in new.columns.items():
            was = old.columns.get(column)
            if was is not None and was[0] != kind:
                yield f"{name}.{column} is {kind}, was {was[0]}"
            free = may_lack or has_default
            if not free and (was is None or was[1] or was[2]):
                yield f"{name}.{column} must be said"


def revisions() -> list[Any]:
    scripts = ScriptDirectory.from_config(setup.alembic_config("sqlite://"))
    return list(scripts.walk_revisions())[::-1]


def test_the_version_before_can_speak_to_the_tables_of_every_migration(database_url: str) -> None:
    config, engine = setup.alembic_config(database_url), create_engine(database_url)
    before: Tables = {}
    faults: dict[str, list[str]] = {}
    for step in revisions():
        command.upgrade(config, step.revision)
        after = read(inspect(engine))
        found = sorted(set(narrowed(before, after)) - UNUSED_SINCE.keys())
        if found and step.revision > FIRST:
            faults[step.revision] = found
        before = after
    engine.dispose()
    assert faults == {}


@pytest.mark.parametrize(
    "step", [s for s in revisions() if s.revision > FIRST], ids=lambda step: step.revision
)
def test_no_migration_rewrites_rows_under_the_version_before(step: Any) -> None:
    tree = ast.parse(source.getsource(step.module.upgrade))
    called = {
        n.func.attr
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
    }
    assert not called & {"execute", "bulk_insert", "rename_table"}


def people(*columns: tuple[str, str, bool, bool], demands: tuple[str, ...] = ()) -> Tables:
    said = {name: (kind, may_lack, default) for name, kind, may_lack, default in columns}
    return {"person": Table(said, frozenset(demands))}


NAME = ("name", "TEXT", False, False)


@pytest.mark.parametrize(
    ("after", "fault"),
    [
        ({}, "person is gone"),
        (people(), "person.name is gone"),
        (people(("name", "INTEGER", False, False)), "person.name is INTEGER, was TEXT"),
        (people(NAME, ("age", "INTEGER", False, False)), "person.age must be said"),
        (people(NAME, demands=("unique ['name']",)), "person demands unique ['name']"),
    ],
    ids=["table", "column", "type", "must", "demand"],
)
def test_what_older_code_would_stumble_over_is_told(after: Tables, fault: str) -> None:
    assert list(narrowed(people(NAME), after)) == [fault]


@pytest.mark.parametrize(
    "after",
    [
        people(NAME),
        people(("name", "TEXT", True, False)),
        people(NAME, ("age", "INTEGER", True, False)),
        people(NAME, ("age", "INTEGER", False, True)),
        {**people(NAME), "place": Table({"name": ("TEXT", False, False)}, frozenset({"key"}))},
    ],
    ids=["same", "wider", "may", "default", "table"],
)
def test_what_older_code_does_not_notice_may_be_added(after: Tables) -> None:
    assert list(narrowed(people(NAME), after)) == []
