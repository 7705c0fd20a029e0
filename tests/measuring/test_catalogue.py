"""Every measure is in the documents, and what the dashboard and the alerts ask for exists."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from broker.app import features
from broker.measuring.catalogue import BY_NAME, GRANTS, MEASURES
from broker.measuring.measure import Kind
from broker.oidc.token import GRANTS as ANSWERED
from broker.settings import Settings

ROOT = Path(__file__).parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/miftah.json").read_text("utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text("utf-8"))
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PARTS = ("_bucket", "_sum", "_count")


def panels() -> Iterator[dict[str, Any]]:
    return (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return shown + [rule["expr"] for rule in RULES]


def whole(name: str) -> str:
    """The measure's name, of a part of a histogram too."""
    for part in PARTS:
        base = name.removesuffix(part)
        if base != name and base in BY_NAME and BY_NAME[base].kind is Kind.HISTOGRAM:
            return base
    return name


def named(text: str) -> set[str]:
    return {whole(name) for name in re.findall(r"\bbroker_[a-z_]+", text)}


@pytest.mark.parametrize("expression", expressions())
def test_every_measure_that_is_asked_for_exists_with_its_labels(expression: str) -> None:
    names = named(expression)
    assert names
    assert names <= BY_NAME.keys()
    labels = {label for name in names for label in BY_NAME[name].label_names} | {"le"}
    grouped = " ".join(re.findall(r"by \(([^)]*)\)", expression))
    asked = re.findall(r"([a-z_]+)=~?\"", expression) + re.findall(r"[a-z_]+", grouped)
    assert set(asked) <= labels


@pytest.mark.parametrize("expression", expressions())
def test_a_histogram_is_asked_by_its_parts_and_a_counter_by_its_rate(expression: str) -> None:
    for name in re.findall(r"\bbroker_[a-z_]+", expression):
        kind = BY_NAME[whole(name)].kind
        assert (kind is Kind.HISTOGRAM) == (name != whole(name)), name
        if kind in {Kind.COUNTER, Kind.HISTOGRAM}:
            assert re.search(rf"(rate|increase)\({name}\b", expression), name


def test_every_measure_is_on_the_dashboard() -> None:
    shown = named(" ".join(target["expr"] for panel in panels() for target in panel["targets"]))
    assert shown == BY_NAME.keys()


def test_every_panel_has_a_name_and_a_place_of_its_own() -> None:
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({p["id"] for p in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in DASHBOARD["panels"])


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "advice"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.parametrize(
    "name",
    [
        "broker_record_lag_seconds",
        "broker_record_checkpoint_age_seconds",
        "broker_upstream_up",
        "broker_key_age_seconds",
        "broker_http_request_seconds",
        "broker_token_issue_seconds",
        "broker_readers_killed_total",
        "broker_database_up",
    ],
)
def test_an_alert_watches(name: str) -> None:
    assert name in named(" ".join(rule["expr"] for rule in RULES))


def test_every_command_that_an_alert_advises_exists() -> None:
    text = " ".join(rule["annotations"]["advice"] for rule in RULES)
    known = {
        f"{feature.commands.name} {command}"
        for feature in features(Settings())
        if feature.commands is not None
        for command in feature.commands.commands
    } | {"work"}
    advised = set(re.findall(r"`flask --app broker ([a-z ]+)`", text))
    assert advised
    assert advised <= known


def test_the_document_tells_every_measure_and_its_labels() -> None:
    text = (ROOT / "docs/observability.md").read_text("utf-8")
    rows = re.findall(r"^\| `(broker_\w+)` \| ([^|]+) \| ([^|]+) \|", text, re.MULTILINE)
    told = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert told == {m.name: (written(m.kind), m.label_names) for m in MEASURES}


def written(kind: Kind) -> str:
    """As Prometheus calls it."""
    return kind.value if kind in {Kind.COUNTER, Kind.HISTOGRAM} else "gauge"


def test_every_label_has_a_closed_set() -> None:
    open_ = [label for m in MEASURES for label in m.labels if not label.values and not label.house]
    assert open_ == []


def test_the_grant_types_are_those_that_are_answered() -> None:
    assert set(ANSWERED) == GRANTS


def test_bounds_rise() -> None:
    for measure in MEASURES:
        assert list(measure.buckets) == sorted(set(measure.buckets))
        assert bool(measure.buckets) == (measure.kind is Kind.HISTOGRAM)


def test_what_is_off_is_not_imported() -> None:
    """Cold start: the libraries would take a tenth of it."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, broker.app; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    loaded = {name.partition(".")[0] for name in told.stdout.split()}
    assert not loaded & {"prometheus_client", "opentelemetry"}
