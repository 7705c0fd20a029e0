"""Every SAML case of the developers' folder is decided as its manifest says."""

from pathlib import Path

import pytest

from broker.verifiers.eidas.refusals import REFUSALS
from tests.verifiers.eidas.cases import Row, rows, tried

FOLDER = Path(__file__).parents[4] / "shared" / "eid"
ROWS = rows(FOLDER) if (FOLDER / "manifest.jsonl").exists() else []

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not ROWS, reason="the developers' folder is not beside the repository"),
]


@pytest.fixture(scope="module")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saml")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_each_case_is_decided_as_its_manifest_says(row: Row, key_files: Path) -> None:
    wanted = row["ctx"].get("expect_each", [row["expect"]])
    found = list(tried(FOLDER, row, key_files))
    assert ["accept" if code == "accept" else "refuse" for code, _ in found] == wanted
    assert {code for code, _ in found} <= {"accept", "evidence_replayed", *REFUSALS}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.get("must_not_yield")], ids=lambda row: row["id"]
)
def test_a_victims_name_is_never_yielded(row: Row, key_files: Path) -> None:
    said = {
        value
        for _, evidence in tried(FOLDER, row, key_files)
        if evidence is not None
        for value in (
            *(c.value for c in evidence.claims),
            evidence.origin and evidence.origin.holder,
        )
    }
    assert said & set(row["must_not_yield"]) == set()
