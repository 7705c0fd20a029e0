"""Helper of bench/saml.py for the Python of an environment that has pysaml2: prints a rate.

    python bench/saml_pysaml2.py FOLDER SECONDS

FOLDER holds idp.xml (metadata), response.b64, key.pem, certificate.pem and said.json.
"""

import json
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from saml2 import BINDING_HTTP_POST  # noqa: E402
from saml2.client import Saml2Client  # noqa: E402
from saml2.config import SPConfig  # noqa: E402


def main(folder: Path, seconds: float) -> None:
    said = json.loads((folder / "said.json").read_text())
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    config = SPConfig().load(
        {
            "entityid": said["entity_id"],
            "service": {
                "sp": {
                    "endpoints": {"assertion_consumer_service": [(said["acs"], BINDING_HTTP_POST)]},
                    "want_response_signed": True,
                    "want_assertions_signed": False,
                    "allow_unknown_attributes": True,
                }
            },
            "metadata": {"local": [str(folder / "idp.xml")]},
            "key_file": key,
            "cert_file": certificate,
            "encryption_keypairs": [{"key_file": key, "cert_file": certificate}],
            "xmlsec_binary": "/usr/bin/xmlsec1",
            "accepted_time_diff": 3600,
        }
    )
    client = Saml2Client(config=config)
    response = (folder / "response.b64").read_text()
    began, done = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        parsed = client.parse_authn_request_response(
            response, BINDING_HTTP_POST, outstanding={said["request"]: "/"}
        )
        assert parsed.ava, "nothing was read"
        done += 1
    print(done / (time.monotonic() - began))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
