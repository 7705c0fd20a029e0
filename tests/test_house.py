"""The house's own laws: the map, the tables and the words agree with the code."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import BaseModel
from pydantic_core import PydanticUndefined, to_jsonable_python
from sqlalchemy import select

import broker
from broker.authentication.models import Authenticator
from broker.db import reading
from broker.errors import OAuthCode
from broker.settings import PREFIX, Settings
from broker.web.messages import MESSAGES
from tests import people, visits
from tests.conftest import ISSUER
from tests.service import Service, register
from tests.web.catalogues import DOORS

HOUSE = Path(broker.__file__).parent
ROOT = HOUSE.parent
DOCS = ROOT / "docs"
LONGEST = 300
"""Lines of a file of the broker; past that there is a second noun in it."""

REGISTRY = {
    "BrokerError", "Conflict", "EvidenceRejected", "Malformed", "NotAllowed", "NotFound",
    "TooLarge", "TooMany", "UpstreamUnavailable",
    "NotAcceptable", "PreconditionFailed", "PreconditionRequired", "RecordUnavailable",
    "Unprocessable", "UnsupportedMediaType",
}  # fmt: skip


@cache
def trees() -> dict[Path, ast.Module]:
    """Every module of the broker, parsed."""
    return {p: ast.parse(p.read_text("utf-8")) for p in sorted(HOUSE.rglob("*.py"))}


@cache
def every_test() -> str:
    """All tests together, this file included."""
    return "\n".join(p.read_text("utf-8") for p in sorted((ROOT / "tests").rglob("*.py")))


def documents() -> list[Path]:
    """Every document that may quote a test."""
    return [*DOCS.rglob("*.md"), *(ROOT / "deploy").glob("*.md"), *ROOT.glob("*.md")]


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


# Files


def test_every_module_says_in_a_docstring_what_it_is_for() -> None:
    silent = [
        str(p.relative_to(ROOT)) for p, tree in trees().items() if not ast.get_docstring(tree)
    ]
    assert silent == []


def test_no_file_has_grown_past_its_noun() -> None:
    lengths = {p.name: len(p.read_text("utf-8").splitlines()) for p in trees()}
    assert {name: n for name, n in lengths.items() if n > LONGEST} == {}


def test_only_doors_and_commands_open_a_transaction() -> None:
    """A door is a file with views in it: it makes a Blueprint."""
    doors = {p for p, tree in trees().items() for c in calls(tree) if _name(c) == "Blueprint"}
    outside = {
        str(path.relative_to(HOUSE))
        for path, tree in trees().items()
        for call in calls(tree)
        if _name(call) in {"transaction", "reading"}
        if path not in doors and path.name not in {"commands.py", "client_door.py", "worker.py"}
    }
    assert outside == set()


def test_nobody_commits_or_rolls_back_by_hand() -> None:
    by_hand = {
        str(path.relative_to(HOUSE))
        for path, tree in trees().items()
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"commit", "rollback"}
    }
    assert by_hand == set()


def test_the_storeys_hold() -> None:
    told = subprocess.run(
        [
            Path(sys.executable).with_name("lint-imports"),
            "--config",
            "pyproject.toml",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout


# The map


def rooms() -> set[str]:
    folders = {p.parent.relative_to(HOUSE) for p in HOUSE.rglob("__init__.py")} - {Path()}
    flat = {p.name for p in HOUSE.glob("*.py")} - {"__init__.py"}
    return {f"{folder.as_posix()}/" for folder in folders} | flat


def test_the_map_shows_every_room_and_module_and_no_other() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    shown = set(re.findall(r"^\| `([a-z/_.]+)` \|", text, re.MULTILINE))
    assert shown == rooms()


@pytest.mark.parametrize("document", documents(), ids=lambda p: p.name)
def test_every_test_that_a_document_quotes_exists(document: Path) -> None:
    quoted = set(re.findall(r"`(test_\w+)`", document.read_text("utf-8")))
    assert quoted - set(re.findall(r"\bdef (test_\w+)\(", every_test())) == set()


def test_every_rule_of_the_conformance_table_names_its_test() -> None:
    text = (DOCS / "conformance.md").read_text("utf-8")
    rows = re.findall(r"^\| (?!§|door|-)(.+) \|$", text, re.MULTILINE)
    rules = [row for row in rows if not row.startswith("---")]
    assert len(rules) > 100
    assert [row for row in rules if not re.search(r"`test_\w+`$", row)] == []


def test_every_contract_that_the_map_quotes_exists_and_none_is_missing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    names = {c["name"] for c in project["tool"]["importlinter"]["contracts"]}
    text = " ".join((DOCS / "architecture.md").read_text("utf-8").split())
    assert set(re.findall(r"contract “([^”]+)”", text)) == names


def test_the_files_that_the_threat_model_names_exist() -> None:
    text = (DOCS / "threat-model.md").read_text("utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_.]+\.(?:py|md|conf|service|yaml))`", text))
    assert {n for n in named if not ((HOUSE / n).exists() or (ROOT / n).exists())} == set()


# The table of settings


def fields(model: type[BaseModel], prefix: str = PREFIX) -> Iterator[tuple[str, Any]]:
    """Variable name and default of every field, those of sections included."""
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from fields(type(field.default), f"{prefix}{name.upper()}__")
        else:
            assert field.default is not PydanticUndefined, name
            yield f"{prefix}{name.upper()}", field.default


def written(default: Any) -> str:
    """The default as the table writes it."""
    if default is None:
        return "unset"
    if default == "":
        return "empty"
    return f"`{to_jsonable_python(default)}`".replace("True", "true").replace("False", "false")


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    text = (DOCS / "settings.md").read_text("utf-8")
    table = dict(re.findall(r"^\| `(BROKER_\w+)` \| ([^|]+?) \|", text, re.MULTILINE))
    assert table == {name: written(default) for name, default in fields(Settings)}


def test_a_duration_is_written_as_it_is_read() -> None:
    assert written(timedelta(hours=12)) == "`PT12H`"


# Codes


def oauth_codes() -> set[str]:
    """Codes of RFC 6749 and its kin that our code names outside their own list."""
    return {
        OAuthCode[node.attr].value
        for path, tree in trees().items()
        if path.name != "errors.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "OAuthCode"
    }


def own_codes() -> set[str]:
    """Codes of ours that are raised by name, or by a kind of error with a code of its own."""
    return {
        str(call.args[0].value)
        for tree in trees().values()
        for call in calls(tree)
        if call.args and isinstance(call.args[0], ast.Constant) and _raises(call.func)
    }


def _raises(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in REGISTRY
    # super().__init__("code", hint): an error that is always of one code.
    return isinstance(function, ast.Attribute) and function.attr == "__init__"


def verifiers_codes() -> set[str]:
    return {code for door in DOORS for code in door.refusals}


def test_every_code_has_words_for_people() -> None:
    known = set(MESSAGES) | verifiers_codes()
    assert (oauth_codes() | own_codes()) - known == set()


def test_every_code_is_met_in_a_test() -> None:
    """By its name, or by the words that people read."""
    text = every_test()
    unmet = {
        code
        for code in oauth_codes() | own_codes() | verifiers_codes()
        if not re.search(rf"\b{code}\b", text)
        if code not in MESSAGES or MESSAGES[code].what not in text
    }
    assert unmet == set()


def _an_unknown_client(app: Flask, client: FlaskClient) -> str:
    return people.visit(client, "/authorize?client_id=nobody&ui_locales=en").text


def _an_unregistered_address(app: Flask, client: FlaskClient) -> str:
    register(app)
    asked = Service(redirect_uri="https://elsewhere.test/")
    return asked.ask(client, ui_locales="en").text


def _an_unknown_door(app: Flask, client: FlaskClient) -> str:
    visit = visits.sign_in(visits.come(app))
    return visit.get(f"/prove/{visits.ask(visit)}/nothing?ui_locales=en").text


def _a_challenge_that_nobody_put(app: Flask, client: FlaskClient) -> str:
    form = people.ceremony(people.visit(client, "/sign-in/account?ui_locales=en"))
    form.fields["challenge"] = "x" * 43
    return people.answer(client, form, "{}").text


def _the_only_key(app: Flask, client: FlaskClient) -> str:
    people.enrol(client)
    with app.app_context(), reading() as tx:
        key = tx.scalars(select(Authenticator.id)).one()
    page = people.visit(client, "/account?ui_locales=en")
    token = people.forms(page.text)[0].fields["csrf_token"]
    return client.post(f"/keys/{key}/removal", data={"csrf_token": token}, base_url=ISSUER).text


@pytest.mark.parametrize(
    ("code", "provoke"),
    [
        ("client_unknown", _an_unknown_client),
        ("redirect_uri_unknown", _an_unregistered_address),
        ("verifier_unknown", _an_unknown_door),
        ("key_too_late", _a_challenge_that_nobody_put),
        ("last_key", _the_only_key),
    ],
)
def test_a_refusal_says_which_one_it_is(
    app: Flask, client: FlaskClient, code: str, provoke: Callable[[Flask, FlaskClient], str]
) -> None:
    page = unescape(provoke(app, client))
    assert MESSAGES[code].what in page
    assert MESSAGES[code].advice in page
