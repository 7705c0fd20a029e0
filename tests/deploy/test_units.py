"""The units and the containers: well formed, and as little as may be to what they start."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from broker.settings import PREFIX, Settings
from tests.deploy.running import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
COMPOSE = ROOT / "deploy" / "compose"
MOST_EXPOSED = 2.0
"""Of ten, by systemd's own count; a unit that says nothing has 9.6."""


def names(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("unit", UNITS, ids=names)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    # What the units start is not installed here: only that is replaced.
    text = re.sub(r"(?m)^(Exec\w+)=\S+", r"\1=/bin/true", unit.read_text("utf-8"))
    (tmp_path / unit.name).write_text(text, "utf-8")
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name],
        capture_output=True,
        text=True,
        check=False,
    )
    of_ours = [line for line in told.stderr.splitlines() if unit.name in line]
    assert [line for line in of_ours if "not found" not in line] == []


@pytest.mark.parametrize("unit", UNITS, ids=names)
def test_what_it_starts_is_hardly_exposed(unit: Path) -> None:
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for [\w.-]+: ([\d.]+)", told.stdout)
    assert found, told.stderr
    assert float(found[1]) <= MOST_EXPOSED


def test_the_server_may_see_and_choose_its_processor() -> None:
    said = (ROOT / "deploy" / "systemd" / "miftah.service").read_text("utf-8").splitlines()
    forbids, allows = (
        "SystemCallFilter=~@privileged @resources",
        "SystemCallFilter=sched_setaffinity",
    )
    assert said.index(forbids) < said.index(allows)
    assert "ProcSubset=all" in said


def composed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((COMPOSE / name).read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", ["single.yaml", "ha.yaml"])
def test_compose_names_only_what_there_is(name: str) -> None:
    made = composed(name)
    services, volumes = made["services"], set(made["volumes"])
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            is_made_later = source == "./tls"
            assert source in volumes or is_made_later or (COMPOSE / source).exists(), source
    assert set(made.get("secrets", {})) >= {
        secret for service in services.values() for secret in service.get("secrets", [])
    }


@pytest.mark.parametrize("name", ["single.yaml", "ha.yaml"])
def test_every_broker_in_a_container_is_bound(name: str) -> None:
    ours = [each for each in composed(name)["services"].values() if "build" in each]
    assert len(ours) >= 5
    for each in ours:
        assert (each["read_only"], each["cap_drop"], each["user"]) == (True, ["ALL"], "10001:10001")
        assert each["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["single.yaml", "ha.yaml"])
def test_the_settings_of_the_containers_are_known(name: str) -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    said = {
        variable
        for each in composed(name)["services"].values()
        for variable in each.get("environment", {})
        if variable.startswith(PREFIX)
    }
    assert {variable.split("__")[0] for variable in said} <= known


@pytest.mark.interop
@pytest.mark.parametrize("name", ["single.yaml", "ha.yaml"])
def test_the_real_compose_reads_it(name: str) -> None:
    told = subprocess.run(
        ["docker-compose", "-f", COMPOSE / name, "--env-file", COMPOSE / "env.example", "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize(
    ("told_in", "after"),
    [
        ("deploy/Containerfile", "COPY broker broker"),
        ("docs/deployment.md", "pip install --require-hashes"),
    ],
)
def test_what_may_not_write_bytecode_finds_it_made(told_in: str, after: str) -> None:
    steps = (ROOT / told_in).read_text("utf-8").split(after)[1:]
    assert steps
    assert all("-m compileall -q broker" in step for step in steps)
