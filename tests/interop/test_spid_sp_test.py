"""AgID's `spid-sp-test`, in an environment of its own: none of its 111 responses is misjudged."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.interop.spid_door import create_app

pytestmark = pytest.mark.interop

HOME = Path(os.environ.get("SPID_SP_TEST", ".venv-spid")).absolute()


@contextmanager
def door() -> Iterator[str]:
    """The verifier as a service provider, at this origin."""
    (certificate,) = HOME.glob("lib/*/site-packages/spid_sp_test/idp/public.cert")
    server = make_server("localhost", 0, lambda *_: [], threaded=True)
    origin = f"http://localhost:{server.server_port}"
    server.app = create_app(origin, certificate.read_text(), "https://localhost:8443")
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def verdicts(report: Any) -> Iterator[dict[str, Any]]:
    """Every test in a part of the report, however deep it lies."""
    if isinstance(report, dict) and "result" in report:
        yield report
    elif isinstance(report, dict | list):
        for part in report.values() if isinstance(report, dict) else report:
            yield from verdicts(part)


@pytest.mark.skipif(not HOME.exists(), reason="make spid puts it there")
def test_none_of_its_responses_is_misjudged(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with door() as origin:
        subprocess.run(
            [
                *(HOME / "bin/spid_sp_test", "--metadata-url", f"{origin}/metadata"),
                *("--authn-url", f"{origin}/login", "--profile", "saml2-sp", "-tr"),
                *("-rf", "json", "-o", report, "--exit-zero"),
            ],
            env={"PATH": f"{HOME}/bin:/usr/bin:/bin"},
            cwd=tmp_path,
            capture_output=True,
            check=True,
            timeout=300,
        )
    found = list(verdicts(json.loads(report.read_text())["test"]["sp"]["response"]))
    assert len(found) == 111
    assert [test["test"] for test in found if test["result"] != "success"] == []
