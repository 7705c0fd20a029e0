"""The published schemas and examples of Identity Assurance, where the shared folder is there."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[3] / "shared" / "ida"
REQUEST = "verified_claims_request.json"
RESPONSE = "verified_claims.json"


@cache
def validator(name: str) -> Draft202012Validator:
    """A validator of one of the published schemas; skips the test where they are not there."""
    if not FOLDER.exists():
        pytest.skip("the developers' folder is not beside the repository")
    loaded = {p.name: json.loads(p.read_text("utf-8")) for p in FOLDER.glob("schema/*.json")}
    resources = [(schema["$id"], Resource.from_contents(schema)) for schema in loaded.values()]
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft202012Validator(loaded[name], registry=registry, format_checker=FormatChecker())


def examples(kind: str) -> Iterator[Any]:
    """The published examples of requests or responses."""
    for path in sorted((FOLDER / "examples" / kind).glob("*.json")):
        yield json.loads(path.read_text("utf-8"))


def elements() -> list[Any]:
    """The `verified_claims` of every published example of a request."""
    return [place["verified_claims"] for asked in examples("request") for place in asked.values()]
