"""What a node says of a person, at its level and no other; and every reason to refuse it."""

import base64
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import SignatureMethod

from broker.errors import EvidenceRejected
from broker.identity.evidence import Outcome
from broker.identity.verifier import Reply
from broker.verifiers.eidas.signature import verify
from broker.verifiers.eidas.xml import parsed
from tests.conftest import NOON
from tests.verifiers.eidas.conftest import Door, MakeDoor
from tests.verifiers.eidas.node import DS, SAML, SAMLP, SUCCESS, Node, company, person
from tests.verifiers.eidas.schemes import (
    LEGAL,
    LOA,
    NATURAL,
    ec_key,
    pem,
    rsa_key,
    self_signed,
    written,
)

FAILED = "urn:oasis:names:tc:SAML:2.0:status:Responder"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
HOUR = timedelta(hours=1)


def said(door: Door, **changed: Any) -> dict[str, str]:
    return {claim.name: claim.value for claim in door.take(**changed).claims}


def moved(**times: timedelta | None) -> dict[str, Any]:
    return {"times": times}


def within(change: Callable[[Any], object]) -> dict[str, Any]:
    """A change of the assertion before it is signed or encrypted."""
    return {"inside": change}


def find(root: Any, name: str) -> Any:
    return next(root.iter(f"{{{SAML}}}{name}"))


# What is taken


def test_evidence_says_what_the_node_said(door: Door) -> None:
    evidence = door.take()
    assert evidence.kind == "eidas_substantial"
    assert evidence.at == NOON
    assert said(door) == {
        "family_name": "Onases",
        "given_name": "Sarah",
        "birthdate": "1975-04-20",
        "issuing_authority": "Trial country",
        "issuing_state": "XA",
    }
    assert evidence.origin is not None
    assert (evidence.origin.scheme, evidence.origin.framework) == ("xa", "eidas")
    assert (evidence.origin.level, evidence.origin.holder) == ("substantial", "XA/MA/02635542Y")
    assert {c.outcome for c in evidence.checks} == {Outcome.PASSED}


@pytest.mark.parametrize("level", ["substantial", "high"])
def test_the_level_is_the_one_that_was_asserted(door: Door, level: str) -> None:
    assert door.take(level=f"{LOA}{level}").kind == f"eidas_{level}"


def test_a_name_in_its_own_script_stands_beside_the_latin_one(door: Door) -> None:
    own = (f"{NATURAL}/CurrentFamilyName", "Ωνάσης", False)
    found = said(door, attributes=(*person(), own))
    assert (found["family_name"], found["native_family_name"]) == ("Onases", "Ωνάσης")


def test_further_attributes_are_read_as_the_file_maps_them(door: Door) -> None:
    found = said(door, attributes=person(Gender="Female", BirthName="Ona", Shoe="41"))
    assert (found["gender"], found["birth_family_name"]) == ("female", "Ona")
    assert "41" not in found.values()


def test_who_represents_a_company_is_the_person_and_the_company_is_named(door: Door) -> None:
    acting = person(f"{NATURAL}/representative")
    found = said(door, attributes=(*company(), *acting))
    assert (found["given_name"], found["represented_name"]) == ("Sarah", "Atlas Textiles")
    assert found["represented_identifier"] == "XA/MA/125457487"


def test_who_represents_somebody_is_not_taken_for_them(door: Door) -> None:
    child = person(CurrentGivenName="Nadia", PersonIdentifier="XA/MA/77", DateOfBirth="2019-01-02")
    found = said(door, attributes=(*child, *person(f"{NATURAL}/representative")))
    assert (found["given_name"], found["represented_given_name"]) == ("Sarah", "Nadia")
    assert found["birthdate"] == "1975-04-20"


@pytest.mark.parametrize("how", ["oaep", "oaep11"])
def test_both_ways_of_rsa_oaep_are_opened(door: Door, how: str) -> None:
    assert door.take(encrypt=how)


@pytest.mark.parametrize("curve", [ec.SECP256R1, ec.SECP384R1, ec.BrainpoolP256R1])
def test_an_agreed_key_opens_on_every_curve_that_eidas_names(
    make_door: MakeDoor, curve: type[ec.EllipticCurve]
) -> None:
    key = ec_key(f"ours {curve.name}", curve)
    door = make_door(Node(to=self_signed(key)), decryption_keys=["saml-encryption.pem", "c.pem"])
    written(door.verifier.around.key_files / "c.pem", key)
    assert door.take()


ALGORITHMS = (
    (rsa_key("node"), SignatureMethod.SHA256_RSA_MGF1),
    (rsa_key("node"), SignatureMethod.RSA_SHA512),
    (ec_key("node-p256"), SignatureMethod.ECDSA_SHA256),
    (ec_key("node-p521", ec.SECP521R1), SignatureMethod.ECDSA_SHA512),
    (ec_key("node-bp", ec.BrainpoolP384R1), SignatureMethod.ECDSA_SHA384),
)


@pytest.mark.parametrize(("key", "method"), ALGORITHMS, ids=[m.name for _, m in ALGORITHMS])
def test_signatures_that_eidas_allows_are_checked(
    make_door: MakeDoor, key: Any, method: SignatureMethod
) -> None:
    door = make_door(Node(key, self_signed(rsa_key("ours"))))
    assert door.take(algorithm=method)


def test_during_a_rollover_either_key_is_believed(make_door: MakeDoor) -> None:
    old, new = rsa_key("node"), rsa_key("node-next")
    both = [pem(self_signed(key, "node")) for key in (old, new)]
    to = self_signed(rsa_key("ours"))
    for key in (old, new):
        assert make_door(Node(key, to), certificates=both).take()


@pytest.mark.parametrize("sign", ["response", "assertion", "both"])
def test_signatures_are_demanded_where_the_file_says(make_door: MakeDoor, sign: str) -> None:
    door = make_door(signed=sign)
    assert door.take(sign=sign)
    assert door.take(sign="both")
    for other in {"response", "assertion"} - {sign}:
        assert door.code(sign=other) == "eidas_unsigned"


def test_clocks_may_differ_by_as_much_as_the_file_says(door: Door) -> None:
    assert door.take(**moved(issued=timedelta(seconds=59)))
    assert door.take(**moved(until=-timedelta(seconds=59)))


def test_what_is_used_up_is_the_assertions_own_name(door: Door) -> None:
    first, second = door.take().once, door.take().once
    assert first is not None
    assert second is not None
    assert first.name != second.name


# What came is no answer


def test_nothing_and_a_field_twice_are_no_answer(door: Door) -> None:
    attempt, _ = door.ask()
    for reply in (Reply(), Reply({"SAMLResponse": "eA=="}, {}, frozenset({"SAMLResponse"}))):
        with pytest.raises(EvidenceRejected, match="eidas_no_answer"):
            door.verifier.close(attempt, reply)


@pytest.mark.parametrize("text", ["%%%", "é", "eA", "eD94"])
def test_what_is_no_base64_or_no_xml_is_malformed(door: Door, text: str) -> None:
    attempt, _ = door.ask()
    with pytest.raises(EvidenceRejected, match="eidas_malformed"):
        door.verifier.close(attempt, Reply({"SAMLResponse": text}))


PAD = b"<x>" + b"y" * 131_072 + b"</x>"


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (lambda d: d.replace(b"</saml2p:Status>", b"</saml2p:Status>" + PAD), "eidas_too_large"),
        (lambda d: d.replace(b"<saml2p:Status>", b"<a>" * 30 + b"</a>" * 30), "eidas_malformed"),
        (lambda _: b"<a>" * 40 + b"</a>" * 40, "eidas_too_large"),
        (lambda _: b"<a>" + b"<b/>" * 5000 + b"</a>", "eidas_too_large"),
        (lambda d: b"<!DOCTYPE a>" + d, "eidas_forbidden_xml"),
        (lambda d: b'<!DOCTYPE a [<!ENTITY b "c">]>' + d, "eidas_forbidden_xml"),
        (lambda d: d.replace(b"XA/MA", b"XA<!-- -->/MA"), "eidas_forbidden_xml"),
        (lambda d: b"<!-- -->" + d, "eidas_forbidden_xml"),
        (lambda d: d + b"<?php x?>", "eidas_forbidden_xml"),
        (lambda d: b'<?xml version="1.0" encoding="UTF-16"?>' + d, "eidas_forbidden_xml"),
        (lambda d: d.decode().encode("utf-16"), "eidas_malformed"),
        (lambda d: d.replace(b"saml2p:Response", b"saml2p:LogoutResponse"), "eidas_malformed"),
    ],
    ids=[
        "size", "cut", "deep", "many", "doctype", "entity", "comment", "comment-before",
        "instruction", "declared", "encoded", "another-message",
    ],
)  # fmt: skip
def test_what_is_not_plain_xml_is_not_read(
    make_door: MakeDoor, after: Callable[[bytes], bytes], code: str
) -> None:
    assert make_door(encrypted=False).code(encrypt="", after=after) == code


def test_nothing_is_included_from_elsewhere(door: Door) -> None:
    def include(root: Any) -> None:
        etree.SubElement(root[0], "{http://www.w3.org/2001/XInclude}include", href="file:///x")

    assert door.code(before=include) == "eidas_forbidden_xml"


def test_one_id_on_two_elements_is_refused(make_door: MakeDoor) -> None:
    def double(root: Any) -> None:
        find(root, "Assertion").set("Id", root.get("ID"))

    assert make_door(encrypted=False).code(encrypt="", before=double) == "eidas_ambiguous"


# It cannot be relied on


def test_an_answer_without_a_signature_is_refused(door: Door) -> None:
    assert door.code(sign="") == "eidas_unsigned"


def test_who_signs_with_another_key_is_refused(door: Door) -> None:
    door.node = Node(rsa_key("stranger"), door.node.to)
    assert door.code() == "eidas_signature_wrong"


def test_a_weak_key_is_not_believed(make_door: MakeDoor) -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  that is the point
    assert make_door(Node(weak, self_signed(rsa_key("ours")))).code() == "eidas_signature_wrong"


def test_one_changed_octet_is_refused(make_door: MakeDoor) -> None:
    door = make_door(encrypted=False)
    changed = door.code(encrypt="", after=lambda d: d.replace(b"Onases", b"Onasis"))
    assert changed == "eidas_signature_wrong"


def test_sha_1_is_not_believed(door: Door) -> None:
    older = (b"2001/04/xmldsig-more#rsa-sha256", b"2000/09/xmldsig#rsa-sha1")
    assert door.code(after=lambda d: d.replace(*older)) == "eidas_weak_algorithm"


def test_another_assertion_is_never_read(make_door: MakeDoor) -> None:
    """The shapes of signature wrapping: all need a second assertion, somewhere."""

    def wrapped(place: str) -> Callable[[bytes], bytes]:
        def wrap(document: bytes) -> bytes:
            root = etree.fromstring(document)
            evil = deepcopy(find(root, "Assertion"))
            evil.set("ID", "_evil")
            evil.remove(evil.find(f"{{{DS}}}Signature"))
            target = root if place == "Response" else next(root.iter(f"{{*}}{place}"))
            target.append(evil)
            return bytes(etree.tostring(root))

        return wrap

    door = make_door(encrypted=False, signed="assertion")
    for place in ("Response", "Assertion", "Signature", "Status", "Issuer", "Conditions"):
        assert door.code(encrypt="", sign="assertion", after=wrapped(place)) == "eidas_ambiguous"


SHAPES: dict[str, Callable[[Any], object]] = {
    "an object": lambda s: etree.SubElement(s, f"{{{DS}}}Object"),
    "a third thing to sign": lambda s: etree.SubElement(s[0], f"{{{DS}}}Manifest"),
    "two infos": lambda s: s.insert(0, deepcopy(s[0])),
    "two references": lambda s: s[0].append(deepcopy(s[0][-1])),
    "another transform": lambda s: s.find(".//{*}Transform").set("Algorithm", f"{DS}base64"),
    "a third transform": lambda s: s.find(".//{*}Transforms").append(
        deepcopy(s.find(".//{*}Transform"))
    ),
    "a transform with contents": lambda s: etree.SubElement(s.find(".//{*}Transform"), "x"),
    "no name": lambda s: s.find(".//{*}Reference").set("URI", ""),
    "another name": lambda s: s.find(".//{*}Reference").set("URI", "#_other"),
    "another canonical form": lambda s: s.find(".//{*}CanonicalizationMethod").set(
        "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    ),
    "no value": lambda s: setattr(s.find("{*}SignatureValue"), "text", " "),
    "a value with contents": lambda s: etree.SubElement(s.find("{*}SignatureValue"), "x"),
    "a digest with contents": lambda s: etree.SubElement(s.find(".//{*}DigestValue"), "x"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_signature_of_another_shape_is_not_even_looked_at(door: Door, name: str) -> None:
    def change(document: bytes) -> bytes:
        root = etree.fromstring(document)
        SHAPES[name](root.find(f"{{{DS}}}Signature"))
        return bytes(etree.tostring(root))

    assert door.code(after=change) == "eidas_ambiguous"


def test_what_is_read_is_made_of_the_octets_that_were_signed(door: Door) -> None:
    attempt, _ = door.ask()
    root = parsed(base64.b64decode(door.answer(attempt)))
    signed = verify(root, [door.node.certificate]).element
    assert signed.getroottree() is not root.getroottree()
    assert signed.find(f"{{{DS}}}Signature") is None
    assert root.find(f"{{{DS}}}Signature") is not None
    signed.set("ID", "_changed")
    assert root.get("ID") != "_changed"


def test_an_assertion_within_the_encrypted_one_is_refused(door: Door) -> None:
    def advise(assertion: Any) -> None:
        advice = etree.SubElement(assertion, f"{{{SAML}}}Advice")
        etree.SubElement(advice, f"{{{SAML}}}Assertion")

    assert door.code(**within(advise)) == "eidas_ambiguous"


def test_a_signature_out_of_place_is_refused(door: Door) -> None:
    def stray(name: str) -> Callable[[Any], None]:
        return lambda root: etree.SubElement(next(root.iter(f"{{*}}{name}")), f"{{{DS}}}Signature")

    assert door.code(before=stray("Status")) == "eidas_ambiguous"
    assert door.code(**within(stray("Subject"))) == "eidas_ambiguous"


def test_a_response_within_the_response_is_refused(door: Door) -> None:
    def nest(root: Any) -> None:
        extensions = etree.Element(f"{{{SAMLP}}}Extensions")
        etree.SubElement(extensions, f"{{{SAMLP}}}Response")
        root.insert(1, extensions)

    assert door.code(before=nest) == "eidas_ambiguous"
    stranger = door.code(before=lambda root: etree.SubElement(root, "stranger"))
    assert stranger == "eidas_ambiguous"


def test_an_assertion_in_clear_is_refused_where_the_file_says_so(door: Door) -> None:
    assert door.code(encrypt="") == "eidas_not_encrypted"


def test_what_is_encrypted_to_somebody_else_is_not_opened(door: Door) -> None:
    door.node = Node(door.node.key, self_signed(rsa_key("somebody")))
    assert door.code() == "eidas_undecryptable"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"xmlenc11#aes256-gcm", b"xmlenc#aes256-cbc"),
        (b"xmlenc#rsa-oaep-mgf1p", b"xmlenc#rsa-1_5"),
    ],
)
def test_encryption_that_can_be_asked_step_by_step_is_not_opened(
    make_door: MakeDoor, old: bytes, new: bytes
) -> None:
    door = make_door(signed="assertion")
    changed = door.code(sign="assertion", after=lambda d: d.replace(old, new))
    assert changed == "eidas_weak_algorithm"


TWO_KEYS = (
    b"</ds:KeyInfo><xenc:CipherData>",
    b"<xenc:EncryptedKey/></ds:KeyInfo><xenc:CipherData>",
)


def test_one_key_opens_what_is_encrypted_and_not_one_of_two(make_door: MakeDoor) -> None:
    door = make_door(signed="assertion")
    changed = door.code(sign="assertion", after=lambda d: d.replace(*TWO_KEYS))
    assert changed == "eidas_undecryptable"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"xmlenc11#ECDH-ES", b"xmlenc#dh"),
        (b"xmlenc11#ConcatKDF", b"xmlenc11#pbkdf2"),
        (b"xmlenc#sha256", b"xmldsig#md5"),
    ],
)
def test_a_key_is_agreed_on_in_the_way_that_eidas_names(
    make_door: MakeDoor, old: bytes, new: bytes
) -> None:
    node = Node(to=self_signed(ec_key("ours-encryption")))
    door = make_door(node, signed="assertion", decryption_keys=["saml-curve.pem"])

    def change(document: bytes) -> bytes:
        head, mark, rest = document.partition(b"AgreementMethod")
        return head + mark + rest.replace(old, new)

    assert door.take(sign="assertion")
    assert door.code(sign="assertion", after=change) == "eidas_weak_algorithm"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'PartyUInfo="0041"', b'PartyUInfo="0441"'),
        (b"urn:oid:1.2.840.10045.3.1.7", b"urn:oid:1.3.132.0.34"),
        (b"urn:oid:1.2.840.10045.3.1.7", b"urn:oid:1"),
    ],
    ids=["part-of-a-byte", "another-curve", "no-curve"],
)
def test_an_ephemeral_key_of_another_kind_is_not_agreed_with(
    make_door: MakeDoor, old: bytes, new: bytes
) -> None:
    node = Node(to=self_signed(ec_key("ours-encryption")))
    door = make_door(node, signed="assertion", decryption_keys=["saml-curve.pem"])
    changed = door.code(sign="assertion", after=lambda d: d.replace(old, new))
    assert changed == "eidas_undecryptable"


def test_what_is_encrypted_may_hold_one_assertion_and_nothing_else(door: Door) -> None:
    assert door.code(plain=lambda d: d + d) == "eidas_malformed"
    assert door.code(plain=lambda _: b"<a/>") == "eidas_ambiguous"
    assert door.code(plain=lambda d: b"<!DOCTYPE a>" + d) == "eidas_forbidden_xml"


def test_somebody_else_than_was_asked_is_not_heard(door: Door) -> None:
    assert door.code(issuer="https://node.xb.test/metadata") == "eidas_other_node"

    def rename(element: Any) -> None:
        find(element, "Issuer").text = "https://node.xb.test/metadata"

    assert door.code(**within(rename)) == "eidas_other_node"
    assert door.code(before=rename) == "eidas_other_node"


def test_a_name_of_another_format_is_nobodys(door: Door) -> None:
    def persistent(assertion: Any) -> None:
        find(assertion, "Issuer").set("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:x")

    assert door.code(**within(persistent)) == "eidas_other_node"


@pytest.mark.parametrize("left_out", ["Issuer Format", "NameID Format", "NameID NameQualifier"])
def test_where_the_file_is_strict_names_say_their_format(
    make_door: MakeDoor, left_out: str
) -> None:
    """As SPID's technical rules have it; `spid-sp-test` asks the same."""
    formats = "urn:oasis:names:tc:SAML:2.0:nameid-format:"

    def strict(assertion: Any) -> None:
        find(assertion, "Issuer").set("Format", f"{formats}entity")
        find(assertion, "NameID").set("Format", f"{formats}transient")
        find(assertion, "NameID").set("NameQualifier", "https://node.xa.test")

    def lacking(assertion: Any) -> None:
        strict(assertion)
        element, attribute = left_out.split()
        find(assertion, element).attrib.pop(attribute)

    door = make_door(strict_names=True)
    assert door.take(**within(strict))
    assert door.code(**within(lacking)) == "eidas_incomplete"


def test_without_the_nodes_keys_nothing_is_believed(make_door: MakeDoor) -> None:
    door = make_door(sso=None, certificates=(), metadata="missing.xml")
    attempt, _ = make_door().ask()
    with pytest.raises(EvidenceRejected, match="eidas_node_unknown"):
        door.verifier.close(attempt, Reply({"SAMLResponse": "eA=="}))


def test_a_scheme_that_was_taken_away_is_gone(door: Door) -> None:
    attempt, _ = door.ask()
    attempt.remembered["scheme"] = "xb"  # type: ignore[index]  # a dict in truth
    with pytest.raises(EvidenceRejected, match="eidas_scheme_gone"):
        door.verifier.close(attempt, Reply({"SAMLResponse": "eA=="}))


# It does not answer what we asked, or not now


@pytest.mark.parametrize(
    "changed",
    [
        {"acs": "https://elsewhere.test/acs"},
        {"audiences": ()},
        {"audiences": (("https://elsewhere.test",),)},
        {"before": lambda root: root.attrib.pop("Destination")},
        {"inside": lambda a: find(a, "SubjectConfirmation").set("Method", "urn:x:holder-of-key")},
        {"inside": lambda a: find(a, "SubjectConfirmationData").set("Recipient", "https://x.test")},
    ],
    ids=["address", "no-audience", "audience", "no-destination", "no-bearer", "recipient"],
)
def test_what_is_meant_for_others_is_refused(door: Door, changed: dict[str, Any]) -> None:
    assert door.code(**changed) == "eidas_not_for_us"


def test_every_audience_restriction_must_mean_us(door: Door) -> None:
    ours = "https://broker.test/foreign/eidas/xa.xml"
    assert door.take(audiences=(("https://elsewhere.test", ours),))
    assert door.code(audiences=((ours,), ("https://elsewhere.test",))) == "eidas_not_for_us"
    assert door.code(audiences=((ours + "x",),)) == "eidas_not_for_us"


def test_the_answer_to_another_question_is_refused(door: Door) -> None:
    assert door.code(request="_another") == "eidas_not_our_question"
    changed = within(lambda a: find(a, "SubjectConfirmationData").set("InResponseTo", "_another"))
    assert door.code(**changed) == "eidas_not_our_question"


def test_an_unasked_answer_is_refused(door: Door) -> None:
    unasked = door.code(before=lambda root: root.attrib.pop("InResponseTo"))
    assert unasked == "eidas_not_our_question"


@pytest.mark.parametrize(
    "times",
    [
        {"issued": -HOUR},
        {"issued": timedelta(seconds=61)},
        {"until": -timedelta(seconds=60)},
        {"not_before": timedelta(seconds=61)},
        {"confirmed_until": -timedelta(seconds=60)},
        {"authenticated": timedelta(seconds=61)},
    ],
    ids=lambda times: f"{next(iter(times))}-{next(iter(times.values())).total_seconds():.0f}",
)
def test_what_comes_out_of_its_time_is_refused(door: Door, times: dict[str, timedelta]) -> None:
    assert door.code(**moved(**times)) == "eidas_out_of_time"


@pytest.mark.parametrize("moment", ["2026-11-23T11:00:00Z", "2026-11-23T12:01:01Z"])
@pytest.mark.parametrize("place", ["before", "inside"])
def test_response_and_assertion_are_both_issued_between_question_and_now(
    door: Door, place: str, moment: str
) -> None:
    changed = {place: lambda root: root.set("IssueInstant", moment)}
    assert door.code(**changed) == "eidas_out_of_time"


@pytest.mark.parametrize("name", ["until", "not_before", "confirmed_until", "authenticated"])
def test_a_moment_that_is_left_out_makes_it_incomplete(door: Door, name: str) -> None:
    assert door.code(**moved(**{name: None})) == "eidas_incomplete"


def test_a_bearer_has_no_beginning(door: Door) -> None:
    begun = within(
        lambda a: find(a, "SubjectConfirmationData").set("NotBefore", "2026-11-23T11:00:00Z")
    )
    assert door.code(**begun) == "eidas_out_of_time"


def test_a_session_that_is_over_is_over(door: Door) -> None:
    over = within(
        lambda a: find(a, "AuthnStatement").set("SessionNotOnOrAfter", "2026-11-23T11:00:00Z")
    )
    assert door.code(**over) == "eidas_out_of_time"


@pytest.mark.parametrize("text", ["2026-11-23T12:00:00", "2026-11-23T12:00:00+01:00", "now", ""])
def test_a_moment_is_in_utc_or_no_moment(door: Door, text: str) -> None:
    changed = within(lambda a: find(a, "AuthnStatement").set("AuthnInstant", text))
    assert door.code(**changed) == "eidas_malformed"


def test_an_earlier_sign_in_is_not_a_fresh_one(door: Door, make_door: MakeDoor) -> None:
    earlier = moved(authenticated=-timedelta(hours=9))
    assert door.code(**earlier) == "eidas_stale"
    assert make_door(fresh=False).take(**earlier)


# It says no


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ((FAILED, f"{STATUS}AuthnFailed"), "eidas_not_authenticated"),
        ((FAILED, f"{STATUS}RequestDenied"), "eidas_declined"),
        ((FAILED, f"{STATUS}NoAuthnContext"), "eidas_level_unavailable"),
        ((FAILED,), "eidas_node_failed"),
        ((SUCCESS, f"{STATUS}RequestDenied"), "eidas_declined"),
    ],
)
def test_a_no_is_told_in_its_own_words(door: Door, status: tuple[str, ...], code: str) -> None:
    assert door.code(status=status) == code


def test_a_success_without_an_assertion_is_incomplete(door: Door) -> None:
    def empty(root: Any) -> None:
        root.remove(root.find(f"{{{SAML}}}EncryptedAssertion"))

    assert door.code(before=empty) == "eidas_incomplete"


@pytest.mark.parametrize("name", ["Subject", "Conditions", "AuthnStatement", "AttributeStatement"])
def test_an_assertion_without_one_of_its_parts_is_incomplete(door: Door, name: str) -> None:
    assert door.code(**within(lambda a: a.remove(find(a, name)))) == "eidas_incomplete"


@pytest.mark.parametrize("name", ["AuthnStatement", "AttributeStatement", "Subject", "Conditions"])
def test_an_assertion_with_a_part_twice_is_ambiguous(door: Door, name: str) -> None:
    assert door.code(**within(lambda a: a.append(deepcopy(find(a, name))))) == "eidas_ambiguous"


def test_a_condition_or_statement_that_nobody_knows_is_refused(door: Door) -> None:
    for name, place in (("Condition", "Conditions"), ("AuthzDecisionStatement", "")):

        def add(assertion: Any, name: str = name, place: str = place) -> None:
            target = find(assertion, place) if place else assertion
            etree.SubElement(target, f"{{{SAML}}}{name}")

        assert door.code(**within(add)) == "eidas_ambiguous"


@pytest.mark.parametrize("version", ["1.1", ""])
def test_another_version_is_refused(door: Door, version: str) -> None:
    assert door.code(**within(lambda a: a.set("Version", version))) == "eidas_malformed"
    assert door.code(before=lambda root: root.set("Version", version)) == "eidas_malformed"


def test_a_consent_that_saml_does_not_know_is_refused(door: Door) -> None:
    assert door.code(before=lambda root: root.set("Consent", "urn:mine")) == "eidas_malformed"


# It does not say enough


def test_less_than_was_asked_for_is_refused(door: Door) -> None:
    assert door.code(level=f"{LOA}low") == "eidas_level_too_low"
    door.least = ""
    assert door.take(level=f"{LOA}low").kind == "eidas_low"
    door.least = "high"
    assert door.code() == "eidas_level_too_low"


@pytest.mark.parametrize(
    "level",
    [
        f"{LOA}Substantial", f"{LOA}substantial/", f"{LOA}top", "substantial", "",
        "http://eidas.europa.eu/NotNotified/LoA/high",
    ],
)  # fmt: skip
def test_a_level_that_is_not_known_to_the_letter_is_refused(door: Door, level: str) -> None:
    assert door.code(level=level) == "eidas_level_unknown"


def test_a_country_cannot_assert_more_than_it_can_have(make_door: MakeDoor) -> None:
    door = make_door(reach={"XA": "substantial"})
    assert door.take()
    assert door.code(level=f"{LOA}high") == "eidas_level_unknown"


@pytest.mark.parametrize(
    "name", ["PersonIdentifier", "CurrentFamilyName", "CurrentGivenName", "DateOfBirth"]
)
def test_the_minimum_data_set_is_the_minimum(door: Door, name: str) -> None:
    assert door.code(attributes=person(**{name: ""})) == "eidas_person_incomplete"


@pytest.mark.parametrize(
    "changed",
    [
        {"CurrentFamilyName": " "},
        {"CurrentFamilyName": "Ona\u202eses"},
        {"CurrentFamilyName": "Ona\u200eses"},
        {"CurrentFamilyName": "x" * 271},
        {"DateOfBirth": "1975-02-30"},
        {"DateOfBirth": "20/04/1975"},
        {"DateOfBirth": "1975-04"},
        {"DateOfBirth": "2026-11-24"},
        {"Gender": "unknown"},
    ],
    ids=lambda changed: "-".join(map(ascii, changed.values()))[:24],
)
def test_a_value_that_is_none_is_refused(door: Door, changed: dict[str, str]) -> None:
    assert door.code(attributes=person(**changed)) == "eidas_value_unusable"


@pytest.mark.parametrize(
    "identifier",
    [
        "XB/MA/1", "XA/DE/1", "XA/MA/", "XA/MA", "xa/ma/1", "XA/MA/a b", "XA/MA/é", "1",
        "XA/MA/" + "1" * 257,
    ],
)  # fmt: skip
def test_an_identifier_is_of_that_country_and_made_for_ours(door: Door, identifier: str) -> None:
    attributes = person(PersonIdentifier=identifier)
    assert door.code(attributes=attributes) == "eidas_identifier_wrong"


def test_a_country_may_have_two_codes(make_door: MakeDoor) -> None:
    door = make_door(countries=("GR", "XA"))
    door.country = "GR"
    assert said(door, attributes=person(PersonIdentifier="EL/MA/1"))["issuing_state"] == "GR"
    assert door.code() == "eidas_identifier_wrong"


def test_a_name_in_another_script_alone_is_refused(door: Door) -> None:
    others = tuple(a for a in person() if not a[0].endswith("CurrentFamilyName"))
    for is_latin in (False, True):
        own = (f"{NATURAL}/CurrentFamilyName", "Ωνάσης", is_latin)
        assert door.code(attributes=(*others, own)) == "eidas_name_not_latin"


def test_a_script_flag_is_yes_or_no(door: Door) -> None:
    def flag(assertion: Any) -> None:
        find(assertion, "AttributeValue").set(f"{{{NATURAL}}}LatinScript", "perhaps")

    assert door.code(**within(flag)) == "eidas_value_unusable"


def test_an_attribute_twice_or_with_two_values_is_ambiguous(door: Door) -> None:
    def twice(assertion: Any) -> None:
        statement = find(assertion, "AttributeStatement")
        statement.append(deepcopy(statement[0]))

    def two_values(assertion: Any) -> None:
        first = find(assertion, "AttributeStatement")[0]
        first.append(deepcopy(first[0]))

    def nested(assertion: Any) -> None:
        etree.SubElement(find(assertion, "AttributeValue"), "b").tail = "1"

    for change in (twice, two_values, nested):
        assert door.code(**within(change)) == "eidas_ambiguous"


FOR_A_COMPANY = ((f"{LEGAL}/representative/LegalName", "A", True),)


@pytest.mark.parametrize(
    "attributes",
    [company(), (*company(), *FOR_A_COMPANY), (*person(), *FOR_A_COMPANY)],
    ids=["company", "company-for-company", "company-for-person"],
)
def test_a_company_that_nobody_represents_is_nobody(door: Door, attributes: Any) -> None:
    assert door.code(attributes=attributes) == "eidas_nobody"


def test_a_companys_number_is_of_that_country_and_made_for_ours_too(door: Door) -> None:
    other = company(LegalPersonIdentifier="XB/MA/1")
    acting = person(f"{NATURAL}/representative")
    assert door.code(attributes=(*other, *acting)) == "eidas_identifier_wrong"


def test_a_representative_of_nobody_is_incomplete(door: Door) -> None:
    acting = person(f"{NATURAL}/representative")
    assert door.code(attributes=acting) == "eidas_person_incomplete"


def test_nobody_represents_themselves(door: Door) -> None:
    both = (*person(), *person(f"{NATURAL}/representative"))
    assert door.code(attributes=both) == "eidas_ambiguous"
