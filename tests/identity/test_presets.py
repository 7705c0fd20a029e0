"""The presets in schemes/: right as they are, and without effect until they are enabled."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from broker.app import FOREIGN
from broker.identity.assurance import SHIPPED, read_policy
from broker.identity.scheme import Scheme, graded, parse

FOLDER = Path(__file__).parents[2] / "schemes"
PRESETS = sorted(FOLDER.glob("*.toml"))
JUDGES = {verifier.protocol: verifier.judge for verifier in FOREIGN}

every = pytest.mark.parametrize("path", PRESETS, ids=lambda p: p.stem)


def read(path: Path) -> Scheme:
    return parse(path.stem, path.read_bytes())


def test_there_is_a_preset_for_each_scheme_that_was_asked_for() -> None:
    asked = {"eidas", "franceconnect", "spid", "cie", "itsme", "singpass", "generic-oidc"}
    assert asked <= {path.stem for path in PRESETS}


@every
def test_a_preset_does_nothing_until_it_is_enabled(path: Path) -> None:
    assert not read(path).enabled


@every
def test_a_preset_is_right_for_its_verifier_and_the_policy(path: Path) -> None:
    scheme = read(path)
    JUDGES[scheme.protocol](scheme)
    graded([scheme], read_policy(SHIPPED))


@every
def test_a_preset_says_where_its_levels_and_claims_come_from(path: Path) -> None:
    comment = path.read_text("utf-8").split("\nenabled")[0]
    assert "evels" in comment
    assert re.search("laims|ttributes|acr", comment)


@every
def test_a_preset_holds_no_secret(path: Path) -> None:
    assert "secret =" not in path.read_text("utf-8")


def test_levels_that_nobody_notified_are_not_graded_as_if_they_were() -> None:
    evidence = [row.evidence for row in read(FOLDER / "singpass.toml").levels]
    assert all(kind.startswith("foreign_") for kind in evidence)


def test_with_the_presets_alone_no_country_is_offered(app: Flask, client: FlaskClient) -> None:
    assert app.extensions["broker"].foreign == {}
