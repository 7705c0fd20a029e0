"""The start: what must not be loaded before somebody needs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from broker import keyring
from tests.conftest import NOON

LATE = {
    "alembic": "making tables",
    "authlib": "the demonstration",
    "cv2": "reading a picture, in a process of its own",
    "lxml": "an answer or a question in SAML",
    "numpy": "reading a picture",
    "onnxruntime": "reading a picture",
    "opentelemetry": "traces, where they are wanted",
    "passporteye": "the second opinion on a picture",
    "PIL": "a picture",
    "pillow_heif": "a picture from a telephone",
    "prometheus_client": "metrics, where they are wanted",
    "psycopg": "PostgreSQL, where it is the database",
    "pyarrow": "an export in Parquet",
    "pydantic_settings": "nothing: settings are read by ourselves (decision 0086)",
    "pypdfium2": "a scanned document",
    "redis": "limits that workers share, where they are wanted",
    "requests": "the demonstration",
    "segno": "a square code on a page",
    "signxml": "an answer or a question in SAML",
    "webauthn": "a ceremony",
}
"""Library → what it is loaded for; each would make every start longer by 10 to 300 ms."""

_LOADED = """
import json, sys
import broker
broker.create_app()
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("start")
    keyring.init(folder / "keys", NOON)
    told = subprocess.run(
        [sys.executable, "-c", _LOADED],
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("BROKER_")},
            "PYTHONPATH": str(Path(__file__).parent.parent),
            "BROKER_KEYS_DIR": str(folder / "keys"),
            "BROKER_DATABASE_URL": f"sqlite:///{folder}/broker.sqlite3",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(told.stdout))


def test_a_start_loads_the_application(loaded: set[str]) -> None:
    assert {"broker.app", "broker.oidc.routes", "flask", "sqlalchemy"} <= loaded


@pytest.mark.parametrize("library", LATE)
def test_a_start_does_not_load(library: str, loaded: set[str]) -> None:
    assert library not in loaded, f"wanted only for {LATE[library]}"
