"""The verifier as a service provider by itself, for a judge that speaks HTTP: `spid-sp-test`.

    python -m tests.interop.spid_door CERTIFICATE_OF_ITS_PROVIDER [PORT]

/metadata is ours, /login sends away, /acs answers 200 where `close` takes the answer and 403 where
it does not; the reason is in the body.
"""

import sys
from pathlib import Path

from flask import Flask, Response, request

from broker import entropy
from broker.clock import utcnow
from broker.errors import EvidenceRejected
from broker.identity.verifier import Attempt, Page, Reply
from broker.verifiers.eidas import EidasVerifier
from tests.verifiers.eidas.conftest import abroad
from tests.verifiers.eidas.schemes import PLAIN_CLAIMS, around, rsa_key, scheme, written

LEVELS = [
    {"says": f"https://www.spid.gov.it/SpidL{n}", "means": means, "evidence": f"eidas_{means}"}
    for n, means in ((1, "low"), (2, "substantial"), (3, "high"))
]


def create_app(origin: str, certificate: str, provider: str) -> Flask:
    """The service provider at this origin, for the provider of this name."""
    app = Flask(__name__)
    keys = abroad().verifier.around.key_files
    written(keys / "saml-signing.pem", rsa_key("ours-signing"))
    spid = scheme(
        "spid",
        country="IT",
        framework="spid",
        identifier="fiscalNumber",
        claims=PLAIN_CLAIMS,
        levels=LEVELS,
        saml={
            "profile": "plain",
            "entity_id": provider,
            "sso": f"{provider}/samlsso",
            "certificates": [certificate],
            "signed": "both",
            "encrypted": False,
            "strict_names": True,
            "attribute_index": 0,
            "skew": 1,
            "our_entity_id": f"{origin}/metadata",
            "our_acs": f"{origin}/acs",
        },
    )
    verifier = EidasVerifier(around(keys, spid, random=entropy.system))
    opened: dict[str, dict[str, str]] = {}

    @app.get("/metadata")
    def metadata() -> Response:
        document = verifier.publish("spid.xml", utcnow())
        assert document is not None
        return Response(document.body, mimetype=document.media_type)

    @app.get("/login")
    def login() -> str:
        attempt = Attempt(entropy.token(entropy.system), utcnow(), "en", {}, "spid", "IT", "")
        opening = verifier.open(attempt)
        assert isinstance(opening.show, Page)
        opened[attempt.handle] = dict(opening.remember)
        return (
            f'<form method="post" action="{opening.show.context["sso"]}">'
            f'<input type="hidden" name="SAMLRequest" '
            f'value="{opening.show.context["saml_request"]}"/>'
            f'<input type="hidden" name="RelayState" value="{attempt.handle}"/></form>'
        )

    @app.post("/acs")
    def acs() -> tuple[str, int]:
        handle = request.form["RelayState"]
        attempt = Attempt(handle, utcnow(), "en", opened.get(handle, {}))
        try:
            evidence = verifier.close(attempt, Reply(request.form.to_dict()))
        except EvidenceRejected as refusal:
            return f"{refusal.code} {refusal.hint}", 403
        return evidence.kind, 200

    return app


if __name__ == "__main__":
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8095
    text = Path(sys.argv[1]).read_text()
    create_app(f"http://localhost:{port}", text, "https://localhost:8443").run("localhost", port)
