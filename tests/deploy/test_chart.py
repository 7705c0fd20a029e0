"""The chart: what would run in a cluster is bound, watched, and knows no secret of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from broker.settings import read_settings
from tests.deploy.chart import CHART, rendered


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return rendered()


def of_kind(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in objects if each["kind"] == kind]


def pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for each in of_kind(objects, "Deployment")]


def containers(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for pod in pods(objects):
        yield from pod["initContainers"] + pod["containers"]


def test_everything_that_was_asked_for_is_there(objects: list[dict[str, Any]]) -> None:
    assert sorted(each["kind"] for each in objects) == [
        "ConfigMap",
        "Deployment",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
    ]


def test_nothing_runs_as_root_or_writes_to_its_image(objects: list[dict[str, Any]]) -> None:
    for pod in pods(objects):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
    for each in containers(objects):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_the_broker_is_asked_whether_it_lives_and_whether_it_is_ready(
    objects: list[dict[str, Any]],
) -> None:
    [broker] = [each for each in containers(objects) if each["name"] == "broker"]
    assert broker["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert broker["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert broker["resources"]["limits"]["memory"]


def test_the_tables_are_made_before_a_broker_starts(objects: list[dict[str, Any]]) -> None:
    [first] = [pod for pod in pods(objects) if pod["containers"][0]["name"] == "broker"]
    assert [each["name"] for each in first["initContainers"]] == ["password", "migrations"]


def test_the_selectors_find_their_pods(objects: list[dict[str, Any]]) -> None:
    templates = [each["spec"]["template"] for each in of_kind(objects, "Deployment")]
    labels = [template["metadata"]["labels"] for template in templates]
    selectors = [each["spec"]["selector"] for each in of_kind(objects, "Service")]
    selectors += [
        each["spec"]["selector"]["matchLabels"]
        for kind in ("Deployment", "PodDisruptionBudget")
        for each in of_kind(objects, kind)
    ]
    for selector in selectors:
        assert len([each for each in labels if selector.items() <= each.items()]) == 1


def test_its_settings_are_settings_of_the_broker(
    objects: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    [config] = of_kind(objects, "ConfigMap")
    said = {name: value for name, value in config["data"].items() if name.startswith("BROKER_")}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert read_settings(said).trusted_proxies == 1
    assert not [name for name in config["data"] if "PASSWORD" in name or "SECRET" in name]


def test_no_secret_is_made_by_the_chart(objects: list[dict[str, Any]]) -> None:
    assert of_kind(objects, "Secret") == []


def test_without_a_scaler_the_replicas_are_said() -> None:
    objects = rendered(autoscaling={"enabled": False})
    assert of_kind(objects, "HorizontalPodAutoscaler") == []
    [broker] = [
        each for each in of_kind(objects, "Deployment") if each["metadata"]["name"] == "broker"
    ]
    assert broker["spec"]["replicas"] == 2


@pytest.mark.interop
def test_the_real_program_renders_the_same(objects: list[dict[str, Any]]) -> None:
    helm = shutil.which("helm")
    assert helm, "no helm: make charts"
    subprocess.run([helm, "lint", "--strict", str(CHART)], check=True, capture_output=True)
    told = subprocess.run(
        [helm, "template", "broker", str(CHART)], check=True, capture_output=True, text=True
    )
    real = [each for each in yaml.safe_load_all(told.stdout) if each]
    assert sorted(map(canonical, real)) == sorted(map(canonical, objects))


@pytest.mark.interop
def test_every_object_fits_its_schema(objects: list[dict[str, Any]], tmp_path: Path) -> None:
    program = shutil.which("kubernetes-validate")
    assert program, "no kubernetes-validate: make charts"
    (tmp_path / "chart.yaml").write_text(yaml.safe_dump_all(objects), "utf-8")
    told = subprocess.run(
        [program, "--strict", "--kubernetes-version", "1.30", tmp_path / "chart.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)
