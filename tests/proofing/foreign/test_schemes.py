"""Adding a scheme is one file; taking a verifier away is taking its folder, line and schemes."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from broker.app import create_app
from broker.identity.scheme import SchemeRejected
from broker.identity.scheme_folder import LOOK_EVERY
from broker.settings import Settings
from broker.web.tools import Tools
from tests import visits
from tests.conftest import ISSUER, StoppedClock
from tests.proofing.foreign.test_countries import listed, page
from tests.verifiers.upstream.peer import SCHEME

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "schemes"
    made.mkdir()
    return made


@pytest.fixture
def tools(tools: Tools, folder: Path) -> Tools:
    settings = Settings(issuer=ISSUER, database_url="sqlite://", schemes_dir=folder)
    return replace(tools, settings=settings, verifiers=(), schemes=None)


def test_a_new_file_and_a_word_are_a_new_country(
    app: Flask, folder: Path, clock: StoppedClock
) -> None:
    visit = visits.sign_in(visits.come(app))
    handle = visits.ask(visit)
    assert listed(page(visit, handle)) == []
    (folder / "trial.toml").write_text(SCHEME, "utf-8")
    told = app.test_cli_runner().invoke(args=["schemes", "reload"])
    assert told.exit_code == 0, told.output
    clock.now += LOOK_EVERY
    assert listed(page(visit, handle)) == ["France"]


def test_what_is_in_force_is_listed_for_the_operator(app: Flask) -> None:
    told = app.test_cli_runner().invoke(args=["schemes", "check"])
    assert "0 in force" in told.output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('protocol = "oidc"', 'protocol = "carrier"', "section of that name"),
        ("[oidc]", "[oidc]\ncolour = 1", "oidc.colour"),
        ('evidence = "fc_eidas1"', 'evidence = "mrz_photo"', "mrz_photo"),
        ('issuer = "https://op.test"', 'issuer = "ftp://op.test"', "oidc.issuer"),
        ("[oidc]", '[oidc]\ndecryption_key_files = ["gone.pem"]', "no gone.pem"),
    ],
)
def test_a_mistake_stops_the_start_and_names_its_place(
    tools: Tools, folder: Path, old: str, new: str, told: str
) -> None:
    (folder / "trial.toml").write_text(SCHEME.replace(old, new), "utf-8")
    with pytest.raises(SchemeRejected, match=r"trial\.toml") as caught:
        create_app(tools)
    assert told in str(caught.value)


def test_a_protocol_that_nobody_speaks_is_a_mistake(tools: Tools, folder: Path) -> None:
    text = SCHEME.replace('protocol = "oidc"', 'protocol = "carrier"').replace(
        "[oidc]", "[carrier]"
    )
    (folder / "trial.toml").write_text(text, "utf-8")
    with pytest.raises(SchemeRejected, match="nobody here speaks it"):
        create_app(tools)


@pytest.mark.parametrize(("kind", "name"), [("upstream", "Upstream"), ("eidas", "Eidas")])
def test_a_verifier_is_taken_away_with_its_folder_and_its_line(
    tmp_path: Path, kind: str, name: str
) -> None:
    house = tmp_path / "house"
    shutil.copytree(ROOT / "broker", house / "broker", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(house / "broker" / "verifiers" / kind)
    door = house / "broker" / "app.py"
    lines = rf"^from broker\.verifiers\.{kind} .*\n|^    {name}Verifier,\n"
    text, gone = re.subn(lines, "", door.read_text("utf-8"), flags=re.MULTILINE)
    assert gone == 2
    door.write_text(text, "utf-8")
    script = (
        "from tests.conftest import _KEYS\n"
        "from broker import clock, entropy\n"
        "from broker.app import create_app, FOREIGN\n"
        "from broker.identity.assurance import SHIPPED, read_policy\n"
        "from broker.settings import Settings\n"
        "from broker.web.tools import Tools\n"
        "import broker\n"
        f"assert broker.__file__.startswith({str(house)!r}), broker.__file__\n"
        "settings = Settings(issuer='https://broker.test', database_url='sqlite://')\n"
        "policy = read_policy(SHIPPED)\n"
        "tools = Tools(settings, clock.utcnow, entropy.system, lambda: _KEYS, policy)\n"
        "app = create_app(tools)\n"
        "kinds = {v.kind for v in app.extensions['broker'].verifiers}\n"
        f"assert {kind!r} not in kinds and 'mrz' in kinds, kinds\n"
        "print(app.test_client().get('/', base_url='https://broker.test').status_code)\n"
    )
    (house / "tests").mkdir()
    for file in ("__init__.py", "conftest.py", "browsing.py", "postgres.py"):
        shutil.copy(ROOT / "tests" / file, house / "tests")
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=house, capture_output=True, text=True, check=False
    )
    assert told.stdout == "200\n", told.stderr
