"""What the rooms say, made fit for one client."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from broker.identity.assurance import SHIPPED, read_policy
from broker.oidc.claims import REGISTERED, id_token_claims, told_to, userinfo_claims
from broker.oidc.grant import Assurance, Grant
from tests.conftest import ISSUER, NOON

POLICY = read_policy(SHIPPED)
ASSURANCE = Assurance("P0", "C2", "contact", ("pop",), POLICY.version, None, None)
KEY = b"p" * 32


def grant(subject: str = "one") -> Grant:
    return Grant("g", "account", "service", subject, ("openid",), "passkey_synced", 0, ASSURANCE)


def id_token(said: dict[str, Any]) -> dict[str, Any]:
    from datetime import timedelta

    return id_token_claims(
        grant(),
        issuer=ISSUER,
        policy=POLICY,
        said=told_to(grant(), said, KEY),
        at_hash="h",
        token_id="j",
        now=NOON,
        lifetime=timedelta(minutes=1),
    )


@given(st.dictionaries(st.sampled_from(sorted(REGISTERED)), st.text()))
def test_no_room_overwrites_a_registered_claim(said: dict[str, str]) -> None:
    assert id_token(said) == id_token({})
    assert userinfo_claims(grant(), told_to(grant(), said, KEY)) == {"sub": "one"}


def test_one_verification_has_another_name_at_every_service() -> None:
    said = {"verified_claims": {"verification": {"verification_process": "e1"}, "claims": {}}}

    def name(subject: str) -> str:
        told: str = told_to(grant(subject), said, KEY)["verified_claims"]["verification"][
            "verification_process"
        ]
        return told

    assert name("one") == name("one")
    assert len({name("one"), name("two"), "e1"}) == 3


def test_one_verification_of_several_has_another_name_at_every_service() -> None:
    element = {"verification": {"verification_process": "e1"}, "claims": {}}
    (one, two) = (
        told_to(grant(subject), {"verified_claims": [element, element]}, KEY)["verified_claims"]
        for subject in ("one", "two")
    )
    assert one[0] == one[1] != two[0]
    assert "e1" not in str([one, two])
