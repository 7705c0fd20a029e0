"""The eIDAS-shaped node as a server: `python -m tests.verifiers.eidas.serving <our metadata>`.

It shows the people that it knows and the levels at which it may vouch for them, and answers what
was asked, encrypted to the key in the metadata it was given.
"""

import base64
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from cryptography import x509
from flask import Flask, request
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from broker.clock import utcnow
from tests.verifiers.eidas.node import DS, ENTITY, SAMLP, Answer, Attributes, Node, company, person
from tests.verifiers.eidas.schemes import LOA, NATURAL

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
ACTING = f"{NATURAL}/representative"
HOME = {"PersonIdentifier": "FR/MA/02635542Y"}
PEOPLE: dict[str, Attributes] = {
    "sarah": (*person(**HOME), (f"{NATURAL}/CurrentFamilyName", "Ωνάσης", False)),
    "sarah-for-atlas": (
        *company(LegalPersonIdentifier="FR/MA/125457487"),
        *person(ACTING, **HOME),
    ),
    "atlas": company(LegalPersonIdentifier="FR/MA/125457487"),
}
LEVELS = ("low", "substantial", "high")


@dataclass(frozen=True)
class Known:
    """A service that the node knows by its metadata."""

    entity_id: str
    acs: str
    signs: x509.Certificate
    opens: x509.Certificate


def known(document: bytes) -> Known:
    """The service whose metadata these are; their signature is looked at."""
    root = etree.fromstring(document)
    keys = {
        key.get("use"): x509.load_der_x509_certificate(
            base64.b64decode(next(key.iter(f"{{{DS}}}X509Certificate")).text)
        )
        for key in root.iter(f"{{{MD}}}KeyDescriptor")
    }
    acs = next(root.iter(f"{{{MD}}}AssertionConsumerService")).get("Location")
    _verify(root, keys["signing"])
    return Known(root.get("entityID"), acs, keys["signing"], keys["encryption"])


def create_app(service: Callable[[], Known], node: Node | None = None) -> Flask:
    """The server; `service` is asked for when somebody comes."""
    app = Flask(__name__)

    @app.post("/sso")
    def sso() -> str:
        """The people and levels to choose from, for a request that its sender signed."""
        document = base64.b64decode(request.form["SAMLRequest"])
        root = _verify(etree.fromstring(document), service().signs)
        assert root.tag == f"{{{SAMLP}}}AuthnRequest"
        hidden = _hidden(request=root.get("ID"), relay=request.form["RelayState"])
        choices = "".join(
            f'<button id="{who}-{level}" name="as" value="{who} {level}">{who} {level}</button>'
            for who in PEOPLE
            for level in LEVELS
        )
        no = '<button id="no" name="as" value="no">no</button>'
        return f'<h1>Node</h1><form method="post" action="/answer">{hidden}{choices}{no}</form>'

    @app.post("/answer")
    def answer() -> str:
        """A form with the answer, to be sent on."""
        us, chosen = service(), request.form["as"].split()
        made = _answer(us, request.form["request"], chosen)
        response = (node or Node(to=us.opens)).field(made)
        fields = _hidden(SAMLResponse=response, RelayState=request.form["relay"])
        return (
            f'<form method="post" action="{escape(us.acs)}">{fields}'
            '<button id="back">back</button></form>'
        )

    return app


def _answer(us: Known, asked: str, chosen: list[str]) -> Answer:
    now: datetime = utcnow()
    sound = Answer(us.entity_id, us.acs, asked, now, algorithm=SignatureMethod.SHA256_RSA_MGF1)
    fields = {name: getattr(sound, name) for name in sound.__dataclass_fields__}
    if chosen == ["no"]:
        status = "urn:oasis:names:tc:SAML:2.0:status:"
        fields |= {"status": (f"{status}Responder", f"{status}AuthnFailed")}
    else:
        fields |= {"attributes": PEOPLE[chosen[0]], "level": f"{LOA}{chosen[1]}"}
    return Answer(**fields)


def _verify(root: etree._Element, certificate: x509.Certificate) -> etree._Element:
    expected = SignatureConfiguration(
        location="./", verification_time=certificate.not_valid_before_utc
    )
    found = XMLVerifier().verify(root, x509_cert=certificate, expect_config=expected)
    assert not isinstance(found, list)
    return found.signed_xml


def _hidden(**fields: str) -> str:
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in fields.items()
    )


def section(address: str, node: Node | None = None) -> str:
    """The `[saml]` part of a scheme's file for this node."""
    certificate = (node or Node()).section["certificates"][0]
    return (
        f'profile = "eidas"\nentity_id = "{ENTITY}"\nsso = "{address}/sso"\n'
        f'certificates = ["""\n{certificate}"""]\n'
    )


if __name__ == "__main__":
    us = known(Path(sys.argv[1]).read_bytes())
    print(section("http://127.0.0.1:8090"))
    create_app(lambda: us).run("127.0.0.1", 8090)
