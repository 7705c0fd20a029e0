"""A foreign OpenID Provider's word: how it is asked for, and when it is not taken."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from broker.errors import EvidenceRejected
from broker.identity.evidence import Evidence, Outcome
from broker.identity.scheme import SchemeRejected
from broker.identity.verifier import Attempt, Reply
from broker.keyring import Keyring
from broker.outbound import Answer
from broker.verifiers.upstream import UpstreamVerifier
from broker.verifiers.upstream.provider import KEYS_KEPT, METADATA_KEPT, ROLLOVER
from broker.verifiers.upstream.refusals import REFUSALS
from tests.conftest import NOON
from tests.verifiers.upstream.peer import (
    CLIENT_ID,
    ISSUER,
    KEY,
    NEXT_KEY,
    OURS,
    OURS_RSA,
    PERSON,
    SCHEME,
    SECRET,
    STRANGER,
    Change,
    Peer,
    Wrong,
    came_back,
    door,
    scheme,
    sent_away,
)


def taken(keyring: Keyring, wrong: Wrong | None = None, more: str = "") -> Evidence:
    peer = Peer(keyring, wrong)
    verifier = door(peer, scheme(more))
    return verifier.close(*came_back(verifier, peer))


def code_of(keyring: Keyring, wrong: Wrong, more: str = "", least: str = "substantial") -> str:
    peer = Peer(keyring, wrong)
    verifier = door(peer, scheme(more))
    attempt, reply = came_back(verifier, peer, least)
    with pytest.raises(EvidenceRejected) as caught:
        verifier.close(attempt, reply)
    assert caught.value.code in REFUSALS
    return caught.value.code


def put(**values: Any) -> Change:
    return lambda claims: claims.update(values)


def drop(*names: str) -> Change:
    def change(claims: dict[str, Any]) -> None:
        for name in names:
            del claims[name]

    return change


def pem(folder: Path) -> Path:
    (folder / "ec.pem").write_bytes(OURS.as_pem(private=True))
    (folder / "rsa.pem").write_bytes(OURS_RSA.as_pem(private=True))
    return folder


ENCRYPTED = 'decryption_key_files = ["ec.pem", "rsa.pem"]\n'


def test_what_they_say_becomes_evidence_of_their_level(keyring: Keyring) -> None:
    evidence = taken(keyring)
    assert evidence.kind == "fc_eidas2"
    assert evidence.value("family_name") == "Onases"
    assert evidence.origin is not None
    assert (evidence.origin.scheme, evidence.origin.holder) == ("trial", "u-1")
    assert (evidence.origin.framework, evidence.origin.level) == (f"{ISSUER}/framework", "eidas2")
    assert all(check.outcome is Outcome.PASSED for check in evidence.checks)


def test_the_codes_of_a_birthplace_are_kept_as_they_are(keyring: Keyring) -> None:
    evidence = taken(keyring)
    assert evidence.value("birthplace_code") == "75056"
    assert evidence.value("birthcountry_code") == "99100"
    abroad = taken(keyring, Wrong(userinfo=put(birthplace="", birthcountry="99350")))
    assert abroad.value("birthplace_code") is None


@pytest.mark.parametrize(
    ("told", "kept"), [("FRA", "FRA"), (["FRA"], "FRA"), (["FRA", "MAR"], None), ([], None)]
)
def test_what_nobody_needs_and_we_cannot_hold_whole_is_left_out(
    keyring: Keyring, told: Any, kept: str | None
) -> None:
    evidence = taken(keyring, Wrong(userinfo=put(nationalities=told, gender={"x": 1})))
    assert evidence.value("nationalities") == kept
    assert evidence.value("gender") is None


def test_a_higher_level_than_asked_is_theirs_to_give(keyring: Keyring) -> None:
    assert taken(keyring, Wrong(id_token=put(acr="eidas3"))).kind == "fc_eidas3"


def test_the_least_level_that_will_do_is_asked_for(keyring: Keyring) -> None:
    for least, says in (("", "eidas1"), ("low", "eidas1"), ("high", "eidas3")):
        url, _ = sent_away(door(Peer(keyring)), least)
        assert dict(parse_qsl(urlsplit(url).query))["acr_values"] == says


def test_each_attempt_has_a_nonce_and_a_code_verifier_of_its_own(keyring: Keyring) -> None:
    verifier = door(Peer(keyring))
    first, second = (sent_away(verifier)[1].remembered for _ in range(2))
    assert first["nonce"] != second["nonce"]
    assert first["code_verifier"] != second["code_verifier"]


def test_each_scheme_has_a_return_address_of_its_own(keyring: Keyring) -> None:
    url, _ = sent_away(door(Peer(keyring)))
    sent = dict(parse_qsl(urlsplit(url).query))
    assert sent["redirect_uri"] == "https://broker.test/foreign/upstream/trial"


def test_no_person_is_in_the_address(keyring: Keyring) -> None:
    url, attempt = sent_away(door(Peer(keyring)))
    assert attempt.remembered["code_verifier"] not in url


@pytest.mark.parametrize(
    "more",
    [
        "pushed = true\n",
        "request_object = true\n",
        "pushed = true\nrequest_object = true\nclaims_parameter = true\n",
        "max_age = 600\n",
        'signing_alg = "PS256"\nrequest_object = true\n',
        'assertion_audience = "endpoint"\n',
        'parameters = {prompt = "login"}\n',
    ],
)
def test_every_way_of_asking_is_understood(keyring: Keyring, more: str) -> None:
    assert taken(keyring, more=more).kind == "fc_eidas2"


def test_a_pushed_request_is_all_that_the_browser_carries(keyring: Keyring) -> None:
    url, _ = sent_away(door(Peer(keyring), scheme("pushed = true\n")))
    assert set(dict(parse_qsl(urlsplit(url).query))) == {"client_id", "request_uri"}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_secret_will_do_where_the_scheme_has_one(
    keyring: Keyring, tmp_path: Path, method: str
) -> None:
    (tmp_path / "trial.secret").write_text(SECRET + "\n")
    peer = Peer(keyring)
    more = f'client_authentication = "{method}"\nclient_secret_file = "trial.secret"\n'
    verifier = door(peer, scheme(more), key_files=tmp_path)
    assert verifier.close(*came_back(verifier, peer)).kind == "fc_eidas2"


def test_a_missing_secret_is_our_fault_and_not_the_persons(keyring: Keyring) -> None:
    more = 'client_authentication = "client_secret_post"\nclient_secret_file = "none.secret"\n'
    assert code_of(keyring, Wrong(), more) == "upstream_unconfigured"


@pytest.mark.parametrize("nonce", ["", "a-number-of-theirs"])
def test_tokens_bound_to_a_key_of_ours(keyring: Keyring, nonce: str) -> None:
    wrong = Wrong(tokens=put(token_type="DPoP"), dpop_nonce=nonce)
    assert taken(keyring, wrong, "dpop = true\npushed = true\n").kind == "fc_eidas2"
    assert code_of(keyring, Wrong(), "dpop = true\n") == "upstream_not_as_agreed"


@pytest.mark.parametrize("key", [OURS, OURS_RSA], ids=["EC", "RSA"])
def test_what_is_encrypted_to_us_is_opened(keyring: Keyring, tmp_path: Path, key: Any) -> None:
    wrong = Wrong(encrypt=key, userinfo_as="signed")
    more = ENCRYPTED + 'id_token = "encrypted"\nuserinfo = "encrypted"\n'
    peer = Peer(keyring, wrong)
    verifier = door(peer, scheme(more), key_files=pem(tmp_path))
    assert verifier.close(*came_back(verifier, peer)).value("given_name") == "Sarah"


def test_what_should_be_encrypted_and_is_not_is_refused(keyring: Keyring) -> None:
    assert code_of(keyring, Wrong(), ENCRYPTED + 'id_token = "encrypted"\n') == "upstream_untrusted"
    userinfo = ENCRYPTED + 'userinfo = "encrypted"\n'
    assert code_of(keyring, Wrong(userinfo_as="signed"), userinfo) == "upstream_untrusted"


def test_claims_may_all_be_in_the_id_token(keyring: Keyring) -> None:
    wrong = Wrong(id_token=put(**PERSON), silent="/userinfo")
    assert taken(keyring, wrong, 'userinfo = "none"\n').value("family_name") == "Onases"


def test_another_claim_may_be_the_stable_one(keyring: Keyring) -> None:
    text = SCHEME.replace('identifier = "sub"', 'identifier = "fiscal"')
    peer = Peer(keyring, Wrong(userinfo=put(fiscal="TINIT-XYZ")))
    verifier = door(peer, scheme(text=text))
    evidence = verifier.close(*came_back(verifier, peer))
    assert evidence.origin is not None
    assert evidence.origin.holder == "TINIT-XYZ"


@pytest.mark.parametrize("known", [None, "", " ", 7, "x" * 256])
def test_without_the_stable_one_nobody_is_known(keyring: Keyring, known: Any) -> None:
    text = SCHEME.replace('identifier = "sub"', 'identifier = "fiscal"')
    peer = Peer(keyring, Wrong(userinfo=put(fiscal=known)))
    verifier = door(peer, scheme(text=text))
    with pytest.raises(EvidenceRejected, match="upstream_incomplete"):
        verifier.close(*came_back(verifier, peer))


def test_a_member_of_a_claim_may_be_meant(keyring: Keyring) -> None:
    text = SCHEME.replace('given_name = "given_name"', 'given_name = "person > name > value"')
    nested = {"name": {"value": "Sarah"}}
    peer = Peer(keyring, Wrong(userinfo=put(person=nested)))
    verifier = door(peer, scheme("claims_parameter = true\n", text=text))
    assert verifier.close(*came_back(verifier, peer)).value("given_name") == "Sarah"
    peer.wrong.userinfo = put(person="Sarah")
    with pytest.raises(EvidenceRejected, match="upstream_incomplete"):
        verifier.close(*came_back(verifier, peer))


def test_names_of_every_script_are_whole(keyring: Keyring) -> None:
    for name in ("بنعلي", "O'Brien‑Ní Dhomhnaill", "ñandú", "نیم‌فاصله"):
        assert taken(keyring, Wrong(userinfo=put(family_name=name))).value("family_name") == name


DAY = int(NOON.timestamp())
REFUSED: dict[str, tuple[str, Wrong, str]] = {
    "signature": ("upstream_untrusted", Wrong(key=STRANGER), ""),
    "kind": ("upstream_untrusted", Wrong(header={"typ": "logout+jwt"}), ""),
    "kind-access": ("upstream_untrusted", Wrong(header={"typ": "at+jwt"}), ""),
    "issuer": ("upstream_mixed_up", Wrong(id_token=put(iss=f"{ISSUER}/")), ""),
    "audience": ("upstream_other_audience", Wrong(id_token=put(aud=f"{CLIENT_ID}2")), ""),
    "audiences": ("upstream_other_audience", Wrong(id_token=put(aud=[CLIENT_ID, "x"])), ""),
    "party": ("upstream_other_audience", Wrong(id_token=put(azp="x")), ""),
    "subject": ("upstream_not_as_agreed", Wrong(id_token=put(sub="a b")), ""),
    "over": ("upstream_expired", Wrong(id_token=put(exp=DAY - 61)), ""),
    "future": ("upstream_expired", Wrong(id_token=put(iat=DAY + 61)), ""),
    "not-before": ("upstream_expired", Wrong(id_token=put(nbf=DAY + 61)), ""),
    "for-ever": ("upstream_not_as_agreed", Wrong(id_token=put(exp=DAY + 10**8)), ""),
    "not-before-when": ("upstream_not_as_agreed", Wrong(id_token=put(nbf="now")), ""),
    "no-end": ("upstream_not_as_agreed", Wrong(id_token=drop("exp")), ""),
    "huge": ("upstream_not_as_agreed", Wrong(id_token=put(iat=10**300)), ""),
    "true": ("upstream_not_as_agreed", Wrong(id_token=put(iat=True)), ""),
    "nonce": ("upstream_unasked", Wrong(id_token=put(nonce="x")), ""),
    "no-nonce": ("upstream_unasked", Wrong(id_token=drop("nonce")), ""),
    "at-hash": ("upstream_untrusted", Wrong(id_token=put(at_hash="x")), ""),
    "no-at-hash": ("upstream_untrusted", Wrong(id_token=drop("at_hash")), "at_hash = true\n"),
    "level-unknown": ("upstream_level_unknown", Wrong(id_token=put(acr="eidas9")), ""),
    "level-none": ("upstream_level_unknown", Wrong(id_token=drop("acr")), ""),
    "level-low": ("upstream_level_low", Wrong(id_token=put(acr="eidas1")), ""),
    "old": ("upstream_sign_in_old", Wrong(id_token=put(auth_time=DAY - 700)), "max_age = 600\n"),
    "no-time": ("upstream_sign_in_old", Wrong(id_token=drop("auth_time")), "max_age = 600\n"),
    "time-to-come": ("upstream_sign_in_old", Wrong(id_token=put(auth_time=DAY + 61)), ""),
    "no-tokens": ("upstream_not_as_agreed", Wrong(tokens=drop("id_token")), ""),
    "mac-token": ("upstream_not_as_agreed", Wrong(tokens=put(token_type="mac")), ""),
    "other-person": ("upstream_other_person", Wrong(userinfo=put(sub="u-2")), ""),
    "nobody": ("upstream_other_person", Wrong(userinfo=drop("sub")), ""),
    "unsigned": ("upstream_untrusted", Wrong(), 'userinfo = "signed"\n'),
    "userinfo-issuer": (
        "upstream_mixed_up", Wrong(userinfo_as="signed", userinfo=put(iss="https://x")), "",
    ),
    "userinfo-audience": (
        "upstream_other_audience", Wrong(userinfo_as="signed", userinfo=put(aud="x")), "",
    ),
    "userinfo-status": (
        "upstream_not_as_agreed", Wrong(userinfo_as="signed", userinfo_status=500), "",
    ),
    "no-name": ("upstream_incomplete", Wrong(userinfo=drop("family_name")), ""),
    "blank-name": ("upstream_incomplete", Wrong(userinfo=put(family_name=" \u200b")), ""),
    "list-name": ("upstream_unreadable", Wrong(userinfo=put(given_name=["Sarah"])), ""),
    "long-name": ("upstream_unreadable", Wrong(userinfo=put(given_name="a" * 201)), ""),
    "turned-name": ("upstream_unreadable", Wrong(userinfo=put(given_name="Sa\u202erah")), ""),
    "born-when": ("upstream_birthdate_partial", Wrong(userinfo=put(birthdate="1975-00-00")), ""),
    "born-in": ("upstream_birthdate_partial", Wrong(userinfo=put(birthdate="1975")), ""),
    "born-never": ("upstream_unreadable", Wrong(userinfo=put(birthdate="1975-02-30")), ""),
    "born-later": ("upstream_unreadable", Wrong(userinfo=put(birthdate="2027-01-01")), ""),
    "born-long-ago": ("upstream_unreadable", Wrong(userinfo=put(birthdate="1850-01-01")), ""),
    "mix-up": ("upstream_mixed_up", Wrong(callback=put(iss="https://other.test")), ""),
    "promised-issuer": ("upstream_mixed_up", Wrong(callback=drop("iss")), ""),
    "state": ("upstream_unasked", Wrong(callback=put(state="x")), ""),
    "no-state": ("upstream_unasked", Wrong(callback=drop("state")), ""),
    "no-code": ("upstream_malformed", Wrong(callback=drop("code")), ""),
    "both": ("upstream_malformed", Wrong(callback=put(error="access_denied")), ""),
    "keys-silent": ("upstream_silent", Wrong(silent="/jwks"), ""),
    "token-silent": ("upstream_silent", Wrong(silent="/token"), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_as_it_must_be_is_refused(keyring: Keyring, case: str) -> None:
    code, wrong, more = REFUSED[case]
    assert code_of(keyring, wrong, more) == code


def error(code: str) -> Change:
    def change(answer: dict[str, Any]) -> None:
        del answer["code"]
        answer["error"] = code

    return change


def test_a_refusal_of_theirs_is_told_from_a_change_of_mind(keyring: Keyring) -> None:
    assert code_of(keyring, Wrong(callback=error("access_denied"))) == "upstream_cancelled"
    assert code_of(keyring, Wrong(callback=error("server_error"))) == "upstream_refused"


def test_an_issuer_that_nobody_promised_is_compared_all_the_same(keyring: Keyring) -> None:
    silent = drop("authorization_response_iss_parameter_supported")
    assert taken(keyring, Wrong(metadata=silent, callback=drop("iss"))).kind == "fc_eidas2"
    wrong = Wrong(metadata=silent, callback=put(iss="https://other.test"))
    assert code_of(keyring, wrong) == "upstream_mixed_up"
    demanded = 'issuer_parameter = "demanded"\n'
    assert code_of(keyring, Wrong(metadata=silent, callback=drop("iss")), demanded) == (
        "upstream_mixed_up"
    )


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
def test_a_parameter_that_comes_twice_is_refused(keyring: Keyring, name: str) -> None:
    peer = Peer(keyring)
    verifier = door(peer)
    attempt, reply = came_back(verifier, peer)
    with pytest.raises(EvidenceRejected, match="upstream_malformed"):
        verifier.close(attempt, replace(reply, repeated=frozenset({name})))


def test_a_code_is_good_once(keyring: Keyring) -> None:
    peer = Peer(keyring)
    verifier = door(peer)
    attempt, reply = came_back(verifier, peer)
    verifier.close(attempt, reply)
    with pytest.raises(EvidenceRejected, match="upstream_not_as_agreed"):
        verifier.close(attempt, reply)


def test_the_answer_to_another_attempt_is_refused(keyring: Keyring) -> None:
    peer = Peer(keyring)
    verifier = door(peer)
    _, first = came_back(verifier, peer)
    second, _ = came_back(verifier, peer)
    with pytest.raises(EvidenceRejected, match="upstream_not_as_agreed"):
        verifier.close(second, replace(first, fields={**first.fields, "state": second.handle}))


def test_nothing_remembered_nothing_proved(keyring: Keyring) -> None:
    with pytest.raises(EvidenceRejected, match="upstream_unasked"):
        door(Peer(keyring)).close(Attempt("h", NOON, "fr"), Reply({"state": "h", "code": "c"}))


def test_a_scheme_taken_away_meanwhile_says_so(keyring: Keyring) -> None:
    peer = Peer(keyring)
    attempt, reply = came_back(door(peer), peer)
    with pytest.raises(EvidenceRejected, match="upstream_scheme_gone"):
        door(peer, scheme(name="other")).close(attempt, reply)
    with pytest.raises(EvidenceRejected, match="upstream_scheme_gone"):
        sent_away(door(peer), name="nowhere")


def test_a_level_that_nobody_there_has_is_not_asked_for(keyring: Keyring) -> None:
    low = scheme().model_copy(update={"reach": {"FR": "low"}})
    attempt = Attempt("h", NOON, "fr", scheme="trial", country="FR", least="high")
    with pytest.raises(EvidenceRejected, match="upstream_level_unreachable"):
        door(Peer(keyring), low).open(attempt)


METADATA: dict[str, Change] = {
    "issuer": put(issuer="https://other.test"),
    "no-issuer": drop("issuer"),
    "link-local": put(jwks_uri="http://169.254.169.254/jwks"),
    "script": put(authorization_endpoint="javascript:alert(1)"),
    "no-door": drop("authorization_endpoint"),
}


@pytest.mark.parametrize("case", METADATA)
def test_metadata_that_is_not_theirs_is_not_followed(keyring: Keyring, case: str) -> None:
    with pytest.raises(EvidenceRejected, match="upstream_not_as_agreed"):
        sent_away(door(Peer(keyring, Wrong(metadata=METADATA[case]))))


def answered(body: bytes, status: int = 200, media: str = "application/json") -> Answer:
    return Answer(status, media, False, body)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", answered(b'{"issuer": "https://op.test"}', 500)),
        ("/.well-known/openid-configuration", answered(b"{}", media="text/html")),
        ("/.well-known/openid-configuration", answered(b"[]")),
        ("/.well-known/openid-configuration", answered(b"no json")),
        ("/par", answered(b'{"request_uri": "urn:x"}', 200)),
        ("/par", answered(b"{}", 201)),
        ("/par", answered(b'{"request_uri": ""}', 201)),
    ],
)
def test_an_answer_that_is_not_one_sends_nobody_away(
    keyring: Keyring, path: str, answer: Answer
) -> None:
    verifier = door(Peer(keyring, Wrong(instead={path: answer})), scheme("pushed = true\n"))
    with pytest.raises(EvidenceRejected, match="upstream_not_as_agreed"):
        sent_away(verifier)


@pytest.mark.parametrize("body", [b"{}", b'{"keys": 1}', b'{"keys": [%s1]}' % (b"1," * 50)])
def test_what_is_no_key_set_verifies_nothing(keyring: Keyring, body: bytes) -> None:
    assert code_of(keyring, Wrong(instead={"/jwks": answered(body)})) == "upstream_not_as_agreed"


def test_a_request_too_long_for_a_browser_is_not_sent(keyring: Keyring) -> None:
    more = f'parameters = {{note = "{"x" * 8_000}"}}\n'
    with pytest.raises(EvidenceRejected, match="upstream_not_as_agreed"):
        sent_away(door(Peer(keyring), scheme(more)))


def test_an_address_in_the_file_goes_before_what_is_published(keyring: Keyring) -> None:
    wrong = Wrong(metadata=put(token_endpoint="https://evil.test/token"))
    assert taken(keyring, wrong, f'token_endpoint = "{ISSUER}/token"\n').kind == "fc_eidas2"


def test_a_provider_that_does_not_answer_is_told(keyring: Keyring) -> None:
    with pytest.raises(EvidenceRejected, match="upstream_silent"):
        sent_away(door(Peer(keyring, Wrong(silent="openid-configuration"))))
    with pytest.raises(EvidenceRejected, match="upstream_silent"):
        sent_away(door(Peer(keyring, Wrong(silent="/par")), scheme("pushed = true\n")))


def test_metadata_and_keys_are_asked_for_once_in_a_while(keyring: Keyring) -> None:
    peer = Peer(keyring)
    verifier = door(peer)
    for _ in range(3):
        verifier.close(*came_back(verifier, peer))
    assert peer.asked.count("/.well-known/openid-configuration") == 1
    assert peer.asked.count("/jwks") == 1
    attempt, reply = came_back(verifier, peer)
    object.__setattr__(peer, "now", NOON + METADATA_KEPT)
    verifier.close(replace(attempt, now=NOON + METADATA_KEPT), reply)
    assert peer.asked.count("/.well-known/openid-configuration") == 2
    assert peer.asked.count("/jwks") == 2


def test_new_keys_are_found_without_waiting(keyring: Keyring) -> None:
    peer = Peer(keyring)
    verifier = door(peer)
    verifier.close(*came_back(verifier, peer))
    peer.wrong.key, peer.wrong.published = NEXT_KEY, (KEY, NEXT_KEY)
    attempt, reply = came_back(verifier, peer)
    later = NOON + ROLLOVER
    assert later < NOON + KEYS_KEPT
    object.__setattr__(peer, "now", later)
    assert verifier.close(replace(attempt, now=later), reply).kind == "fc_eidas2"


def test_unknown_keys_do_not_make_us_ask_without_end(keyring: Keyring) -> None:
    peer = Peer(keyring)
    verifier = door(peer)
    verifier.close(*came_back(verifier, peer))
    peer.wrong.key = NEXT_KEY
    for second in range(5):
        attempt, reply = came_back(verifier, peer)
        with pytest.raises(EvidenceRejected, match="upstream_untrusted"):
            verifier.close(replace(attempt, now=NOON + timedelta(seconds=second)), reply)
    assert peer.asked.count("/jwks") == 1


def test_our_keys_are_published_and_no_private_half(keyring: Keyring, tmp_path: Path) -> None:
    verifier = door(Peer(keyring), scheme(ENCRYPTED), key_files=pem(tmp_path))
    document = verifier.publish("jwks.json", NOON)
    assert document is not None
    assert b'"enc"' in document.body
    assert b'"p":' not in document.body
    assert b'"d":' not in document.body
    assert verifier.publish("other.json", NOON) is None


MISTAKES = {
    "http": ('issuer = "https://op.test"', 'issuer = "http://op.test"', "oidc.issuer"),
    "fragment": ('issuer = "https://op.test"', 'issuer = "https://op.test#x"', "oidc.issuer"),
    "no-client": ('client_id = "miftah"', "", "oidc.client_id"),
    "stranger": ('client_id = "miftah"', 'client_id = "miftah"\ncolour = "red"', "oidc.colour"),
    "secret": (
        'client_id = "miftah"', 'client_id = "m"\nclient_authentication = "client_secret_post"',
        "client_secret_file",
    ),
    "no-key": ('client_id = "miftah"', 'client_id = "m"\nid_token = "encrypted"', "decryption_key"),
    "algorithm": ('client_id = "miftah"', 'client_id = "m"\nalgorithms = ["HS256"]', "algorithms"),
    "scope": ('client_id = "miftah"', 'client_id = "m"\nscopes = ["profile"]', "openid"),
    "ours": ('client_id = "miftah"', 'client_id = "m"\nparameters = {nonce = "1"}', "nonce"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_section_that_cannot_work_is_told_at_the_start(mistake: str) -> None:
    old, new, told = MISTAKES[mistake]
    UpstreamVerifier.judge(scheme())
    with pytest.raises(SchemeRejected, match=r"trial\.toml: oidc") as caught:
        UpstreamVerifier.judge(scheme(text=SCHEME.replace(old, new)))
    assert told in str(caught.value)
