from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import cbor2
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from broker.authentication.attestation import is_attested
from broker.authentication.certificate_chain import leads_to
from broker.authentication.metadata import Model
from broker.authentication.standing import (
    Facts,
    needs_attestation,
    standing,
    suffices,
    wanted,
)
from broker.identity.assurance import SHIPPED, read_policy
from tests.authentication.authenticator import SoftAuthenticator
from tests.authentication.maker import (
    AAGUID,
    MODEL,
    YEAR,
    Maker,
    Party,
    aaguid_extension,
    entry,
    party,
)
from tests.authentication.test_metadata import PUBLISHER, put_in_force, rooted
from tests.authentication.test_sign_in import park, recorded
from tests.conftest import NOON
from tests.people import answer, ceremony, enrol, new_key, sign_in, visit

__all__ = ["rooted"]
MAKER = Maker()
POLICY = read_policy(SHIPPED)


def attested_by(maker: Maker, aaguid: bytes = AAGUID) -> bytes:
    """An attestation object with this maker's certificates."""
    return cbor2.dumps(
        {
            "fmt": "packed",
            "attStmt": {"alg": -7, "sig": b"", "x5c": [maker.leaf.der, maker.middle.der]},
            "authData": bytes(37) + aaguid + bytes(20),
        }
    )


def _judged(maker: Maker, *anchors: Party, at: datetime = NOON, aaguid: bytes = AAGUID) -> bool:
    return is_attested(attested_by(maker, aaguid), [a.certificate for a in anchors], at)


# Chains


@pytest.mark.parametrize("anchor", ["root", "middle", "leaf"])
def test_a_root_an_intermediate_and_the_leaf_itself_are_anchors(anchor: str) -> None:
    assert _judged(MAKER, getattr(MAKER, anchor))


def test_a_root_that_came_with_the_chain_is_worth_nothing() -> None:
    stranger = Maker()
    chain = [p.certificate for p in (stranger.leaf, stranger.middle, stranger.root)]
    assert not leads_to(chain, [MAKER.root.certificate], NOON)
    assert leads_to(chain, [stranger.root.certificate], NOON)


def test_no_anchor_means_no_trust() -> None:
    assert not _judged(MAKER)
    assert not leads_to([], [MAKER.root.certificate], NOON)


@pytest.mark.parametrize("days", [-366, 366])
def test_certificates_are_judged_on_the_day(days: int) -> None:
    assert not _judged(MAKER, MAKER.root, at=NOON + timedelta(days=days))


def test_an_authority_that_may_not_certify_certifies_nothing() -> None:
    no_ca = party("No CA")
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    no_usage = party("No usage", ca=True, extensions=[(usage, True)])
    for issuer in (no_ca, no_usage):
        leaf = party("Leaf", issuer)
        assert not leads_to([leaf.certificate], [issuer.certificate], NOON)


def test_a_path_longer_than_allowed_leads_nowhere() -> None:
    root = party("Root", ca=True, path_length=0)
    middle = party("Middle", root, ca=True)
    leaf = party("Leaf", middle)
    assert not leads_to([leaf.certificate, middle.certificate], [root.certificate], NOON)


def test_a_critical_extension_that_we_do_not_understand_ends_it() -> None:
    root = party("Root", ca=True)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert leads_to(
        [party("Leaf", root, extensions=[(unknown, False)]).certificate], [root.certificate], NOON
    )
    assert not leads_to(
        [party("Leaf", root, extensions=[(unknown, True)]).certificate], [root.certificate], NOON
    )


# Statements


@pytest.mark.parametrize(
    "wrong",
    [
        {NameOID.ORGANIZATIONAL_UNIT_NAME: "Something else"},
        {NameOID.ORGANIZATIONAL_UNIT_NAME: ""},
        {NameOID.COUNTRY_NAME: ""},
        {NameOID.ORGANIZATION_NAME: ""},
        {NameOID.COMMON_NAME: ""},
    ],
)
def test_an_attestation_certificate_names_its_maker(wrong: dict[Any, str]) -> None:
    maker = Maker(wrong_subject=wrong)
    assert not _judged(maker, maker.root)


@pytest.mark.parametrize(
    ("extension", "holds"),
    [
        ((aaguid_extension(), False), True),
        (None, True),
        ((aaguid_extension(), True), False),
        ((aaguid_extension(bytes(16)), False), False),
    ],
)
def test_an_attestation_certificate_is_of_this_model(extension: Any, holds: bool) -> None:
    maker = Maker(extension=extension)
    assert _judged(maker, maker.root) is holds


def test_an_authority_attests_no_key() -> None:
    maker = Maker(leaf_is_ca=True)
    assert not _judged(maker, maker.root)


@pytest.mark.parametrize(
    "said",
    [
        {"fmt": "none", "attStmt": {}},
        {"fmt": "packed", "attStmt": {"alg": -7, "sig": b""}},
        {"fmt": "packed", "attStmt": {"x5c": []}},
        {"fmt": "packed", "attStmt": {"x5c": [b"\x30"]}},
        {"fmt": "fido-u2f", "attStmt": {"x5c": [MAKER.leaf.der, MAKER.middle.der]}},
        {"fmt": "tpm", "attStmt": {"x5c": [MAKER.leaf.der, MAKER.middle.der]}},
        {"fmt": "android-key", "attStmt": {"x5c": [MAKER.leaf.der, MAKER.middle.der]}},
        {"fmt": ["packed"], "attStmt": {"x5c": [MAKER.leaf.der, MAKER.middle.der]}},
    ],
)
def test_other_statements_draw_no_trust(said: dict[str, Any]) -> None:
    octets = cbor2.dumps({**said, "authData": bytes(64)})
    assert not is_attested(octets, [MAKER.root.certificate], NOON)


@given(st.binary())
def test_whatever_is_no_statement_draws_no_trust(octets: bytes) -> None:
    assert not is_attested(octets, [MAKER.root.certificate], NOON)


# What a key is worth

GOOD = Model(MODEL, "One", ("FIDO_CERTIFIED_L2",), ("hardware",), (MAKER.root.der,), NOON + YEAR)
BAD = Model(MODEL, "One", ("FIDO_CERTIFIED_L2", "REVOKED"), ("hardware",), (), NOON)
FACTS = Facts(False, attested_by(MAKER), NOON)


@pytest.mark.parametrize(
    ("facts", "model", "way"),
    [
        (FACTS, GOOD, "key_attested"),
        (FACTS, None, "passkey_synced"),
        (FACTS, BAD, "access_code"),
        (Facts(True, FACTS.attestation_object, NOON), GOOD, "passkey_synced"),
        (Facts(False, b"", NOON), GOOD, "passkey_synced"),
        (Facts(False, b"", NOON), BAD, "access_code"),
        (Facts(False, FACTS.attestation_object, NOON + YEAR), GOOD, "passkey_synced"),
        (Facts(False, FACTS.attestation_object, NOON, NOON + YEAR), GOOD, "access_code"),
        (Facts(False, FACTS.attestation_object, NOON, NOON), GOOD, "key_attested"),
    ],
)
def test_a_key_is_worth_what_is_known_today(facts: Facts, model: Model | None, way: str) -> None:
    assert standing(facts, model, "L2", NOON) == way


def test_a_certification_that_is_too_low_proves_nothing() -> None:
    assert standing(FACTS, GOOD, "L3", NOON) == "passkey_synced"


@pytest.mark.parametrize(
    ("values", "level"),
    [
        ((), None),
        (("https://other/acr/unknown",), None),
        (("https://broker.test/acr/verified-phrh", "https://broker.test/acr/contact"), "C3"),
        (("x", "https://broker.test/acr/verified-phr"), "C2"),
    ],
)
def test_the_wanted_level_is_that_of_the_first_value_we_know(
    values: tuple[str, ...], level: str | None
) -> None:
    assert wanted(values, POLICY) == level
    assert needs_attestation(level, POLICY) is (level == "C3")
    assert suffices("key_attested", level, POLICY)


# The doors


def _made(maker: Maker, **more: Any) -> SoftAuthenticator:
    return new_key().with_wrong(**maker.wrong(**more))


def test_an_attested_key_signs_in_as_one(rooted: Flask, tmp_path: Path) -> None:
    put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root)))
    key = enrol(rooted.test_client(), authenticator=_made(MAKER))
    sign_in(rooted.test_client(), key)
    assert recorded(rooted, "key.enrolled")[0]["authenticator"] == "key_attested"
    assert recorded(rooted, "sign_in.accepted")[0]["authenticator"] == "key_attested"


def test_a_self_made_maker_reaches_no_more_than_nobody(rooted: Flask, tmp_path: Path) -> None:
    put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root)))
    enrol(rooted.test_client(), authenticator=_made(Maker()))
    enrol(rooted.test_client(), authenticator=new_key().with_wrong(fmt="packed", aaguid=AAGUID))
    enrol(rooted.test_client(), authenticator=new_key().with_wrong(aaguid=AAGUID))
    ways = [entry["authenticator"] for entry in recorded(rooted, "key.enrolled")]
    assert ways == ["passkey_synced"] * 3


def test_a_key_of_a_weak_model_is_not_enrolled(rooted: Flask, tmp_path: Path) -> None:
    weak = entry(MAKER.root, statuses=("FIDO_CERTIFIED_L2", "USER_VERIFICATION_BYPASS"))
    put_in_force(rooted, tmp_path, PUBLISHER.blob(weak))
    client, key = rooted.test_client(), _made(MAKER)
    form = ceremony(visit(client, "/enrol/account?ui_locales=en"))
    response = answer(client, form, key.create(form.options))
    assert response.status_code == 422
    assert "A weakness of this model of key is known" in response.text
    assert recorded(rooted, "sign_in.refused")[0]["reason"] == "USER_VERIFICATION_BYPASS"


def test_a_weakness_that_becomes_known_lowers_keys_and_tells_their_owners(
    rooted: Flask, tmp_path: Path
) -> None:
    put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root)))
    client = rooted.test_client()
    key = enrol(client, authenticator=_made(MAKER))
    page = visit(client, "/account?ui_locales=en").text
    assert "vouched for by its maker" in page
    assert "Model One" in page
    weak = entry(MAKER.root, statuses=("FIDO_CERTIFIED_L2", "REVOKED"))
    put_in_force(rooted, tmp_path, PUBLISHER.blob(weak, number=8))
    assert visit(client, "/account").location == "/sign-in/account"  # every visit was ended
    assert len(recorded(rooted, "key.weakened")) == 1
    sign_in(client, key)
    page = visit(client, "/account?ui_locales=en").text
    assert "a weakness of this model is known" in page
    assert "vouched for" not in page
    assert recorded(rooted, "sign_in.accepted")[-1]["authenticator"] == "access_code"


def test_a_weakness_that_was_known_before_ends_no_visit(rooted: Flask, tmp_path: Path) -> None:
    put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root)))
    client = rooted.test_client()
    key = enrol(client, authenticator=_made(MAKER))
    weak = entry(MAKER.root, statuses=("REVOKED",))
    put_in_force(rooted, tmp_path, PUBLISHER.blob(weak, number=8))
    sign_in(client, key)
    put_in_force(rooted, tmp_path, PUBLISHER.blob(weak, number=9))
    assert visit(client, "/account").status_code == 200
    assert len(recorded(rooted, "key.weakened")) == 1


def _with_lists(app: Flask, **lists: frozenset[UUID]) -> None:
    tools = app.extensions["broker"]
    own = tools.settings.authentication.model_copy(update=lists)
    settings = tools.settings.model_copy(update={"authentication": own})
    app.extensions["broker"] = replace(tools, settings=settings)


def test_a_forbidden_model_is_not_enrolled(rooted: Flask) -> None:
    _with_lists(rooted, forbidden_models=frozenset({UUID(MODEL)}))
    client = rooted.test_client()
    form = ceremony(visit(client, "/enrol/account"))
    assert answer(client, form, _made(MAKER).create(form.options)).status_code == 422
    assert recorded(rooted, "sign_in.refused")[0]["reason"] == "FORBIDDEN_HERE"


def test_a_key_of_a_model_that_was_forbidden_later_counts_no_more_than_a_code(
    rooted: Flask, tmp_path: Path
) -> None:
    put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root)))
    key = enrol(rooted.test_client(), authenticator=_made(MAKER))
    _with_lists(rooted, forbidden_models=frozenset({UUID(MODEL)}))
    sign_in(rooted.test_client(), key)
    assert recorded(rooted, "sign_in.accepted")[-1]["authenticator"] == "access_code"


@pytest.mark.parametrize(
    ("allowed", "way"),
    [(MODEL, "key_attested"), (str(UUID(int=7)), "passkey_synced")],
    ids=["on the list", "not on the list"],
)
def test_where_models_are_listed_only_theirs_count_as_attested(
    rooted: Flask, tmp_path: Path, allowed: str, way: str
) -> None:
    put_in_force(rooted, tmp_path, PUBLISHER.blob(entry(MAKER.root)))
    _with_lists(rooted, allowed_models=frozenset({UUID(allowed)}))
    key = enrol(rooted.test_client(), authenticator=_made(MAKER))
    sign_in(rooted.test_client(), key)
    assert recorded(rooted, "sign_in.accepted")[-1]["authenticator"] == way


@pytest.mark.parametrize(
    ("name", "conveyance"), [("verified-phrh", "direct"), ("verified-phr", "none")]
)
def test_the_maker_is_asked_only_where_it_matters_and_the_page_says_why(
    app: Flask, client: FlaskClient, name: str, conveyance: str
) -> None:
    handle = park(app, client, acr_values=[f"https://broker.test/acr/{name}"])
    page = visit(client, f"/enrol/{handle}?ui_locales=en")
    assert ceremony(page).options["attestation"] == conveyance
    assert ("the make and model of your key" in page.text) is (conveyance == "direct")
    assert ceremony(visit(client, "/enrol/account")).options["attestation"] == "none"
