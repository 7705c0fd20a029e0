"""The auditors' API under schemathesis, which reads openapi.yaml and believes nothing else.

A short run where it is installed (`make fuzz-api` runs it long, in an environment of its own).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from broker.db import db
from broker.desk import pace
from tests.desk.serving import build

ROOT = Path(__file__).parents[2]
PROGRAM = os.environ.get("SCHEMATHESIS") or shutil.which(
    "schemathesis", path=f"{Path(sys.executable).parent}:{ROOT}/.venv-fuzz/bin"
)
PHASES = os.environ.get("MIFTAH_FUZZ_PHASES", "examples,fuzzing,stateful")
EXAMPLES = os.environ.get("MIFTAH_FUZZ_EXAMPLES", "2")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="schemathesis is not installed: make fuzz-api"),
]


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(pace, "QUOTA", pace.QUOTA)  # so that it is put back
    app = build(tmp_path)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_the_api_does_what_it_says_whatever_is_asked(address: str, tmp_path: Path) -> None:
    command = [
        *(str(PROGRAM), "--config-file", str(ROOT / "tests/desk/schemathesis.toml"), "run"),
        *(str(ROOT / "openapi.yaml"), "--url", address, "--checks", "all", "--phases", PHASES),
        *("--max-examples", EXAMPLES, "--seed", "1", "-H", "Authorization: Bearer good"),
    ]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-6000:]
