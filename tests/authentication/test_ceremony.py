import json
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.authentication.ceremony import (
    EnrolledKey,
    KnownKey,
    UsedKey,
    creation_options,
    request_options,
    verify_assertion,
    verify_attestation,
)
from broker.authentication.client_data import Expected
from broker.authentication.message import base64url, parse_assertion, parse_attestation
from broker.errors import EvidenceRejected
from tests.authentication.authenticator import (
    AT,
    BE,
    BS,
    ED,
    UP,
    UV,
    SoftAuthenticator,
    b64,
    cose_key,
    unb64,
)

EXPECTED = Expected(bytes(range(32)), "https://broker.test", "broker.test")
OWNER = b"o" * 32
TEN_MINUTES = timedelta(minutes=10)
CREATE = creation_options(
    EXPECTED, user_handle=OWNER, user_name="Miftah", exclude=(), lifetime=TEN_MINUTES
)
GET = request_options(EXPECTED, allow=(), lifetime=TEN_MINUTES)


def _key(**said: Any) -> SoftAuthenticator:
    return SoftAuthenticator("https://broker.test", "broker.test", **said)


def _enrol(key: SoftAuthenticator) -> EnrolledKey:
    return verify_attestation(parse_attestation(json.dumps(key.create(CREATE))), EXPECTED)


def _enrolled(**said: Any) -> tuple[SoftAuthenticator, KnownKey]:
    key = _key(**said)
    made = _enrol(key)
    return key, KnownKey(
        made.credential_id, OWNER, made.public_key, made.sign_count, made.backup_eligible
    )


def _use(key: SoftAuthenticator, known: KnownKey, *, identified: bool = False) -> UsedKey:
    answer = parse_assertion(json.dumps(key.get(GET)))
    return verify_assertion(answer, known, EXPECTED, identified=identified)


def _enrolment_refused(**wrong: Any) -> str:
    with pytest.raises(EvidenceRejected) as refusal:
        _enrol(_key().with_wrong(**wrong))
    return refusal.value.hint


def _use_refused(**wrong: Any) -> str:
    key, known = _enrolled()
    with pytest.raises(EvidenceRejected) as refusal:
        _use(key.with_wrong(**wrong), known)
    return refusal.value.hint


# What is asked


def test_a_new_key_must_be_discoverable_and_verify_its_user() -> None:
    assert CREATE["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert CREATE["attestation"] == "none"
    assert [p["alg"] for p in CREATE["pubKeyCredParams"]] == [-8, -7, -257]


def test_keys_that_a_person_has_are_excluded_with_their_transports() -> None:
    known = KnownKey(bytes(16), OWNER, b"", 0, backup_eligible=False, transports=("usb",))
    options = creation_options(
        EXPECTED, user_handle=OWNER, user_name="", exclude=[known], lifetime=TEN_MINUTES
    )
    descriptor = {"type": "public-key", "id": base64url(bytes(16)), "transports": ["usb"]}
    assert options["excludeCredentials"] == [descriptor]


def test_a_sign_in_asks_for_any_key_that_verifies_its_user() -> None:
    assert GET["allowCredentials"] == []
    assert GET["userVerification"] == "required"


def test_the_browser_gives_up_before_the_challenge_does() -> None:
    assert GET["timeout"] == 300_000
    short = request_options(EXPECTED, allow=(), lifetime=timedelta(seconds=90))
    assert short["timeout"] == 90_000


# What is accepted


@pytest.mark.parametrize("algorithm", [-7, -8, -257])
def test_a_key_of_each_algorithm_enrols_and_signs_in(algorithm: int) -> None:
    key, known = _enrolled(algorithm=algorithm)
    assert _use(key, known) == UsedKey(sign_count=1, backed_up=False)


def test_a_synchronised_key_with_a_counter_of_nought_signs_in() -> None:
    key, known = _enrolled(synced=True, counts=False)
    assert known.backup_eligible
    assert _use(key, known) == UsedKey(sign_count=0, backed_up=True)


def test_the_backup_state_may_change() -> None:
    key, known = _enrolled(synced=True)
    assert not _use(key.with_wrong(flags=lambda f: f & ~BS), known).backed_up


def test_a_self_attestation_that_is_true_is_kept_and_not_trusted() -> None:
    made = _enrol(_key().with_wrong(fmt="packed"))
    assert made.attestation_format.endswith("packed")


def test_extension_outputs_are_read_over() -> None:
    assert _enrol(_key().with_wrong(extensions={"credProtect": 2})).sign_count == 0
    key, known = _enrolled()
    assert _use(key.with_wrong(extensions={"hmac-secret": b"x"}), known).sign_count == 1


def test_client_data_may_begin_with_a_byte_order_mark_and_hold_unknown_members() -> None:
    def marked(kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": EXPECTED.origin, "future": [1]}
        return b"\xef\xbb\xbf" + json.dumps(said).encode()

    assert _enrol(_key().with_wrong(client_data=marked)).sign_count == 0


def test_an_identified_person_need_not_be_named_by_the_key() -> None:
    key, known = _enrolled()
    assert _use(key.with_wrong(user_handle=None), known, identified=True).sign_count == 1


# What both ceremonies refuse

BOTH = [
    ({"type": "webauthn.other"}, "client_data_type"),
    ({"challenge": b64(bytes(32))}, "challenge"),
    ({"challenge": b64(EXPECTED.challenge) + "="}, "challenge"),
    ({"challenge": b64(EXPECTED.challenge) + "!"}, "challenge"),
    ({"origin": "https://broker.test.evil.example"}, "origin"),
    ({"origin": "http://broker.test"}, "origin"),
    ({"origin": "https://broker.test:443"}, "origin"),
    ({"origin": "https://BROKER.test"}, "origin"),
    ({"origin": "https://broker.test/"}, "origin"),
    ({"crossOrigin": True}, "cross_origin"),
    ({"crossOrigin": "false"}, "cross_origin"),
    ({"crossOrigin": 0}, "cross_origin"),
    ({"topOrigin": "https://evil.example"}, "cross_origin"),
    ({"tokenBinding": {"status": "present", "id": "x"}}, "token_binding"),
    ({"tokenBinding": {}}, "token_binding"),
    ({"tokenBinding": "supported"}, "token_binding"),
    ({"client_data": b""}, "client_data_malformed"),
    ({"client_data": b"[]"}, "client_data_malformed"),
    ({"client_data": b'{"type":"\xff"}'}, "client_data_malformed"),
    ({"rp_id": "evil.example"}, "rp_id"),
    ({"flags": lambda f: f & ~UP}, "user_not_present"),
    ({"flags": lambda f: f & ~UV}, "user_not_verified"),
    ({"flags": lambda f: f | BS}, "backup_flags"),
    ({"trailing": b"\0"}, "library:Invalid"),
    ({"extensions": [1]}, "extensions"),
    ({"extensions": {1: 1}}, "extensions"),
]


@pytest.mark.parametrize(("wrong", "reason"), BOTH)
def test_an_enrolment_is_refused(wrong: dict[str, Any], reason: str) -> None:
    assert _enrolment_refused(**wrong).startswith(reason)


@pytest.mark.parametrize(("wrong", "reason"), BOTH)
def test_a_sign_in_is_refused(wrong: dict[str, Any], reason: str) -> None:
    assert _use_refused(**wrong).startswith(reason)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_client_data_in_another_encoding_is_refused(encoding: str) -> None:
    def encoded(kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": EXPECTED.origin}
        return json.dumps(said).encode(encoding)

    assert _use_refused(client_data=encoded) == "client_data_malformed"


def test_client_data_that_says_something_twice_is_refused() -> None:
    def twice(kind: str, challenge: str) -> bytes:
        return (
            f'{{"type":"{kind}","challenge":"{challenge}","origin":"https://evil.example",'
            f'"origin":"{EXPECTED.origin}"}}'
        ).encode()

    assert _use_refused(client_data=twice) == "client_data_malformed"


# What an enrolment refuses

P384 = ec.generate_private_key(ec.SECP384R1())
P256 = ec.generate_private_key(ec.SECP256R1())
SHORT_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  refused
GOOD = cose_key(P256)


def _cose(**changes: Any) -> bytes:
    return cbor2.dumps(GOOD | {int(name[1:].replace("m", "-")): v for name, v in changes.items()})


@pytest.mark.parametrize(
    "public_key",
    [
        cbor2.dumps(cose_key(P384)),
        cbor2.dumps(cose_key(P384) | {-1: 1}),
        _cose(_m1=2),
        _cose(_3=-8),
        _cose(_3=-65535),
        _cose(_3=-47),
        _cose(_1=1),
        _cose(_4=[1]),
        _cose(_m4=b"d" * 32),
        _cose(_m3=True),
        _cose(_m2=b"\0" + GOOD[-2]),
        _cose(_m2=bytes(32), _m3=bytes(32)),
        cbor2.dumps({n: v for n, v in GOOD.items() if n != -3}),
        cbor2.dumps({n: v for n, v in GOOD.items() if n != 3}),
        cbor2.dumps(cose_key(SHORT_RSA)),
        cbor2.dumps({1: 3, 3: -257, -1: b"\xff" * 256, -2: b"\x03"}),
        cbor2.dumps({1: 3, 3: -257, -1: b"\x00" + b"\xff" * 256, -2: b"\x01\x00\x01"}),
        cbor2.dumps({1: 1, 3: -8, -1: 7, -2: bytes(57)}),
        cbor2.dumps({1: 1, 3: -8, -1: 6, -2: bytes(31)}),
        cbor2.dumps([1, 2]),
        cbor2.dumps(4),
        b"\xbf" + cbor2.dumps(GOOD)[1:] + b"\xff",
    ],
    ids=map(str, range(22)),  # the keys' own random bytes would differ from process to process
)
def test_a_public_key_that_is_not_sound_is_refused(public_key: bytes) -> None:
    reason = _enrolment_refused(public_key=public_key)
    assert reason == "public_key" or reason.startswith("library:")


def test_another_credential_id_in_the_message_than_in_the_attestation_is_refused() -> None:
    assert _enrolment_refused(message_id=b"m" * 32) == "credential_id_differs"


@pytest.mark.parametrize("size", [1, 15, 1024])
def test_a_credential_id_that_is_too_short_or_too_long_is_refused(size: int) -> None:
    assert _enrolment_refused(credential_id=bytes(size)) == "credential_id_length"


def test_a_key_that_nobody_could_find_again_is_refused() -> None:
    assert _enrolment_refused(cred_props={"rk": False}) == "not_discoverable"


def test_a_statement_with_no_attestation_must_be_empty() -> None:
    assert _enrolment_refused(att_stmt={"sig": b"x"}).startswith("library:")


def test_a_false_self_attestation_is_refused() -> None:
    wrong = {"fmt": "packed", "att_stmt": {"alg": -7, "sig": b"\x30\x06\x02\x01\x01\x02\x01\x01"}}
    assert _enrolment_refused(**wrong).startswith("library:")


def test_a_self_attestation_with_another_algorithm_is_refused() -> None:
    assert _enrolment_refused(
        fmt="packed", att_stmt={"alg": -257, "sig": b"\x30\x06\x02\x01\x01\x02\x01\x01"}
    ).startswith("library:")


@pytest.mark.parametrize("fmt", ["compound", "", 7, None, ["none"]])
def test_an_unknown_attestation_format_is_refused(fmt: object) -> None:
    assert _enrolment_refused(fmt=fmt).startswith("library:")


def test_an_attestation_without_attested_data_is_refused() -> None:
    assert _enrolment_refused(flags=lambda f: f & ~AT).startswith("library:")


def test_announced_extensions_that_are_missing_are_refused() -> None:
    assert _enrolment_refused(flags=lambda f: f | ED).startswith("library:")


@pytest.mark.parametrize(
    ("mutate", "reason"),
    [
        (lambda b: b + b"\0", "cbor"),
        (lambda b: b[:-1], "cbor"),
        (lambda _: b"", "cbor"),
        (lambda b: b"\xbf" + b[1:] + b"\xff", "cbor"),
        (lambda b: b"\xa4" + b[1:] + cbor2.dumps("fmt") + cbor2.dumps("none"), "cbor"),
        (lambda b: b"\xa4" + b[1:] + cbor2.dumps("more") + cbor2.dumps(1), "attestation_object"),
        (lambda _: cbor2.dumps([]), "attestation_object"),
        (
            lambda _: cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": 7}),
            "authenticator_data",
        ),
        (lambda _: cbor2.dumps({"fmt": "none", "attStmt": {}}), "attestation_object"),
    ],
)
def test_an_attestation_object_that_is_not_plain_is_refused(mutate: Any, reason: str) -> None:
    assert _enrolment_refused(attestation_object=mutate).startswith(reason)


# What a sign-in refuses


def test_a_bad_signature_is_refused() -> None:
    bogus = b"\x30\x06\x02\x01\x01\x02\x01\x01"
    assert _use_refused(signature=bogus) == "library:InvalidAuthenticationResponse"
    assert _use_refused(signature=b"") == "library:InvalidAuthenticationResponse"


def test_octets_behind_a_good_signature_are_refused() -> None:
    key, known = _enrolled()
    message = key.get(GET)
    message["response"]["signature"] = b64(unb64(message["response"]["signature"]) + b"\0")
    with pytest.raises(EvidenceRejected):
        verify_assertion(parse_assertion(json.dumps(message)), known, EXPECTED, identified=False)


def test_a_flag_that_was_added_after_signing_is_refused() -> None:
    key, known = _enrolled()
    message = key.with_wrong(flags=lambda f: f & ~UV).get(GET)
    octets = bytearray(unb64(message["response"]["authenticatorData"]))
    octets[32] |= UV
    message["response"]["authenticatorData"] = b64(bytes(octets))
    with pytest.raises(EvidenceRejected) as refusal:
        verify_assertion(parse_assertion(json.dumps(message)), known, EXPECTED, identified=False)
    assert refusal.value.hint == "library:InvalidAuthenticationResponse"


@pytest.mark.parametrize(("stored", "said"), [(10, 10), (10, 9), (10, 0), (1, 1)])
def test_a_counter_that_does_not_rise_is_refused(stored: int, said: int) -> None:
    key, known = _enrolled()
    known = KnownKey(known.credential_id, OWNER, known.public_key, stored, backup_eligible=False)
    with pytest.raises(EvidenceRejected) as refusal:
        _use(key.with_wrong(sign_count=said), known)
    assert refusal.value.hint == "counter_not_risen"


def test_a_forged_answer_never_speaks_of_the_counter() -> None:
    # Else a stranger could have somebody's key reported as cloned.
    key, known = _enrolled()
    known = KnownKey(known.credential_id, OWNER, known.public_key, 10, backup_eligible=False)
    with pytest.raises(EvidenceRejected) as refusal:
        _use(key.with_wrong(sign_count=1, signature=b"\x30\x06\x02\x01\x01\x02\x01\x01"), known)
    assert refusal.value.hint == "library:InvalidAuthenticationResponse"


def test_a_key_that_has_become_copyable_is_refused() -> None:
    assert _use_refused(flags=lambda f: f | BE) == "backup_eligibility_changed"


def test_a_key_that_has_ceased_to_be_copyable_is_refused() -> None:
    key, known = _enrolled(synced=True)
    with pytest.raises(EvidenceRejected) as refusal:
        _use(key.with_wrong(flags=lambda f: f & ~(BE | BS)), known)
    assert refusal.value.hint == "backup_eligibility_changed"


def test_the_key_must_name_its_owner_where_nobody_was_identified() -> None:
    assert _use_refused(user_handle=None) == "user_handle_missing"


@pytest.mark.parametrize("identified", [True, False])
def test_a_key_that_names_another_owner_is_refused(identified: bool) -> None:
    key, known = _enrolled()
    with pytest.raises(EvidenceRejected) as refusal:
        _use(key.with_wrong(user_handle=b"x" * 32), known, identified=identified)
    assert refusal.value.hint == "user_handle_differs"


def test_an_assertion_with_attested_data_is_refused() -> None:
    assert _use_refused(flags=lambda f: f | AT) == "authenticator_data"


@pytest.mark.parametrize("size", [0, 32, 36])
def test_short_authenticator_data_is_refused(size: int) -> None:
    key, known = _enrolled()
    message = key.get(GET)
    message["response"]["authenticatorData"] = b64(bytes(size))
    with pytest.raises(EvidenceRejected):
        verify_assertion(parse_assertion(json.dumps(message)), known, EXPECTED, identified=False)


def test_an_answer_of_an_enrolment_is_no_sign_in_and_the_reverse() -> None:
    assert _use_refused(type="webauthn.create") == "client_data_type"
    assert _enrolment_refused(type="webauthn.get") == "client_data_type"


# Mutations

HONEST = _key().create(CREATE)
HONEST_KEY, HONEST_KNOWN = _enrolled()
HONEST_USE = HONEST_KEY.get(GET)


@st.composite
def mutated(draw: st.DrawFn, honest: dict[str, Any], parts: tuple[str, ...]) -> dict[str, Any]:
    part = draw(st.sampled_from(parts))
    octets = bytearray(unb64(honest["response"][part]))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(octets) - 1))
        match draw(st.integers(0, 2)):
            case 0:
                octets[at] = draw(st.integers(0, 255))
            case 1:
                del octets[at : at + draw(st.integers(1, 8))]
            case _:
                octets[at:at] = draw(st.binary(min_size=1, max_size=8))
        if not octets:
            break
    return honest | {"response": honest["response"] | {part: b64(bytes(octets))}}


@settings(max_examples=300, deadline=None)
@given(mutated(HONEST, ("attestationObject", "clientDataJSON")))
def test_a_mutated_enrolment_is_accepted_or_refused_and_nothing_else(
    message: dict[str, Any],
) -> None:
    try:
        verify_attestation(parse_attestation(json.dumps(message)), EXPECTED)
    except EvidenceRejected as refusal:
        assert refusal.code == "key_rejected"  # noqa: PT017  either outcome is right


@settings(max_examples=300, deadline=None)
@given(mutated(HONEST_USE, ("authenticatorData", "clientDataJSON", "signature")))
def test_no_mutated_sign_in_is_accepted(message: dict[str, Any]) -> None:
    if message == HONEST_USE:
        return
    with pytest.raises(EvidenceRejected):
        verify_assertion(
            parse_assertion(json.dumps(message)), HONEST_KNOWN, EXPECTED, identified=False
        )
