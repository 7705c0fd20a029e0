import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from sqlalchemy import text

from broker.audit.event import EVENTS
from broker.audit.query import LARGEST_LIMIT, LIMIT
from broker.db import transaction
from broker.desk.scope import ALL
from broker.oidc.client_metadata import AUDIT_SCOPES
from broker.web.messages import MESSAGES
from miftah_verify.answers import verify_answers
from miftah_verify.note import parse_key
from miftah_verify.policy import simple
from tests.desk.conftest import Getter, body, fill, issue

API: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "openapi.yaml").read_text(encoding="utf-8")
)
COMPONENTS: dict[str, Any] = API["components"]


def conforms(value: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": COMPONENTS}
    Draft202012Validator.check_schema(whole)
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(whole, format_checker=checker).validate(value)


def resolved(part: Any) -> Any:
    while isinstance(part, dict) and set(part) == {"$ref"}:
        found: Any = API
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def test_the_description_is_valid() -> None:
    validate(API)


def test_description_and_routes_name_the_same_paths_and_methods(app: Flask) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/api/", "/healthz", "/readyz"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, item in API["paths"].items() for method in item}
    assert described == served


def test_description_and_catalogue_name_the_same_events() -> None:
    assert COMPONENTS["schemas"]["Event"]["enum"] == sorted(EVENTS)


def test_description_and_code_have_the_same_limits() -> None:
    (limit,) = [
        p["schema"]
        for p in API["paths"]["/api/v1/entries"]["get"]["parameters"]
        if p.get("name") == "limit"
    ]
    assert (limit["default"], limit["maximum"]) == (LIMIT, LARGEST_LIMIT)


def objects(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, list):
        return [found for item in part for found in objects(item)]
    if not isinstance(part, dict):
        return []
    own = [part] if part.get("type") == "object" and "properties" in part else []
    return own + [found for item in part.values() for found in objects(item)]


def test_no_object_may_hold_more_than_is_described() -> None:
    closed = objects(COMPONENTS["schemas"])
    assert len(closed) > 5
    for each in closed:
        assert each["additionalProperties"] in (False, {"$ref": "#/components/schemas/Fact"})


def test_description_and_code_have_the_same_scopes() -> None:
    flows = COMPONENTS["securitySchemes"]["provider"]["flows"].values()
    assert all(set(flow["scopes"]) == set(ALL) == AUDIT_SCOPES for flow in flows)


def test_every_code_that_the_description_names_has_a_message() -> None:
    pattern = COMPONENTS["schemas"]["Problem"]["properties"]["type"]["pattern"]
    assert set(re.findall(r"[a-z_]{4,}", pattern)) - {"problems"} <= set(MESSAGES)


@pytest.mark.parametrize(
    ("name", "schema"),
    [("Entry", "Entry"), ("InclusionProof", "InclusionProof"), ("Checkpoint", "Checkpoint")],
)
def test_the_examples_are_what_they_illustrate(name: str, schema: str) -> None:
    conforms(COMPONENTS["examples"][name]["value"], COMPONENTS["schemas"][schema])


def test_the_examples_of_refusals_are_problems() -> None:
    for response in COMPONENTS["responses"].values():
        for example in (
            response.get("content", {})
            .get("application/problem+json", {})
            .get("examples", {})
            .values()
        ):
            conforms(example["value"], COMPONENTS["schemas"]["Problem"])


def test_the_example_proves_itself() -> None:
    examples = COMPONENTS["examples"]
    entry, proof = examples["Entry"]["value"], examples["InclusionProof"]["value"]
    (line,) = re.findall(r"broker\.example\+\S+(?=`)", API["info"]["description"])
    policy = simple(parse_key(line))
    shown, path = (json.dumps(each).encode() for each in (entry, proof))
    assert verify_answers(shown, path, policy).head.size == 3


# path as described, path as asked, token, headers → status
ANSWERS = [
    ("/entries", "/entries", "good", {}, 200),
    ("/entries", "/entries?limit=1", "good", {}, 200),
    ("/entries", "/entries?event=auditor.read", "good", {}, 200),
    ("/entries", "/entries?limit=0", "good", {}, 400),
    ("/entries", "/entries", "stolen", {}, 401),
    ("/entries", "/entries", "other", {}, 403),
    ("/entries/{index}", "/entries/1", "good", {}, 200),
    ("/entries/{index}", "/entries/1", "good", {"If-None-Match": "*"}, 304),
    ("/entries/{index}", "/entries/1?x=1", "good", {}, 400),
    ("/entries/{index}", "/entries/99", "good", {}, 404),
    ("/entries/{index}", "/entries/2", "good", {}, 500),
    ("/entries/{index}/proof", "/entries/1/proof", "good", {}, 200),
    ("/entries/{index}/proof", "/entries/99/proof", "good", {}, 404),
    ("/entries/{index}/leaf", "/entries/1/leaf", "good", {}, 200),
    ("/entries/{index}/tlog-proof", "/entries/1/tlog-proof", "good", {}, 200),
    ("/checkpoint", "/checkpoint", "good", {}, 200),
    ("/checkpoint", "/checkpoint?x=1", "good", {}, 400),
    ("/consistency", "/consistency?from=1&to=3", "good", {}, 200),
    ("/consistency", "/consistency?from=3&to=1", "good", {}, 400),
    ("/tile/{path}", "/tile/0/000.p/3", "good", {}, 200),
    ("/tile/{path}", "/tile/0/001", "good", {}, 404),
    ("/assertions", "/assertions", "good", {}, 200),
    ("/assertions", "/assertions", "good", {"Accept": "text/html"}, 406),
    ("/assertions/{index}", "/assertions/3", "good", {}, 200),
    ("/assertions/{index}", "/assertions/0", "good", {}, 404),
    ("/statistics", "/statistics?month=2026-10&by=level", "good", {}, 200),
    ("/statistics", "/statistics?month=2026-11&by=level", "good", {}, 400),
    ("/exports", "/exports", "good", {}, 200),
    ("/cases", "/cases", "good", {}, 200),
    ("/cases/{name}", "/cases/x", "good", {}, 404),
    ("/searches", "/searches", "good", {}, 200),
    ("/unmaskings", "/unmaskings", "good", {}, 403),
    ("/unmaskings", "/unmaskings", "program", {}, 200),
]


@pytest.mark.parametrize(("described", "asked", "bearer", "headers", "status"), ANSWERS)
def test_real_answers_are_as_described(
    app: Flask,
    get: Getter,
    described: str,
    asked: str,
    bearer: str,
    headers: dict[str, str],
    status: int,
) -> None:
    fill(app, 3)
    issue(app)
    get("/checkpoint")
    if status == 500:
        with app.app_context(), transaction() as tx:
            tx.execute(text("UPDATE audit_entry SET level = 'P3' WHERE idx = 2"))
    response = get(asked, bearer=bearer, headers=headers)
    assert response.status_code == status
    answers = API["paths"][f"/api/v1{described}"]["get"]["responses"]
    answer = resolved(answers[str(status)])
    for name, header in answer.get("headers", {}).items():
        conforms(response.headers[name], resolved(header)["schema"])
    content = answer.get("content", {})
    assert set(content) == ({response.mimetype} if content else set())
    for kind, media in content.items():
        if "schema" in media:
            conforms(response.text if kind == "text/plain" else body(response), media["schema"])
