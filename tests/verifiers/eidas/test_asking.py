"""What we ask of a node and publish of ourselves, as somebody else reads it."""

import base64
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier

from broker.errors import EvidenceRejected
from broker.identity.scheme import SchemeRejected
from broker.identity.verifier import Page, Redirect
from broker.verifiers.eidas import EidasVerifier
from tests.conftest import NOON
from tests.verifiers.eidas.conftest import Door, MakeDoor
from tests.verifiers.eidas.node import DS, SAML, SAMLP, Node
from tests.verifiers.eidas.schemes import (
    LOA,
    NATURAL,
    PLAIN_CLAIMS,
    around,
    ec_key,
    rsa_key,
    scheme,
    self_signed,
    written,
)

EIDAS = "http://eidas.europa.eu/saml-extensions"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
BEFORE_IT_ENDED = SignatureConfiguration(
    location="./", verification_time=self_signed(ec_key("ours")).not_valid_before_utc
)


def verified(document: bytes, certificate: Any) -> Any:
    """The document as its signature says, checked by the library alone."""
    root = etree.fromstring(document)
    found = XMLVerifier().verify(root, x509_cert=certificate, expect_config=BEFORE_IT_ENDED)
    return found.signed_xml  # type: ignore[union-attr]  # one reference, one result


def posted(door: Door) -> Any:
    """The AuthnRequest that the form carries."""
    _, opening = door.ask()
    assert isinstance(opening.show, Page)
    document = base64.b64decode(str(opening.show.context["saml_request"]))
    return verified(document, self_signed(ec_key("ours")))


def test_the_request_is_signed_and_says_what_eidas_wants(door: Door) -> None:
    attempt, opening = door.ask()
    request = posted(door)
    assert request.tag == f"{{{SAMLP}}}AuthnRequest"
    assert (request.get("ForceAuthn"), request.get("IsPassive")) == ("true", "false")
    assert request.get("Destination") == "https://node.xa.test/sso"
    assert request.get("AssertionConsumerServiceURL") is None
    assert request.findtext(f"{{{SAML}}}Issuer") == "https://broker.test/foreign/eidas/xa.xml"
    assert next(request.iter(f"{{{EIDAS}}}SPType")).text == "public"
    assert attempt.remembered["request"].startswith("_")
    assert isinstance(opening.show, Page)
    assert opening.show.form_target == "https://node.xa.test"


def test_the_attributes_that_are_asked_for_say_whether_they_must_be(door: Door) -> None:
    wanted = {
        a.get("Name").rsplit("/", 1)[-1]: a.get("isRequired")
        for a in posted(door).iter(f"{{{EIDAS}}}RequestedAttribute")
    }
    assert [name for name, must in wanted.items() if must == "true"] == [
        "PersonIdentifier",
        "CurrentFamilyName",
        "CurrentGivenName",
        "DateOfBirth",
    ]
    assert wanted["Gender"] == "false"


@pytest.mark.parametrize(
    ("least", "asked"), [("", "low"), ("substantial", "substantial"), ("high", "high")]
)
def test_the_least_that_will_do_is_asked_for_as_a_minimum(
    door: Door, least: str, asked: str
) -> None:
    door.least = least
    context = next(posted(door).iter(f"{{{SAMLP}}}RequestedAuthnContext"))
    assert context.get("Comparison") == "minimum"
    assert [level.text for level in context] == [f"{LOA}{asked}"]


def test_exact_levels_are_named_one_by_one(make_door: MakeDoor) -> None:
    context = next(posted(make_door(comparison="exact")).iter(f"{{{SAMLP}}}RequestedAuthnContext"))
    assert [level.text for level in context] == [f"{LOA}substantial", f"{LOA}high"]


def test_every_attempt_puts_a_question_of_its_own(door: Door) -> None:
    assert door.ask()[0].remembered["request"] != door.ask()[0].remembered["request"]


def redirected(door: Door) -> tuple[str, Any]:
    _, opening = door.ask()
    assert isinstance(opening.show, Redirect)
    query = urlsplit(opening.show.url).query
    packed = base64.b64decode(parse_qs(query)["SAMLRequest"][0])
    return query, etree.fromstring(zlib.decompress(packed, -15))


@pytest.mark.parametrize("kind", ["curve", "rsa"])
def test_in_the_address_the_signature_stands_beside_the_request(
    make_door: MakeDoor, tmp_path: Path, kind: str
) -> None:
    key = ec_key("ours") if kind == "curve" else rsa_key("ours-signing")
    door = make_door(binding="redirect", signing_key=f"{kind}.pem")
    written(door.verifier.around.key_files / f"{kind}.pem", key)
    query, request = redirected(door)
    message, _, _ = query.rpartition("&Signature=")
    signature = base64.b64decode(parse_qs(query)["Signature"][0])
    if kind == "curve":
        ec_key("ours").public_key().verify(signature, message.encode(), ec.ECDSA(hashes.SHA256()))
    else:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        public = rsa_key("ours-signing").public_key()
        public.verify(signature, message.encode(), pss, hashes.SHA256())
    assert request.find(f"{{{DS}}}Signature") is None
    assert parse_qs(query)["RelayState"] == ["h" * 43]


def test_a_plain_provider_hears_where_to_answer(make_door: MakeDoor) -> None:
    door = make_door(binding="redirect")
    plain = scheme(
        "xa",
        claims=PLAIN_CLAIMS,
        identifier="fiscalNumber",
        saml=Node().section | {"profile": "plain", "binding": "redirect", "attribute_index": 0},
    )
    door.verifier = EidasVerifier(around(door.verifier.around.key_files, plain))
    _, request = redirected(door)
    assert request.get("AssertionConsumerServiceURL") == "https://broker.test/foreign/eidas/xa"
    assert request.get("AttributeConsumingServiceIndex") == "0"
    assert request.find(f"{{{SAMLP}}}Extensions") is None


# Our metadata


def metadata(door: Door, name: str = "xa.xml") -> Any:
    document = door.verifier.publish(name, NOON)
    assert document is not None
    assert document.media_type == "application/samlmetadata+xml"
    return verified(document.body, self_signed(ec_key("ours")))


def test_our_metadata_are_signed_and_soon_out_of_date(door: Door) -> None:
    root = metadata(door)
    assert root.get("entityID") == "https://broker.test/foreign/eidas/xa.xml"
    assert root.get("validUntil") == "2026-11-25T12:00:00Z"
    service = next(root.iter(f"{{{MD}}}AssertionConsumerService"))
    assert service.get("Location") == "https://broker.test/foreign/eidas/xa"
    assert service.get("Binding").endswith(":HTTP-POST")
    assert next(root.iter(f"{{{MD}}}SPSSODescriptor")).get("AuthnRequestsSigned") == "true"


def test_sptype_stands_in_the_request_and_nowhere_else(door: Door) -> None:
    assert list(metadata(door).iter(f"{{{EIDAS}}}SPType")) == []


def certificates(root: Any, use: str) -> int:
    keys = [k for k in root.iter(f"{{{MD}}}KeyDescriptor") if k.get("use") == use]
    return sum(len(list(key.iter(f"{{{DS}}}X509Certificate"))) for key in keys)


def test_the_key_that_takes_over_is_published_beforehand(make_door: MakeDoor) -> None:
    door = make_door(next_signing="next.pem")
    written(door.verifier.around.key_files / "next.pem", ec_key("ours-next"))
    root = metadata(door)
    assert (certificates(root, "signing"), certificates(root, "encryption")) == (2, 1)


def test_our_metadata_say_whom_to_write_to(make_door: MakeDoor) -> None:
    root = metadata(make_door(organization="Agency", contact="eid@agency.test"))
    assert next(root.iter(f"{{{MD}}}OrganizationName")).text == "Agency"
    assert next(root.iter(f"{{{MD}}}EmailAddress")).text == "mailto:eid@agency.test"
    assert next(metadata(make_door()).iter(f"{{{MD}}}Organization"), None) is None


def test_there_are_no_metadata_for_what_is_no_scheme(door: Door) -> None:
    assert door.verifier.publish("xb.xml", NOON) is None
    assert door.verifier.publish("xa", NOON) is None


# Where a node cannot be asked


@pytest.mark.parametrize(
    "section",
    [
        {"sso": None, "certificates": (), "metadata": "missing.xml"},
        {"signing_key": "missing.pem"},
        {"certificates": ("no certificate",)},
    ],
    ids=lambda section: next(reversed(section)),
)
def test_a_node_that_cannot_be_asked_is_a_refusal_with_a_way_round(
    make_door: MakeDoor, section: dict[str, Any]
) -> None:
    with pytest.raises(EvidenceRejected, match="eidas_node_unknown"):
        make_door(**section).ask()


def test_a_scheme_that_is_not_there_is_not_asked(door: Door) -> None:
    door.verifier = EidasVerifier(around(door.verifier.around.key_files))
    with pytest.raises(EvidenceRejected, match="eidas_scheme_gone"):
        door.ask()
    assert door.verifier.publish("xa.xml", NOON) is None


def test_a_key_file_with_anothers_certificate_is_not_used(make_door: MakeDoor) -> None:
    door = make_door(signing_key="mixed.pem")
    path = door.verifier.around.key_files / "mixed.pem"
    written(path, ec_key("ours"), self_signed(rsa_key("node")))
    with pytest.raises(EvidenceRejected, match="eidas_node_unknown"):
        door.ask()
    assert door.verifier.publish("xa.xml", NOON) is None


# The scheme's file


@pytest.mark.parametrize(
    "section",
    [
        {"sso": None},
        {"certificates": ()},
        {"metadata": "xa.xml"},
        {"metadata": "../xa.xml", "sso": None},
        {"metadata": "xa.xml", "sso": None, "metadata_url": "https://node.xa.test/metadata"},
        {"signed": "nothing"},
        {"skew": 3600},
        {"stranger": 1},
    ],
)
def test_a_section_that_cannot_work_is_refused_at_start(section: dict[str, Any]) -> None:
    with pytest.raises(SchemeRejected, match=r"^xa\.toml: saml\."):
        EidasVerifier.judge(scheme(saml=Node().section | section))


def test_a_node_of_eidas_has_attributes_of_eidas() -> None:
    with pytest.raises(SchemeRejected, match="no attributes of eIDAS"):
        EidasVerifier.judge(scheme(claims=PLAIN_CLAIMS, saml=Node().section))
    EidasVerifier.judge(scheme(saml=Node().section))
    assert NATURAL in scheme(saml={}).identifier
