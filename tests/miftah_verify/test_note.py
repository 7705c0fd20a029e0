import pytest

from miftah_verify.note import holds, open_checkpoint, parse_key, parse_note
from miftah_verify.policy import parse_policy, simple
from miftah_verify.refused import Refused
from tests.miftah_verify.made import (
    AT,
    KEY,
    NAME,
    OTHER_KEY,
    checkpoint,
    cosigned,
    leaves,
    witness_key,
)

SIGNED = checkpoint(leaves(7))
WITNESSES = [witness_key(n)[1] for n in (1, 2, 3)]


def test_the_example_of_the_cosignature_standard_is_read() -> None:
    # The key lines of C2SP tlog-cosignature's own example; its signatures are placeholders.
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dl"
        "rDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    assert open_checkpoint(SIGNED + line, KEY).size == 7


def test_the_example_of_gos_note_package_is_read() -> None:
    # pkg.go.dev/golang.org/x/mod/sumdb/note, made by another implementation
    key = parse_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng"
        "otpRZb6KE6RyyBwJnAM=\n"
    )
    assert holds(parse_note(text), key) == 0
    with pytest.raises(Refused):
        holds(parse_note(text.replace("problem is", "problem was")), key)


def test_a_witness_is_seen_with_its_time() -> None:
    head = open_checkpoint(cosigned(SIGNED, 1), KEY, WITNESSES)
    assert head.seen == {WITNESSES[0]: AT}


def test_who_is_unknown_is_passed_over() -> None:
    assert open_checkpoint(cosigned(SIGNED, 9), KEY, WITNESSES).seen == {}


def test_a_false_signature_under_a_known_name_spoils_the_note() -> None:
    lines = cosigned(checkpoint(leaves(8)), 1).split("\n")
    with pytest.raises(Refused, match="false"):
        open_checkpoint(SIGNED + lines[-2] + "\n", KEY, WITNESSES)


@pytest.mark.parametrize(("quorum", "held"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_quorum_is_a_number_of_witnesses(quorum: int, held: bool) -> None:
    policy = simple(KEY, WITNESSES, quorum)
    signed = cosigned(cosigned(cosigned(SIGNED, 1), 1), 3)
    if held:
        assert policy.open(signed).size == 7
        return
    with pytest.raises(Refused, match="witnesses"):
        policy.open(signed)


def test_the_log_is_no_witness_of_itself() -> None:
    with pytest.raises(Refused):
        simple(KEY, [KEY], 1)


def test_one_key_is_one_witness_under_any_name() -> None:
    twin = parse_key(str(type(KEY)("twin.test", 0x04, WITNESSES[0].public)))
    with pytest.raises(Refused, match="twice"):
        simple(KEY, [WITNESSES[0], twin], 2)


def _policy(text: str) -> bytes:
    names = {f"W{n}": str(key) for n, key in enumerate(WITNESSES, 1)}
    for name, key in names.items():
        text = text.replace(f"<{name}>", key)
    return text.replace("<LOG>", str(KEY)).encode()


GROUPS = """# the log and who must have seen it
log <LOG>
witness a <W1>
witness b <W2> https://w.test
witness c <W3>
group both all a b
group top 1 both c
quorum top
"""


def test_a_policy_file_may_group_witnesses() -> None:
    policy = parse_policy(_policy(GROUPS))
    assert policy.open(cosigned(SIGNED, 3)).size == 7
    assert policy.open(cosigned(cosigned(SIGNED, 1), 2)).size == 7
    with pytest.raises(Refused):
        policy.open(cosigned(SIGNED, 1))


@pytest.mark.parametrize(
    "text",
    [
        "log <LOG>\n",
        "log <LOG>\nlog <LOG>\nquorum none\n",
        "log <LOG>\nquorum none\nquorum none\n",
        "log <LOG>\nquorum a\n",
        "witness none <W1>\nquorum none\n",
        "witness a <W1>\nwitness a <W2>\nquorum a\n",
        "witness a <W1>\nwitness b <W1>\nquorum a\n",
        "witness a <LOG>\nquorum a\n",
        "witness a <W1>\ngroup g 2 a\nquorum g\n",
        "witness a <W1>\ngroup g 0 a\nquorum g\n",
        "witness a <W1>\ngroup g all a a\nquorum g\n",
        "witness a <W1>\ngroup g any\nquorum g\n",
        "witness a <W1>\ngroup g any a\ngroup h any a\nquorum h\n",
        "group g any none\nquorum g\n",
        "log\nquorum none\n",
        "log nonsense\nquorum none\n",
        "what is this\nquorum none\n",
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        parse_policy(_policy(text))


def test_a_checkpoint_of_another_key_is_refused() -> None:
    with pytest.raises(Refused, match="did not sign"):
        open_checkpoint(checkpoint(leaves(7), OTHER_KEY), KEY)


def test_a_log_whose_first_line_is_not_its_keys_name_can_be_named() -> None:
    from broker.audit import note
    from tests.miftah_verify.made import LOG_KEY

    signed = note.sign(f"a tree of {NAME}\n0\n{note.encode(b'r' * 32)}\n", NAME, LOG_KEY)
    assert open_checkpoint(signed, KEY, origin=f"a tree of {NAME}").size == 0
    with pytest.raises(Refused, match="another log"):
        open_checkpoint(signed, KEY)


BROKEN = {
    "no dash": SIGNED.replace("— ", ""),
    "a hyphen": SIGNED.replace("—", "-"),
    "no last newline": SIGNED[:-1],
    "a carriage return": SIGNED.replace("\n7\n", "\r\n7\r\n"),
    "a leading zero": SIGNED.replace("\n7\n", "\n07\n"),
    "a plus": SIGNED.replace("\n7\n", "\n+7\n"),
    "no signature": SIGNED.split("—")[0],
    "an empty line more": SIGNED.replace("\n\n", "\n\n\n"),
    "nothing": "",
    "only newlines": "\n\n\n",
    "a key without a signature": f"x\n\n— {NAME} {KEY.id.hex()}\n",
    "too long": SIGNED + "— x AAAAAAAA\n" * 200,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        open_checkpoint(text, KEY)
    with pytest.raises(Refused):
        open_checkpoint(text.encode() + b"\xff", KEY)


@pytest.mark.parametrize(
    "line",
    ["", "a", "a+b", "a+00000000+", str(KEY).replace(NAME, "other"), str(KEY)[:-4], "+" + str(KEY)],
)
def test_what_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(Refused):
        parse_key(line)
