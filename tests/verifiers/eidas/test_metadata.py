"""What is believed of a node's metadata: who signed them, until when, and what they say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from broker.errors import EvidenceRejected, UpstreamUnavailable
from broker.identity.verifier import Reply
from broker.outbound import Outbound
from broker.verifiers.eidas import EidasVerifier
from broker.verifiers.eidas.node import NodeUnknown, read
from broker.verifiers.eidas.section import Section
from tests.conftest import NOON
from tests.verifiers.eidas.conftest import Door, MakeDoor
from tests.verifiers.eidas.node import ENTITY, Node, moment
from tests.verifiers.eidas.schemes import around, ec_key, pem, rsa_key, scheme, self_signed

MD = "urn:oasis:names:tc:SAML:2.0:metadata"
SIGNER = rsa_key("metadata")
TOMORROW = NOON + timedelta(days=1)


def entry(
    entity_id: str = ENTITY,
    until: datetime | None = TOMORROW,
    keys: tuple[x509.Certificate, ...] = (self_signed(rsa_key("node"), "node"),),
    binding: str = "HTTP-POST",
    extensions: str = "",
    protocol: str = "urn:oasis:names:tc:SAML:2.0:protocol",
) -> str:
    valid = f' validUntil="{moment(until)}"' if until else ""
    import base64

    certificates = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
        f"{base64.b64encode(key.public_bytes(Encoding.DER)).decode()}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for key in keys
    )
    return (
        f'<md:EntityDescriptor xmlns:md="{MD}" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
        f'ID="_m{abs(hash(entity_id))}" entityID="{entity_id}"{valid}><md:IDPSSODescriptor '
        f'protocolSupportEnumeration="{protocol}"><md:Extensions>{extensions}</md:Extensions>'
        f"{certificates}<md:SingleSignOnService "
        f'Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" '
        'Location="https://node.xa.test/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )


def listed(*entries: str, until: datetime | None = TOMORROW) -> str:
    valid = f' validUntil="{moment(until)}"' if until else ""
    head = f'<md:EntitiesDescriptor xmlns:md="{MD}" ID="_l"{valid}>'
    return f"{head}{''.join(entries)}</md:EntitiesDescriptor>"


def signed(text: str, key: Any = SIGNER) -> bytes:
    from lxml import etree
    from signxml.algorithms import SignatureMethod

    root = Node(key).signed(etree.fromstring(text), SignatureMethod.RSA_SHA256)
    return bytes(etree.tostring(root))


def section(**said: Any) -> Section:
    told = {
        "entity_id": ENTITY,
        "metadata": "xa.xml",
        "metadata_url": "https://node.xa.test/metadata",
        "metadata_signers": (pem(self_signed(SIGNER, "metadata")),),
    }
    return Section.model_validate(told | said)


def test_signed_metadata_say_where_to_go_and_whose_keys_to_trust() -> None:
    node = read(signed(entry()), section())
    assert (node.sso, node.valid_until) == ("https://node.xa.test/sso", TOMORROW)
    assert node.certificates == (self_signed(rsa_key("node"), "node"),)


def test_every_key_of_a_rollover_is_kept() -> None:
    keys = self_signed(rsa_key("node")), self_signed(ec_key("node-next"))
    assert read(signed(entry(keys=keys)), section()).certificates == keys


def test_a_node_is_found_in_the_list_of_a_network() -> None:
    document = signed(listed(entry("https://node.xb.test"), entry()))
    assert read(document, section()).entity_id == ENTITY


def test_the_earliest_end_counts() -> None:
    soon = NOON + timedelta(hours=1)
    assert read(signed(listed(entry(), until=soon)), section()).valid_until == soon


def test_either_signer_is_believed_while_they_change() -> None:
    signers = tuple(pem(self_signed(key, "metadata")) for key in (rsa_key("older"), SIGNER))
    assert read(signed(entry()), section(metadata_signers=signers))


UNBELIEVED: dict[str, tuple[Callable[[], bytes], str]] = {
    "unsigned": (entry().encode, "eidas_unsigned"),
    "stranger": (lambda: signed(entry(), rsa_key("stranger")), "eidas_signature_wrong"),
    "changed": (
        lambda: signed(entry()).replace(b"https://node.xa.test/sso", b"https://evil.test/sso"),
        "eidas_signature_wrong",
    ),
    "wrapped": (
        lambda: listed(entry(), signed(entry("https://node.xb.test")).decode()).encode(),
        "eidas_unsigned",
    ),
    "for-ever": (lambda: signed(entry(until=None)), "without validUntil"),
    "another": (lambda: signed(entry("https://node.xb.test")), "0 entries"),
    "twice": (
        lambda: signed(listed(entry(), entry().replace('ID="_m', 'ID="_n'))),
        "2 entries",
    ),
    "no-key": (lambda: signed(entry(keys=())), "no signing key"),
    "another-binding": (lambda: signed(entry(binding="SOAP")), "no address"),
    "another-protocol": (lambda: signed(entry(protocol="urn:other")), "does not speak"),
    "our-country": (
        lambda: signed(
            entry(
                extensions='<e:NodeCountry xmlns:e="http://eidas.europa.eu/saml-extensions">'
                "MA</e:NodeCountry>"
            )
        ),
        "our own country",
    ),
    "doctype": (lambda: b"<!DOCTYPE a>" + signed(entry()), "eidas_forbidden_xml"),
    "no-xml": (lambda: b"gone", "eidas_malformed"),
}


@pytest.mark.parametrize("name", UNBELIEVED)
def test_metadata_that_are_not_believed(name: str) -> None:
    document, why = UNBELIEVED[name]
    with pytest.raises(NodeUnknown, match=why):
        read(document(), section())


def test_a_file_that_an_operator_put_there_needs_no_signature() -> None:
    told = section(metadata_url=None, metadata_signers=())
    assert read(entry(until=None).encode(), told).valid_until is None


# In use


@pytest.fixture
def known(make_door: MakeDoor, tmp_path: Path) -> Door:
    """A door to a node whose metadata lie in a file."""
    said = section().model_dump(include={"metadata", "metadata_url", "metadata_signers"})
    (tmp_path / "xa.xml").write_bytes(signed(entry()))
    return make_door(sso=None, certificates=(), **said)


def test_a_node_known_by_its_metadata_is_asked_and_believed(known: Door) -> None:
    assert known.take().kind == "eidas_substantial"


def test_metadata_that_are_out_of_date_are_used_neither_to_ask_nor_to_believe(known: Door) -> None:
    attempt, _ = known.ask()
    known.now = TOMORROW
    with pytest.raises(EvidenceRejected, match="eidas_node_unknown"):
        known.ask()
    late = attempt.__class__(attempt.handle, TOMORROW, "en", attempt.remembered)
    with pytest.raises(EvidenceRejected, match="eidas_node_unknown"):
        known.verifier.close(late, Reply({"SAMLResponse": "eA=="}))


def test_a_new_file_is_read_at_once(known: Door, tmp_path: Path) -> None:
    assert known.take()
    other = self_signed(rsa_key("node-next"), "node")
    (tmp_path / "xa.xml").write_bytes(signed(entry(keys=(other,))))
    assert known.code() == "eidas_signature_wrong"
    known.node = Node(rsa_key("node-next"), known.node.to)
    assert known.take()


@dataclass(frozen=True, slots=True)
class Publisher(Outbound):
    """A network with one document on it."""

    document: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, *, limit: int = 0, accept: str = "") -> bytes:
        assert limit
        self.asked.append(f"{url} {accept}")
        if self.document is None:
            raise UpstreamUnavailable("upstream_unavailable", "TimeoutError")
        return self.document


def fetching(document: bytes | None, keys: Path, files: Path) -> tuple[list[tuple[str, str]], Path]:
    said = section().model_dump()
    peer = Publisher(document=document)
    door = EidasVerifier(around(keys, scheme(saml=said), files=files, outbound=peer))
    found = list(door.fetch(NOON))
    assert peer.asked == ["https://node.xa.test/metadata application/samlmetadata+xml"]
    return found, files / "xa.xml"


def test_metadata_are_fetched_ahead_of_time_and_kept(keys: Path, tmp_path: Path) -> None:
    found, path = fetching(signed(entry()), keys, tmp_path / "new")
    assert found == [("xa", "good until 2026-11-24 12:00:00+00:00")]
    assert b"EntityDescriptor" in path.read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ["xa.xml"]


@pytest.mark.parametrize(
    "document",
    [None, entry().encode(), signed(entry(until=NOON))],
    ids=["silence", "unsigned", "out-of-date"],
)
def test_what_cannot_be_got_or_believed_changes_nothing(
    keys: Path, tmp_path: Path, document: bytes | None
) -> None:
    (tmp_path / "xa.xml").write_bytes(b"as it was")
    found, path = fetching(document, keys, tmp_path)
    assert found[0][1].startswith("kept as it was: ")
    assert path.read_bytes() == b"as it was"


def test_a_node_without_an_address_is_not_fetched(keys: Path, tmp_path: Path) -> None:
    said = section(metadata_url=None).model_dump()
    door = EidasVerifier(around(keys, scheme(saml=said), files=tmp_path))
    assert list(door.fetch(NOON)) == []
